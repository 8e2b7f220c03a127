"""Rule that finds hypotheses with more text than can have been spoken so far. Pure.

A model that has received half a sentence may write the whole of a sentence that it knows, and the
same in the next pass, so agreement proves nothing. With word times, the times show such a guess;
without, only the length of the text does.
"""

from collections.abc import Sequence

from rtc_server.interpreter.recent_passes import RecentPasses

_CHARS_PER_S = 16.0
"""Characters in a second of speech, spaces included; 150 English words a minute are 15. Chosen
among 14 to 25 on two voices that Canary's model of the tests was trained on."""
_MOST_CHARS_PER_S = 25.0
"""The same for a fast speaker: 250 English words a minute."""
_STEADY = 0.5, 1.5
"""Range of the ratio of the pace since the earlier pass to that of the whole text. Inside it,
somebody really speaks that fast."""


class SpeakingPace:
    """Length of the newest hypothesis of a stretch of audio, compared with the audio's length."""

    def __init__(self) -> None:
        self._passes: RecentPasses[int] = RecentPasses()
        """Characters of earlier passes."""

    def runs_ahead(self, heard_ms: int, words: Sequence[str]) -> bool:
        """Return whether the text of the first `heard_ms` of audio is too long for it.

        A text that keeps growing with the audio comes from a fast speaker; a guess comes at once,
        and does not grow.
        """
        chars = len(" ".join(words))
        before = self._passes.add(heard_ms, chars)
        if 1000 * chars <= _CHARS_PER_S * heard_ms:
            return False
        if before is None or not before.found or 1000 * chars > _MOST_CHARS_PER_S * heard_ms:
            return True
        new_ms, new_chars = heard_ms - before.heard_ms, chars - before.found
        least, most = (pace * chars * new_ms for pace in _STEADY)
        return not least <= new_chars * heard_ms <= most

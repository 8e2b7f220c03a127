"""Tail of push-to-talk: sound that was said before the release and comes after it. Pure.

A release travels faster than the sound before it, which waits in microphone, encoder and jitter
buffer. A segment that ended with the release would lose its last word.
"""

from dataclasses import dataclass

from rtc_server.pcm import SPEECH_RATE, ms_to_samples


@dataclass(frozen=True, slots=True)
class Tail:
    """Length of the audio behind a release that still belongs to what was said before it."""

    least_ms: int
    """A pause before that ends nothing: a word behind it may be on its way."""
    most_ms: int
    """Ends the segment in the middle of speech, too."""


NO_TAIL = Tail(0, 0)
"""Of those whose audio keeps its place among their events."""
UNKNOWN_TAIL = Tail(100, 300)
"""Of those who do not say. 100 ms is on its way from any microphone, 300 ms from slow ones."""


class Release:
    """A release of push-to-talk that waits for its last word."""

    def __init__(self, at_samples: int, tail: Tail) -> None:
        """`at_samples`: how far the audio had come when the release did."""
        self._least_samples = at_samples + ms_to_samples(tail.least_ms, SPEECH_RATE)
        self._most_samples = at_samples + ms_to_samples(tail.most_ms, SPEECH_RATE)
        self.is_followed = False
        """True if another press waits for its end."""

    def is_due(self, now_samples: int, *, is_pause: bool) -> bool:
        """Return whether all that was said before it has come."""
        least = self._least_samples if is_pause else self._most_samples
        return now_samples >= least

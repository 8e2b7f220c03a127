"""Rules that keep the voice near the speaker: pauses, tempo, and omissions. Pure.

Three measures: beyond 1 s of waiting speech pauses are shortened; the tempo rises from sentence to
sentence; and beyond the mode's limit (5 s in the simultaneous modes) whole clauses are left out,
oldest first, by the playout's bound.

The tempo rises by small steps, and a translation that takes longer than the speech falls further
behind with each sentence until it has risen. So the tempo follows the lengths of both, and not only
the queue, which shows it two to three sentences later with a voice that takes 1.2 times as long;
each of them costs 0.7 s.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rtc_server.audio.pauses import LEADING_MS
from rtc_server.audio.playout import GAP_MS

TRIM_FROM_MS = 1000.0
"""Waiting speech beyond which pauses are shortened."""
PAUSE_MS = 300
"""Longest pause inside a clause and after it, up to `TRIM_FROM_MS` of waiting speech."""
HURRIED_PAUSE_MS = 120
"""The same beyond `TRIM_FROM_MS`: still audible as a pause."""
TORN_PAUSE_MS = 60
"""Longest pause after a clause that ends without a punctuation mark."""
LEAST_GAIN_MS = 100.0
"""Least time that must be gained to shorten a sentence that is already synthesized."""
FASTEST = 1.25
"""Highest tempo: beyond it, listeners can no longer follow."""


@dataclass(frozen=True, slots=True)
class BacklogRules:
    """Rules by which a mode catches up."""

    calm_ms: float = 1000.0
    """Waiting speech up to which the tempo is not raised."""
    fastest_ms: float = 4000.0
    """Waiting speech from which the tempo is `FASTEST`."""
    tempo_step: float = FASTEST - 1.0
    """Largest change of tempo from one sentence to the next."""
    keeps_pace: bool = False
    """True if the tempo also follows how much longer the voice takes than the speaker."""
    drop_ms: float | None = None
    """Waiting speech beyond which whole clauses are left out; None for the server's own limit
    (``--max-playout-s``)."""


class Backlog:
    """Tempo of one voice. It changes between sentences, never inside one."""

    def __init__(self, rules: BacklogRules) -> None:
        self.rules = rules
        """Rules that apply from the next sentence on."""
        self._tempo = self._ratio = 1.0
        self._pace = _Pace()

    def tempo(self, queue_ms: float, *, begins_sentence: bool, said_s: float = 0.0) -> float:
        """Return the tempo of the next clause, with `queue_ms` of speech waiting before it.

        Args:
            begins_sentence: True if the clause begins a sentence; only then may the tempo change.
            said_s: time at which the clause's first words were spoken, on any clock.
        """
        if begins_sentence:
            rules = self.rules
            ratio = 1.0
            if rules.keeps_pace:
                ratio = self._pace.begin(queue_ms, said_s)
            else:
                self._pace = _Pace()
            self._ratio = max(ratio, 1.0)
            step = self._wanted(queue_ms) - self._tempo
            self._tempo += min(max(step, -rules.tempo_step), rules.tempo_step)
        return self._tempo

    def raised(
        self, before: float, tempos: Sequence[float], lengths_ms: Sequence[float], ahead_ms: float
    ) -> list[float]:
        """Return new tempos for whole sentences that wait to be played.

        No sentence becomes slower, or faster than one step above the sentence before it. One that
        would gain less than `LEAST_GAIN_MS` keeps its tempo.

        Args:
            before: tempo of the sentence before them.
            tempos: their present tempos.
            lengths_ms: their lengths at these tempos.
            ahead_ms: other speech that waits before them.
        """
        queue_ms, after = ahead_ms + sum(lengths_ms), list[float]()
        for tempo, length_ms in zip(tempos, lengths_ms, strict=True):
            # What waits behind a sentence counts, not the sentence itself.
            wanted = min(self._wanted(queue_ms - length_ms), before + self.rules.tempo_step)
            gain_ms = length_ms * (1 - tempo / wanted)
            if gain_ms >= LEAST_GAIN_MS:
                queue_ms -= gain_ms
            before = wanted if gain_ms >= LEAST_GAIN_MS else tempo
            after.append(before)
        return after

    def follow(self, tempo: float) -> None:
        """Continue from the tempo that the newest sentence was raised to."""
        self._tempo = tempo

    def _wanted(self, queue_ms: float) -> float:
        rules = self.rules
        share = (queue_ms - rules.calm_ms) / (rules.fastest_ms - rules.calm_ms)
        return min(self._ratio + (FASTEST - 1.0) * min(max(share, 0.0), 1.0), FASTEST)

    def spoke(self, length_ms: float) -> None:
        """Note speech that was synthesized at the tempo returned last."""
        self._pace.voice_ms += length_ms * self._tempo


class _Pace:
    """Ratio of the voice's length, at tempo 1, to that of the speech; newer sentences weigh more.

    It starts again whenever nothing waits at the beginning of a sentence: the voice is not late.
    """

    def __init__(self) -> None:
        self.voice_ms = 0.0
        """Length of the voice, at tempo 1, since the sentence began."""
        self._began_s: float | None = None
        self._voice_sum = self._speech_sum = 0.0

    def begin(self, queue_ms: float, said_s: float) -> float:
        """Begin a sentence; return the ratio of those before it."""
        began_s, voice_ms = self._began_s, self.voice_ms
        self._began_s, self.voice_ms = said_s, 0.0
        if began_s is None or not queue_ms:
            self._voice_sum = self._speech_sum = 0.0
            return 1.0
        # After the sentence there is a pause, which no tempo shortens.
        speech_ms = (said_s - began_s) * 1000 - GAP_MS
        self._voice_sum = self._voice_sum / 2 + voice_ms
        self._speech_sum = self._speech_sum / 2 + speech_ms
        return self._voice_sum / self._speech_sum if self._speech_sum > 0 else 1.0


def longest_pause_ms(queue_ms: float) -> int:
    """Return the longest pause inside a clause, with `queue_ms` of speech waiting before it."""
    return HURRIED_PAUSE_MS if queue_ms > TRIM_FROM_MS else PAUSE_MS


def trailing_ms(queue_ms: float, *, has_mark: bool, has_gap: bool) -> int:
    """Return how much silence may stay at the end of a clause. Together with the playout's gap, if
    there is one, and the silence before the next clause it makes one pause.

    Args:
        queue_ms: speech that waits before the clause.
        has_mark: True if a mark ends the clause in the text.
        has_gap: True if the playout adds its own silence after it.
    """
    pause_ms = longest_pause_ms(queue_ms) if has_mark or has_gap else TORN_PAUSE_MS
    return max(0, pause_ms - LEADING_MS - (GAP_MS if has_gap else 0))

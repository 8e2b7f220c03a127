"""Rules that keep the voice near the speaker: pauses, tempo, and omissions. Pure.

Three steps, each begun only where the one before did not do: pauses are shortened beyond 1 s of
waiting speech, the tempo rises with the sentences that follow, and beyond 5 s whole clauses are
left out (by the playout's bound), oldest first.

The tempo rises by small steps, and a translation that is longer than the speech falls behind with
each sentence until it has risen. So it follows the lengths of both as well as the queue, which
would tell too late: with a voice that takes 1.2 times as long, two to three sentences later, and
each costs 0.7 s.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rtc_server.audio.pauses import LEADING_MS
from rtc_server.audio.playout import GAP_MS

TRIM_FROM_MS = 1000.0
"""Waiting speech beyond which pauses are shortened."""
PAUSE_MS = 300
"""Longest pause, inside a clause and behind it, while there is no hurry."""
HURRIED_PAUSE_MS = 120
"""The same when there is: still heard as a pause."""
TORN_PAUSE_MS = 60
"""Longest pause between two clauses of which the first ends without a mark."""
LEAST_GAIN_MS = 100.0
"""Time that must be gained to stretch a sentence that is synthesized already."""
FASTEST = 1.25
"""Beyond this, listeners lose the thread."""


@dataclass(frozen=True, slots=True)
class BacklogRules:
    """Rules by which a mode catches up."""

    calm_ms: float = 1000.0
    """Waiting speech up to which the voice takes its time."""
    fastest_ms: float = 4000.0
    """Waiting speech from which it speaks as fast as it may."""
    tempo_step: float = FASTEST - 1.0
    """Most change of tempo from one sentence to the next."""
    keeps_pace: bool = False
    """True if the tempo also follows how much longer the voice takes than the speaker."""
    drop_ms: float | None = None
    """Waiting speech beyond which whole clauses are left out; None leaves that to the server's
    own bound."""


class Backlog:
    """Tempo of one voice. It changes between sentences, never inside one."""

    def __init__(self, rules: BacklogRules) -> None:
        self.rules = rules
        """In force from the next sentence on."""
        self._tempo = self._ratio = 1.0
        self._pace = _Pace()

    def tempo(self, queue_ms: float, *, begins_sentence: bool, said_s: float = 0.0) -> float:
        """Return how fast to speak the next clause, with `queue_ms` of speech before it.

        Args:
            begins_sentence: only then may the tempo change.
            said_s: when that was said which the clause begins with, on any clock.
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
        """Return the tempos that whole sentences shall have which wait to be heard.

        None becomes slower, and none faster than a step above the one before it. One that would
        be over less than `LEAST_GAIN_MS` sooner stays as it is.

        Args:
            before: tempo of the sentence before them.
            tempos: those that they have.
            lengths_ms: how long each is at that tempo.
            ahead_ms: other speech that waits before them.
        """
        queue_ms, after = ahead_ms + sum(lengths_ms), list[float]()
        for tempo, length_ms in zip(tempos, lengths_ms, strict=True):
            # A sentence that waits alone has nobody to make room for.
            wanted = min(self._wanted(queue_ms - length_ms), before + self.rules.tempo_step)
            gain_ms = length_ms * (1 - tempo / wanted)
            if gain_ms >= LEAST_GAIN_MS:
                queue_ms -= gain_ms
            before = wanted if gain_ms >= LEAST_GAIN_MS else tempo
            after.append(before)
        return after

    def follow(self, tempo: float) -> None:
        """Go on from the tempo that the newest sentence has by now."""
        self._tempo = tempo

    def _wanted(self, queue_ms: float) -> float:
        rules = self.rules
        share = (queue_ms - rules.calm_ms) / (rules.fastest_ms - rules.calm_ms)
        return min(self._ratio + (FASTEST - 1.0) * min(max(share, 0.0), 1.0), FASTEST)

    def spoke(self, length_ms: float) -> None:
        """Take note of a clause that was synthesized at the tempo returned last."""
        self._pace.voice_ms += length_ms * self._tempo


class _Pace:
    """Length of the voice at tempo 1 over that of the speech, the newest sentences first of all.

    Counts since the voice was last in time: one that falls silent between sentences is not late.
    """

    def __init__(self) -> None:
        self.voice_ms = 0.0
        """Spoken since the sentence began."""
        self._began_s: float | None = None
        self._voice_sum = self._speech_sum = 0.0

    def begin(self, queue_ms: float, said_s: float) -> float:
        """Begin a sentence; return the ratio of those before it."""
        began_s, voice_ms = self._began_s, self.voice_ms
        self._began_s, self.voice_ms = said_s, 0.0
        if began_s is None or not queue_ms:
            self._voice_sum = self._speech_sum = 0.0
            return 1.0
        # Behind the sentence there is a pause, which no tempo shortens.
        speech_ms = (said_s - began_s) * 1000 - GAP_MS
        self._voice_sum = self._voice_sum / 2 + voice_ms
        self._speech_sum = self._speech_sum / 2 + speech_ms
        return self._voice_sum / self._speech_sum if self._speech_sum > 0 else 1.0


def longest_pause_ms(queue_ms: float) -> int:
    """Return how long a pause inside a clause may be, with `queue_ms` of speech before it."""
    return HURRIED_PAUSE_MS if queue_ms > TRIM_FROM_MS else PAUSE_MS


def trailing_ms(queue_ms: float, *, has_mark: bool, has_gap: bool) -> int:
    """Return how much silence may stay at the end of a clause: with the playout's gap, if there is
    one, and the beginning of the next clause it makes a single pause.

    Args:
        queue_ms: speech before it.
        has_mark: it ends a clause or a sentence by its text.
        has_gap: the playout keeps its own silence behind it.
    """
    pause_ms = longest_pause_ms(queue_ms) if has_mark or has_gap else TORN_PAUSE_MS
    return max(0, pause_ms - LEADING_MS - (GAP_MS if has_gap else 0))

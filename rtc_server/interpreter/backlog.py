"""Keeps the voice near the speaker: pauses, tempo, and what is left out. Pure.

Three steps, each begun only where the one before did not do: pauses are shortened beyond 1 s of
waiting speech, the tempo rises with the sentences that follow, and beyond 5 s whole clauses are
left out (by the playout's bound), oldest first.
"""

from dataclasses import dataclass

TRIM_FROM_MS = 1000.0
"""Waiting speech beyond which pauses are shortened."""
PAUSE_MS = 300
"""Longest pause inside a clause while there is no hurry."""
HURRIED_PAUSE_MS = 120
"""The same when there is: still heard as a pause."""
FASTEST = 1.25
"""Beyond this, listeners lose the thread."""


@dataclass(frozen=True, slots=True)
class BacklogRules:
    """How a mode catches up."""

    calm_ms: float = 1000.0
    """Waiting speech up to which the voice takes its time."""
    fastest_ms: float = 4000.0
    """Waiting speech from which it speaks as fast as it may."""
    tempo_step: float = FASTEST - 1.0
    """Most change of tempo from one sentence to the next."""
    drop_ms: float | None = None
    """Waiting speech beyond which whole clauses are left out; None leaves that to the server's
    own bound."""


class Backlog:
    """The tempo of one voice. It changes between sentences, never inside one."""

    def __init__(self, rules: BacklogRules) -> None:
        self.rules = rules
        """In force from the next sentence on."""
        self._tempo = 1.0

    def tempo(self, queue_ms: float, *, begins_sentence: bool) -> float:
        """Return how fast to speak the next clause, with `queue_ms` of speech before it."""
        if begins_sentence:
            rules = self.rules
            share = (queue_ms - rules.calm_ms) / (rules.fastest_ms - rules.calm_ms)
            wanted = 1.0 + (FASTEST - 1.0) * min(max(share, 0.0), 1.0)
            step = min(max(wanted - self._tempo, -rules.tempo_step), rules.tempo_step)
            self._tempo += step
        return self._tempo


def longest_pause_ms(queue_ms: float) -> int:
    """Return how long a pause inside a clause may be, with `queue_ms` of speech before it."""
    return HURRIED_PAUSE_MS if queue_ms > TRIM_FROM_MS else PAUSE_MS

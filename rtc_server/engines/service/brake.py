"""A rest from partials, so that they leave time for finals: a plain object fed time."""


class PartialsBrake:
    """After partials the engine rests from partials for as long as they took.

    Without it a slow engine that is asked for partials four times a second has no time for anything
    else, and each final waits for a partial to end. With it at least half of the time is left.
    """

    def __init__(self) -> None:
        self._rests_until_s = 0.0

    def served(self, took_s: float, now_s: float) -> None:
        """Note that partials took so long, until now."""
        self._rests_until_s = now_s + took_s

    def rest_s(self, now_s: float) -> float:
        """Return how much longer the engine rests; 0 when it does not."""
        return max(0.0, self._rests_until_s - now_s)

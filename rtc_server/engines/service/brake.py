"""Rest from partials, which leaves time for finals; time is an argument."""


class PartialsBrake:
    """Rule that gives an engine no partials, after some, for as long as those took.

    Without it a slow engine that is asked for partials four times a second has no time for anything
    else, and each final waits for a partial to end. With it at least half of the time is left.
    """

    def __init__(self) -> None:
        self._rests_until_s = 0.0

    def served(self, took_s: float, now_s: float) -> None:
        """Record partials that took `took_s` seconds and ended at `now_s`."""
        self._rests_until_s = now_s + took_s

    def rest_s(self, now_s: float) -> float:
        """Return the remaining seconds of rest; 0 for none."""
        return max(0.0, self._rests_until_s - now_s)

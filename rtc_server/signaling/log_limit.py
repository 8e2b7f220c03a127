"""Keeps a flood of bad requests from becoming a flood of log lines."""


class LogLimit:
    """A token bucket: `burst` lines at once, `per_second` after that; counts what it held back."""

    def __init__(self, *, burst: int, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._tokens = float(burst)
        self._at_s = 0.0
        self._held_back = 0

    def admit(self, now_s: float) -> int | None:
        """None to stay silent; else write the line, and say how many were held back before it."""
        elapsed_s = max(0.0, now_s - self._at_s)
        self._tokens = min(self._burst, self._tokens + elapsed_s * self._per_second)
        self._at_s = now_s
        if self._tokens < 1:
            self._held_back += 1
            return None
        self._tokens -= 1
        held_back, self._held_back = self._held_back, 0
        return held_back

"""Rate limit of log lines, so that a flood of bad requests does not become a flood of lines."""

from rtc_server.rates import Rate, TokenBucket


class LogLimit:
    """`burst` lines at once, `per_second` after that; counts what it held back."""

    def __init__(self, *, burst: int, per_second: float) -> None:
        self._bucket = TokenBucket(Rate(burst, per_second))
        self._held_back = 0

    def admit(self, now_s: float) -> int | None:
        """Return None to stay silent; else the number of lines held back before this one."""
        if self._bucket.take(now_s):
            self._held_back += 1
            return None
        held_back, self._held_back = self._held_back, 0
        return held_back

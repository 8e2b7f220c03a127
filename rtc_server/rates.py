"""Token bucket: a limit on how often something may happen. Pure: time is an argument."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit."""

    burst: float
    """At once."""
    per_second: float
    """After that."""


class TokenBucket:
    """Bucket that is full at first; each event takes a token, and tokens come back with time."""

    __slots__ = ("_at_s", "_tokens", "rate")

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        """May be changed; counts from the next call on."""
        self._tokens = float(rate.burst)
        self._at_s: float | None = None

    def wait_s(self, now_s: float) -> float:
        """Return the seconds until an event may happen; 0 when it may now. Takes nothing."""
        rate = self.rate
        tokens = self._tokens
        if self._at_s is not None and now_s > self._at_s:
            tokens += (now_s - self._at_s) * rate.per_second
        self._tokens = tokens = min(tokens, rate.burst)
        self._at_s = now_s
        return 0.0 if tokens >= 1.0 else (1.0 - tokens) / rate.per_second

    def take(self, now_s: float) -> float:
        """Let an event happen and return 0, or return the seconds to wait for that."""
        wait_s = self.wait_s(now_s)
        if wait_s == 0.0:
            self._tokens -= 1.0
        return wait_s

"""Limits on how often something may happen: token buckets. Pure: time is an argument."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)
"""Name of a bucket among many: a key, an address."""


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
        tokens = self._refill(now_s)
        return 0.0 if tokens >= 1.0 else (1.0 - tokens) / self.rate.per_second

    def take(self, now_s: float) -> float:
        """Let an event happen and return 0, or return the seconds to wait for that."""
        tokens = self._refill(now_s)
        if tokens < 1.0:
            return (1.0 - tokens) / self.rate.per_second
        self._tokens = tokens - 1.0
        return 0.0

    def overdraw(self, amount: float, now_s: float) -> float:
        """Take `amount`, there or not; return the seconds to wait until that is paid back."""
        self._tokens = self._refill(now_s) - amount
        return max(0.0, -self._tokens / self.rate.per_second)

    def _refill(self, now_s: float) -> float:
        tokens = self._tokens
        if self._at_s is not None and now_s > self._at_s:
            tokens += (now_s - self._at_s) * self.rate.per_second
        self._tokens = tokens = min(tokens, self.rate.burst)
        self._at_s = now_s
        return tokens


class Buckets(Generic[Name]):
    """Token buckets, at most `most`; the one not asked for longest is forgotten first, and is full
    again.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._buckets: OrderedDict[Name, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait_s(self, name: Name, rate: Rate, now_s: float) -> float:
        """Return the seconds until something may happen again; 0 when it may now. Takes nothing."""
        bucket = self._buckets.get(name)
        if bucket is None:
            return 0.0
        bucket.rate = rate
        return bucket.wait_s(now_s)

    def take(self, name: Name, rate: Rate, now_s: float) -> float:
        """Let it happen and return 0, or return the seconds to wait for that."""
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(rate)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(name)
        bucket.rate = rate
        return bucket.take(now_s)


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


class ReasonLimit:
    """`LogLimit` of what is wrong with one thing: a reason is logged when it is new.

    Reasons that take turns are all new, so they are counted. One that is held back is logged once
    it may be, if it lasts.
    """

    def __init__(self, *, burst: int = 5, per_second: float = 0.01) -> None:
        self._limit = LogLimit(burst=burst, per_second=per_second)
        self._logged = ""

    def admit(self, reason: str, now_s: float) -> int | None:
        """Return as `LogLimit.admit` does; an empty reason means that nothing is wrong."""
        if reason in ("", self._logged):
            self._logged = reason
            return None
        held_back = self._limit.admit(now_s)
        if held_back is not None:
            self._logged = reason
        return held_back


def not_logged(held_back: int) -> str:
    """Return the end of a line that stands for so many others; empty for none."""
    return f" ({held_back} more not logged)" if held_back else ""

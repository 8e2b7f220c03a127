"""Token buckets by name, for rates of keys and of addresses; bounded in memory."""

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something may happen."""

    burst: int
    """At once."""
    per_second: float
    """After that."""


class Buckets:
    """At most `most` of them; the one unused for longest is forgotten first, and is full again."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait_s(self, name: str, rate: Rate, now_s: float) -> float:
        """Seconds until something may happen again; 0 when it may now. Takes nothing."""
        return max(0.0, (1 - self._tokens(name, rate, now_s)) / rate.per_second)

    def take(self, name: str, rate: Rate, now_s: float) -> float:
        """Let it happen and return 0, or return the seconds to wait for that."""
        tokens = self._tokens(name, rate, now_s)
        if tokens < 1:
            return (1 - tokens) / rate.per_second
        self._buckets[name] = (tokens - 1, now_s)
        self._buckets.move_to_end(name)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return 0.0

    def _tokens(self, name: str, rate: Rate, now_s: float) -> float:
        tokens, at_s = self._buckets.get(name, (float(rate.burst), now_s))
        return min(rate.burst, tokens + max(0.0, now_s - at_s) * rate.per_second)

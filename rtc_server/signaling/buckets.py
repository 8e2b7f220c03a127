"""Token buckets by name, for rates of keys and of addresses; bounded in memory."""

from collections import OrderedDict

from rtc_server.rates import Rate, TokenBucket


class Buckets:
    """Token buckets, at most `most`; the one unused for longest is forgotten first, and is full
    again.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait_s(self, name: str, rate: Rate, now_s: float) -> float:
        """Return the seconds until something may happen again; 0 when it may now. Takes nothing."""
        bucket = self._buckets.get(name)
        if bucket is None:
            return 0.0
        bucket.rate = rate
        return bucket.wait_s(now_s)

    def take(self, name: str, rate: Rate, now_s: float) -> float:
        """Let it happen and return 0, or return the seconds to wait for that."""
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(rate)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        bucket.rate = rate
        wait_s = bucket.take(now_s)
        if wait_s == 0.0:
            self._buckets.move_to_end(name)
        return wait_s

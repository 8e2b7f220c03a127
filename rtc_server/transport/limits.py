"""Rate limits for datagrams. Pure: time is an argument."""

from collections import OrderedDict
from typing import Final, TypeAlias

Source: TypeAlias = tuple[str, int]
"""Address and port that a datagram came from."""

TRUSTED_PER_S: Final = 600.0
"""Datagrams a second from an address that passed ICE: 10 ms packets, RTCP, data and room."""
STRANGER_PER_S: Final = 50.0
"""Datagrams a second from one unknown address: connectivity checks and their repeats."""
STRANGERS_PER_S: Final = 200.0
"""Datagrams a second from all unknown addresses of one session together."""
MAX_STRANGERS: Final = 64
"""Unknown addresses remembered; the longest silent one is forgotten first."""


class TokenBucket:
    """Allows `per_s` events a second, and twice that at once after a pause."""

    __slots__ = ("_burst", "_last_s", "_per_s", "_tokens")

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._burst = 2 * per_s
        self._tokens = self._burst
        self._last_s: float | None = None

    def allows(self, now_s: float) -> bool:
        """Take one token, if there is one."""
        if self._last_s is not None:
            self._tokens = min(self._burst, self._tokens + (now_s - self._last_s) * self._per_s)
        self._last_s = now_s
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class SourceLimiter:
    """Decides which datagrams of one session are looked at. Strangers cannot starve the peer."""

    def __init__(
        self, *, stranger_per_s: float = STRANGER_PER_S, strangers_per_s: float = STRANGERS_PER_S
    ) -> None:
        self._stranger_per_s = stranger_per_s
        self._trusted = TokenBucket(TRUSTED_PER_S)
        self._strangers = TokenBucket(strangers_per_s)
        self._stranger: OrderedDict[Source, TokenBucket] = OrderedDict()

    def allows(self, source: Source, *, trusted: bool, now_s: float) -> bool:
        """Whether a datagram from `source`, which has passed ICE or not, may be handled."""
        if trusted:
            return self._trusted.allows(now_s)
        bucket = self._stranger.get(source)
        if bucket is None:
            if len(self._stranger) == MAX_STRANGERS:
                self._stranger.popitem(last=False)
            bucket = self._stranger[source] = TokenBucket(self._stranger_per_s)
        self._stranger.move_to_end(source)
        return bucket.allows(now_s) and self._strangers.allows(now_s)

"""Rate limits for datagrams. Pure: time is an argument."""

from typing import Final, TypeAlias

from rtc_server.limits import Buckets, Rate, TokenBucket

Source: TypeAlias = tuple[str, int]
"""Address and port that a datagram came from."""

TRUSTED_PER_S: Final = 600.0
"""Datagrams per second from an address that passed ICE: enough for 10 ms packets, RTCP, events and
a reserve."""
STRANGER_PER_S: Final = 50.0
"""Datagrams per second from one unknown address: connectivity checks and their repeats."""
STRANGERS_PER_S: Final = 200.0
"""Datagrams per second from all unknown addresses of one session together."""
MAX_STRANGERS: Final = 64
"""Unknown addresses that are remembered; the one silent for longest is forgotten first."""


class SourceLimiter:
    """Rate limit of one session's datagrams. Unknown addresses cannot use up the peer's share."""

    def __init__(
        self, *, stranger_per_s: float = STRANGER_PER_S, strangers_per_s: float = STRANGERS_PER_S
    ) -> None:
        self._stranger_rate = _rate(stranger_per_s)
        self._trusted = TokenBucket(_rate(TRUSTED_PER_S))
        self._strangers = TokenBucket(_rate(strangers_per_s))
        self._each_stranger = Buckets[Source](MAX_STRANGERS)

    def allows(self, source: Source, *, trusted: bool, now_s: float) -> bool:
        """Return whether a datagram from `source`, which has passed ICE or not, may be handled."""
        if trusted:
            return not self._trusted.take(now_s)
        if self._each_stranger.take(source, self._stranger_rate, now_s):
            return False
        return not self._strangers.take(now_s)


def _rate(per_s: float) -> Rate:
    """Return a rate that allows two seconds' worth at once after a pause."""
    return Rate(2 * per_s, per_s)

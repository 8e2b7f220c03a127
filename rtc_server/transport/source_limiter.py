"""Rate limits for datagrams. Pure: time is an argument."""

from typing import Final, TypeAlias

from rtc_server.limits import Buckets, Rate, TokenBucket

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


class SourceLimiter:
    """Decides which datagrams of one session are looked at. Strangers cannot starve the peer."""

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
    """Return a rate that lets two seconds' worth come at once after a pause."""
    return Rate(2 * per_s, per_s)

"""Rates of requests: of each address, key and join link, whatever process of the server counts."""

from enum import StrEnum
from typing import Final, Protocol

from rtc_server.clock import Clock
from rtc_server.limits import Buckets, Rate


class Counted(StrEnum):
    """Kind of request whose rate is limited."""

    WRONG_KEYS = "wrong keys"
    """Of one address."""
    KEY_REQUESTS = "requests of a key"
    LINK_REQUESTS = "requests with a join link"
    PAGE_SECRETS = "secrets of the page"
    """Of one address."""
    ROOM_LINKS = "links of rooms"
    """Of one caller, as the two that follow."""
    TRANSCRIPTS = "transcripts"
    CATALOGUE = "catalogue"


REMEMBERED: Final = {Counted.KEY_REQUESTS: 10_000}
REMEMBERED_ELSE: Final = 4096
"""Addresses, keys or callers whose rate is remembered, of each kind."""


class RequestRates(Protocol):
    """Counters that all processes of a server share. `who` has a rate of its own for each kind."""

    async def take(self, counted: Counted, who: str, rate: Rate) -> float:
        """Count one and return 0, or return the seconds to wait for that. Raises `NotReady`."""

    async def wait_s(self, counted: Counted, who: str, rate: Rate) -> float:
        """Return the seconds until one may come, 0 for now. Counts nothing. Raises `NotReady`."""


class OwnRates:
    """Counters of this process; implements `RequestRates`, and never waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets = {
            each: Buckets[str](REMEMBERED.get(each, REMEMBERED_ELSE)) for each in Counted
        }

    async def take(self, counted: Counted, who: str, rate: Rate) -> float:
        """See `RequestRates.take`."""
        return self.take_now(counted, who, rate)

    async def wait_s(self, counted: Counted, who: str, rate: Rate) -> float:
        """See `RequestRates.wait_s`."""
        return self.wait_now_s(counted, who, rate)

    def take_now(self, counted: Counted, who: str, rate: Rate) -> float:
        """Do as `take`."""
        return self._buckets[counted].take(who, rate, self._clock())

    def wait_now_s(self, counted: Counted, who: str, rate: Rate) -> float:
        """Do as `wait_s`."""
        return self._buckets[counted].wait_s(who, rate, self._clock())

"""Rate at which one caller may ask for something that is work."""

import math

from aiohttp import web

from rtc_server.errors import RateLimited
from rtc_server.limits import Rate
from rtc_server.signaling.auth import caller_of
from rtc_server.signaling.proxies import source_of
from rtc_server.signaling.request_rates import Counted, RequestRates


class CallerRate:
    """A rate for each key or client secret at each address; without either, for each address."""

    def __init__(self, counted: Counted, rate: Rate, rates: RequestRates) -> None:
        self._counted, self._rate, self._rates = counted, rate, rates

    async def take(self, request: web.Request) -> None:
        """Count a request. Raises `RateLimited` beyond the rate."""
        caller = caller_of(request)
        who = caller.secret.id if caller.secret is not None else caller.owner.key
        name = f"{who} {source_of(request.remote)}"
        if wait_s := await self._rates.take(self._counted, name, self._rate):
            raise RateLimited(
                "This is requested too often. Keep the answer, or wait a moment.", math.ceil(wait_s)
            )

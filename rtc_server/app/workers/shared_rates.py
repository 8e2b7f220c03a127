"""Rates of requests in a worker: the supervisor counts for all, with one request each time."""

from rtc_server.app.workers.control import ControlChannel, Fields
from rtc_server.app.workers.shared_admission import request_supervisor
from rtc_server.limits import Rate
from rtc_server.signaling.request_rates import Counted, OwnRates


class SharedRates:
    """Implementation of `RequestRates` that sends each request to the supervisor."""

    def __init__(self, channel: ControlChannel) -> None:
        self._channel = channel

    async def take(self, counted: Counted, who: str, rate: Rate) -> float:
        """See `RequestRates.take`."""
        return await self._request(counted, who, rate, takes=True)

    async def wait_s(self, counted: Counted, who: str, rate: Rate) -> float:
        """See `RequestRates.wait_s`."""
        return await self._request(counted, who, rate, takes=False)

    async def _request(self, counted: Counted, who: str, rate: Rate, *, takes: bool) -> float:
        answer = await request_supervisor(
            self._channel,
            "rate",
            counted=counted.value,
            who=who,
            burst=rate.burst,
            per_second=rate.per_second,
            takes=takes,
        )
        wait_s: float = answer["wait_s"]
        return wait_s


def answer_rate(rates: OwnRates, fields: Fields) -> Fields:
    """Answer ``rate`` in the supervisor, from the counters of all workers."""
    count = rates.take_now if fields["takes"] else rates.wait_now_s
    rate = Rate(fields["burst"], fields["per_second"])
    return {"wait_s": count(Counted(fields["counted"]), fields["who"], rate)}

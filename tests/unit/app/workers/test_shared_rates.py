"""Rates of requests that several workers share."""

import pytest

from rtc_server.app.workers.control import ControlChannel, Fields
from rtc_server.app.workers.shared_rates import SharedRates, answer_rate
from rtc_server.errors import NotReady
from rtc_server.limits import Rate
from rtc_server.signaling.request_rates import Counted, OwnRates

TWO = Rate(burst=2, per_second=0.5)


class RateChannel(ControlChannel):
    """A control channel without a socket."""

    def __init__(self, whole: OwnRates) -> None:
        super().__init__({})
        self._whole = whole

    async def request(self, kind: str, /, **fields: object) -> Fields:
        assert kind == "rate"
        return answer_rate(self._whole, fields)


async def test_what_one_worker_counts_the_others_see() -> None:
    now_s = 0.0
    whole = OwnRates(lambda: now_s)
    one, two = (SharedRates(RateChannel(whole)) for _ in range(2))
    assert await one.take(Counted.WRONG_KEYS, "192.0.2.1", TWO) == 0
    assert await two.take(Counted.WRONG_KEYS, "192.0.2.1", TWO) == 0
    assert await one.take(Counted.WRONG_KEYS, "192.0.2.1", TWO) == 2
    assert await two.wait_s(Counted.WRONG_KEYS, "192.0.2.1", TWO) == 2
    assert await one.take(Counted.WRONG_KEYS, "192.0.2.2", TWO) == 0  # somebody else's
    assert await one.take(Counted.CATALOGUE, "192.0.2.1", TWO) == 0  # of another kind
    now_s = 2.0
    assert await two.wait_s(Counted.WRONG_KEYS, "192.0.2.1", TWO) == 0
    assert await two.take(Counted.WRONG_KEYS, "192.0.2.1", TWO) == 0


async def test_nothing_passes_uncounted_while_the_supervisor_is_gone() -> None:
    channel = ControlChannel({})
    await channel.close()
    with pytest.raises(NotReady):
        await SharedRates(channel).take(Counted.KEY_REQUESTS, "key", TWO)

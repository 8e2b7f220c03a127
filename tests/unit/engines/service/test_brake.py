"""Time in which an engine rests from partials."""

import asyncio

import numpy as np
import pytest

from rtc_server.engines.base import AstRequest
from rtc_server.engines.service.brake import PartialsBrake
from rtc_server.pcm import SPEECH_RATE
from tests.support.virtual_engine import Machine, virtual_service


def test_the_rest_is_as_long_as_the_partials_took() -> None:
    brake = PartialsBrake()
    assert brake.rest_s(now_s=5.0) == 0.0
    brake.served(took_s=0.4, now_s=10.4)
    assert brake.rest_s(now_s=10.4) == pytest.approx(0.4)
    assert brake.rest_s(now_s=10.7) == pytest.approx(0.1)
    assert brake.rest_s(now_s=10.8) == 0.0


async def test_an_alarm_ends_the_rest_where_something_waits() -> None:
    partial = AstRequest(np.zeros(SPEECH_RATE, np.float32), "ru", "en", partial=True)
    now_s = asyncio.get_running_loop().time
    async with virtual_service(Machine(s_per_call=0.4, s_per_audio_s=0.0)) as (service, _):
        [lane] = service._lanes
        began_s = now_s()
        assert await service.submit_partial(partial, session_id="a")
        await asyncio.sleep(0.1)
        assert lane._alarm is None, "nothing waits"
        assert await service.submit_partial(partial, session_id="b")
        assert lane._alarm is not None
        assert now_s() - began_s == pytest.approx(1.2), "a call, a rest and a call"

"""Finals that wait for calls that are slow but not hung, as on a busy machine."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from rtc_server.config import EngineSettings
from rtc_server.engines.base import AstRequest, AstResult
from rtc_server.engines.hang import CallLimits
from rtc_server.engines.service.pace import ServicePace
from rtc_server.errors import EngineTimeout
from rtc_server.pcm import SPEECH_RATE
from tests.support.fakes import AST_CAPABILITIES
from tests.support.virtual_engine import Machine, virtual_service

LAPTOP = replace(AST_CAPABILITIES, max_batch=1, deadline_s=10.0)
"""Capabilities whose limits permit a call of 8 s."""
SENTENCE = AstRequest(np.zeros(2 * SPEECH_RATE, np.float32), "ru", "en")


async def answers(
    machine: Machine, settings: EngineSettings
) -> tuple[AstResult | BaseException, ...]:
    """A partial, and two sentences that end while it is computed."""
    async with virtual_service(machine, settings) as (service, _):
        partial = service.submit_partial(replace(SENTENCE, partial=True), session_id="a")
        await asyncio.sleep(0.5)
        first = service.submit(SENTENCE, session_id="a")
        await asyncio.sleep(1.0)
        second = service.submit(SENTENCE, session_id="a")
        assert await partial is not None
        return await asyncio.gather(first, second, return_exceptions=True)


@pytest.mark.parametrize("call_s", [4.0, 8.0])
async def test_a_final_waits_for_slow_calls_to_end(call_s: float) -> None:
    machine = Machine(call_s, s_per_audio_s=0.0, capabilities=LAPTOP)
    texts = await answers(machine, EngineSettings())
    assert [type(each) for each in texts] == [AstResult, AstResult]


async def test_without_patience_it_does_not() -> None:
    machine = Machine(8.0, s_per_audio_s=0.0, capabilities=LAPTOP)
    texts = await answers(machine, EngineSettings(engine_patience_s=0.0))
    assert [type(each) for each in texts] == [EngineTimeout, EngineTimeout]


async def test_a_final_goes_before_partials_of_others() -> None:
    machine = Machine(1.0, s_per_audio_s=0.0, capabilities=LAPTOP)
    order: list[str] = []
    async with virtual_service(machine) as (service, _):

        async def ask(name: str) -> None:
            if name == "final":
                await service.submit(SENTENCE, session_id=name)
            else:
                await service.submit_partial(replace(SENTENCE, partial=True), session_id=name)
            order.append(name)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ask("under way"))
            await asyncio.sleep(0.1)
            tasks.create_task(ask("partial"))
            tasks.create_task(ask("final"))
    assert order == ["under way", "final", "partial"]


def test_a_call_is_slow_when_those_behind_it_would_not_get_their_turn() -> None:
    pace = ServicePace(wait_s=5.0)
    pace.begin(CallLimits(10.0, 10.1, 30.0), now_s=0.0)
    assert not pace.is_slow(2.5)
    assert pace.is_slow(2.6)
    pace.end(4.0)
    pace.begin(CallLimits(10.0, 10.1, 30.0), now_s=4.1)
    pace.end(5.0)
    assert pace.is_slow(13.9), "what waited behind it is not served yet"
    assert not pace.is_slow(14.1)

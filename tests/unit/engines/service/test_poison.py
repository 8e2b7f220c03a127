"""A segment that crashes its engine, and its effect on other sessions."""

import asyncio

import numpy as np
import pytest

from rtc_server.engines.base import AstRequest, AstResult
from rtc_server.engines.service import AstService
from rtc_server.errors import EngineCrashed, EngineError, SessionRefused
from rtc_server.pcm import SPEECH_RATE
from tests.support.virtual_engine import Machine, virtual_service


def machine(what: str) -> Machine:
    """Return a machine whose engine does `what` with audio of full level."""
    return Machine(start_s=2.0, spoils=lambda request: what if request.samples[0] == 1.0 else "")


def say(service: AstService, session_id: str, level: float = 0.0) -> asyncio.Future[AstResult]:
    samples = np.full(3 * SPEECH_RATE, level, np.float32)
    return service.submit(AstRequest(samples, "ru", "en"), session_id=session_id)


async def ten_sentences(
    service: AstService, session_id: str, level: float = 0.0
) -> list[AstResult | BaseException]:
    """Return the results of ten sentences, said one after the other."""

    async def sentence() -> AstResult:
        return await say(service, session_id, level)

    said = []
    for _ in range(10):
        said.append(asyncio.create_task(sentence()))
        await asyncio.sleep(3.2)
    return await asyncio.gather(*said, return_exceptions=True)


@pytest.mark.parametrize("what", ["crash", "raise"])
async def test_honest_callers_lose_nothing(what: str) -> None:
    engine = machine(what)
    async with virtual_service(engine) as (service, _), asyncio.TaskGroup() as tasks:
        culprit = tasks.create_task(ten_sentences(service, "poison", level=1.0))
        callers = [tasks.create_task(ten_sentences(service, name)) for name in "abc"]
    answers = [answer for caller in callers for answer in caller.result()]
    assert sum(isinstance(answer, AstResult) for answer in answers) == 30
    told = culprit.result()
    assert all(isinstance(answer, EngineError) for answer in told)
    assert max(engine.batches) == 4  # they did share their calls
    if what == "crash":
        assert [type(error) for error in told[:2]] == [EngineCrashed] * 2
        assert {type(error) for error in told[2:]} == {SessionRefused}
        assert "It is not tried again for 5 min" in str(told[2])
        assert engine.starts <= 5


async def test_partials_that_kill_are_found_too() -> None:
    engine = machine("crash")
    async with virtual_service(engine) as (service, _):
        samples = np.ones(SPEECH_RATE, np.float32)
        request = AstRequest(samples, "ru", "en", partial=True)
        for _ in range(2):
            good = service.submit_partial(
                AstRequest(0 * samples, "ru", "en", partial=True), session_id="good"
            )
            bad = service.submit_partial(request, session_id="bad")
            assert await bad is None
            await good
        bad = service.submit_partial(request, session_id="bad")
        assert await bad is None
        with pytest.raises(SessionRefused):
            service.submit_partial(request, session_id="bad")
        assert await say(service, "good")

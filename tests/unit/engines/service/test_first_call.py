"""The timed calls after an engine's start, by which admission knows what this machine needs."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest

from rtc_server.config import EngineSettings
from rtc_server.engines.base import AstCapabilities, AstRequest, EngineOptions
from rtc_server.engines.host import EngineHost
from rtc_server.engines.process import EngineProcess
from rtc_server.engines.service import TtsService, first_call
from rtc_server.engines.service.engine_costs import EngineCosts, LearnedCosts
from rtc_server.engines.service.first_call import time_calls
from rtc_server.engines.service.headroom import Headroom, ServedRequest
from rtc_server.errors import EngineCrashed, EngineError
from rtc_server.metrics import Metrics
from rtc_server.pcm import SPEECH_RATE
from tests.support import engine_fakes
from tests.support.crowd import GPU, HARDLY, IN_TIME, SLOW, TOO_SLOW, Bounds, Crowd
from tests.support.server_engines import TONE_S
from tests.support.until import until
from tests.support.virtual_engine import Machine, virtual_service


def fresh(machine: Machine) -> Machine:
    return replace(machine, batches=[], starts=0)


def once() -> AstRequest:
    """Return a request about a sentence of 3 s."""
    return AstRequest(np.zeros(3 * SPEECH_RATE, np.float32), "ru", "en")


def restarts(metrics: Metrics, kind: str) -> float:
    """Return the restarts of an engine, whatever the cause."""
    [family] = [each for each in metrics.registry.collect() if each.name == "rtc_engine_restarts"]
    samples = [each for each in family.samples if each.name == "rtc_engine_restarts_total"]
    return sum(each.value for each in samples if each.labels["kind"] == kind)


async def nothing_to_serve(_process: EngineProcess) -> bool:
    """Return False: there is no call to make."""
    return False


def test_engines_of_tests_know_this_call() -> None:
    assert engine_fakes.FIRST_TEXT == first_call.TEXT
    for size in (1600, round(first_call.SPEECH_S * SPEECH_RATE)):
        for number in range(first_call.MOST_CALLS):
            samples = first_call.first_sound(size, number)
            assert engine_fakes.is_first([AstRequest(samples, "en", "ru")])
        assert not engine_fakes.is_first([AstRequest(samples[::-1], "en", "ru")])


@pytest.mark.parametrize("seed", [400, 401])
@pytest.mark.parametrize("bounds", [*IN_TIME, *TOO_SLOW])
async def test_who_comes_right_after_the_start_is_not_too_many(bounds: Bounds, seed: int) -> None:
    """The bounds are those of an engine that has answered (`test_headroom`)."""
    async with virtual_service(fresh(bounds.engine)) as (service, _):
        crowd = Crowd(service, seed, join_s=1.0)
        await crowd.gather()
    assert bounds.hold(crowd)


async def test_the_first_call_is_in_no_metric_and_of_no_session() -> None:
    machine = fresh(SLOW)
    async with virtual_service(machine) as (service, metrics):
        assert machine.batches == [1, 1]
        families = {family.name: family for family in metrics.registry.collect()}
        for name in ("rtc_engine_seconds", "rtc_engine_batch_size", "rtc_not_understood"):
            assert not any(sample.value for sample in families[name].samples), name
        assert service.retry_after_s == 0  # an engine without sessions takes one, however slow


async def test_an_engine_that_is_late_alone_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async with virtual_service(fresh(HARDLY)) as (service, _):
        [said] = [each for each in caplog.messages if "alone" in each]
        assert said == (
            "phrasebook answers a sentence of 3 s in about 1.8 s alone, above the goal of 1 s "
            "(--engine-answer-s): calls are admitted one at a time, and their answers come late."
        )
        service.expect("first")
        await service.submit(once(), session_id="first")
        assert service.retry_after_s > 0


@pytest.mark.parametrize(("engine", "limit_s"), [(SLOW, 1.0), (HARDLY, 2.0), (HARDLY, 0.0)])
async def test_an_engine_that_is_in_time_alone_is_not_named(
    engine: Machine, limit_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    settings = EngineSettings(engine_answer_s=limit_s)
    async with virtual_service(fresh(engine), settings):
        assert not any("alone" in each for each in caplog.messages)


def test_an_engine_that_was_not_called_is_not_late_alone() -> None:
    headroom = Headroom(0.1)
    assert not headroom.late_alone_s(3.0)
    headroom.assume(3.0, 0.4)
    assert headroom.late_alone_s(3.0) == pytest.approx(0.4, rel=0.05)


async def test_no_sound_is_translated_twice() -> None:
    """An engine that keeps transcripts, as the laptop's, answers at once when asked again."""
    asked: set[bytes] = set()

    def note(request: AstRequest) -> str:
        asked.add(request.samples.tobytes())
        return ""

    machine = replace(fresh(GPU), spoils=note)
    async with virtual_service(machine):
        assert len(machine.batches) == len(asked) == first_call.MOST_CALLS


def call_taking(times_s: Iterable[float]) -> Callable[[int], Awaitable[float]]:
    """Return a first call about 3 s of speech that takes the next of these times; 0: it fails."""
    left_s = iter(times_s)

    async def call(_number: int) -> float:
        await asyncio.sleep(took_s := next(left_s))
        if not took_s:
            raise EngineError("It fails.")
        return 3.0

    return call


@pytest.mark.parametrize(
    ("times_s", "quickest_s", "total_s"),
    [
        pytest.param([0.36, 0.17, 0.18, 0.13, 0.2], 0.13, 1.04, id="a loaded machine"),
        pytest.param([0.02, 0.02, 0.02, 0.02, 0.02], 0.02, 0.1, id="quick"),
        pytest.param([0.7, 0.4], 0.4, 1.1, id="loaded"),
        pytest.param([0.6, 0.6], 0.6, 1.2, id="slow"),
        pytest.param([3.0], 3.0, 3.0, id="very slow"),
        pytest.param([0.3, 0.0], 0.3, 0.3, id="fails later"),
    ],
)
async def test_the_quickest_of_few_calls_counts(
    times_s: list[float], quickest_s: float, total_s: float
) -> None:
    """No call more is made than these: their iterator would be at its end."""
    headroom, clock = Headroom(limit_s=1.0), asyncio.get_running_loop().time
    await time_calls(headroom, call_taking(times_s), clock)
    assert headroom._costs.current().of(1, 3.0) == pytest.approx(quickest_s, rel=0.02)
    assert clock() == pytest.approx(total_s)


async def test_a_machine_that_is_loaded_during_the_start_takes_those_who_come_at_once() -> None:
    """The times are those of a small Canary on two cores with much other work; see `time_calls`."""
    headroom, clock = Headroom(limit_s=1.0), asyncio.get_running_loop().time
    await time_calls(headroom, call_taking([0.44, 0.17, 0.18, 0.21, 0.17]), clock)
    for number in range(4):
        assert headroom.retry_after_s(0, 0.0, 2.0) == 0
        headroom.expect(str(number), 2.0)


@pytest.mark.parametrize("what", ["raise", "crash"])
async def test_an_engine_that_fails_at_its_first_call_is_used(what: str) -> None:
    machine = replace(fresh(GPU), spoils=lambda request: what if request.samples[0] else "")
    async with virtual_service(machine) as (service, metrics):
        for number in range(12):  # as many as one of which nothing is known
            assert service.retry_after_s == 0
            service.expect(str(number))
        silence = np.zeros(SPEECH_RATE, np.float32)
        assert await service.submit(AstRequest(silence, "ru", "en"), session_id="0")
        assert machine.starts == (2 if what == "crash" else 1)
        assert restarts(metrics, "ast") == 0, "it was never ready"


async def test_an_engine_that_is_killed_after_its_first_call_is_restarted() -> None:
    machine = replace(fresh(GPU), spoils=lambda request: "" if request.samples[0] else "crash")
    async with virtual_service(machine) as (service, metrics):
        silence = AstRequest(np.zeros(SPEECH_RATE, np.float32), "ru", "en")
        with pytest.raises(EngineCrashed):
            await service.submit(silence, session_id="0")
        await asyncio.sleep(60.0)
        assert service.ready
        assert restarts(metrics, "ast") == 1


@pytest.mark.real_time
async def test_a_process_that_is_killed_during_its_first_call_is_replaced() -> None:
    metrics = Metrics()
    host = EngineHost(
        kind="ast",
        name="tests.support.engine_fakes:ast",
        options=EngineOptions(),
        start_s=60.0,
        metrics=metrics,
        serve=nothing_to_serve,
    )
    killed: list[int] = []

    async def kill(process: EngineProcess) -> None:
        killed.append(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        await until(lambda: not process.alive)

    await host.start(AstCapabilities, kill)
    try:
        await until(lambda: host.ready)
        assert host._process is not None
        assert host._process.pid != killed[0]
        assert restarts(metrics, "ast") == 0
    finally:
        await host.close()


async def test_an_engine_without_languages_starts() -> None:
    machine = replace(fresh(GPU), capabilities=replace(GPU.capabilities, pairs=()))
    async with virtual_service(machine) as (service, _):
        assert (service.ready, machine.batches) == (True, [])


@pytest.mark.real_time
@pytest.mark.parametrize("voice", ["endless", "mute"])
async def test_a_voice_that_does_not_end_or_has_no_language_is_ready_all_the_same(
    voice: str,
) -> None:
    service = TtsService(
        f"tests.support.server_engines:{voice}", EngineOptions(), EngineSettings(), Metrics()
    )
    await service.start()
    try:
        assert service.ready
        assert service._headroom._costs._first is None
    finally:
        await service.close()


def test_of_several_processes_the_quickest_counts() -> None:
    costs = LearnedCosts(EngineCosts(0.0, 0.05, 0.05))
    for took_s in (0.9, 0.3, 0.6):
        costs.assume(3.0, took_s)
    assert costs.current().of(1, 3.0) == pytest.approx(0.3, abs=0.01)


def test_a_call_for_somebody_replaces_the_first() -> None:
    headroom = Headroom(limit_s=1.0)
    headroom.assume(3.0, 0.9)
    headroom.add([ServedRequest("a", 0.0, 3.0)], 0.1, 1, 0.0)
    assert headroom._costs.current().of(1, 3.0) == pytest.approx(0.1, abs=0.01)


@pytest.mark.real_time
async def test_a_voice_is_timed_by_the_speech_that_it_makes() -> None:
    service = TtsService(
        "tests.support.server_engines:tones", EngineOptions(), EngineSettings(), Metrics()
    )
    await service.start()
    try:
        assert service._headroom._costs._first is not None
        _, _, speech_s, took_s = service._headroom._costs._first
    finally:
        await service.close()
    assert speech_s == TONE_S
    assert took_s > 0.0

"""Admission by the answers that every session would get with one session more."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from rtc_server.config import EngineSettings
from rtc_server.engines.base import AstRequest
from rtc_server.engines.service.headroom import Headroom, ServedRequest
from rtc_server.errors import EngineCrashed
from rtc_server.pcm import SPEECH_RATE
from tests.support.crowd import (
    GPU,
    IN_TIME,
    PHRASEBOOK,
    TOO_SLOW,
    WITH_PARTIALS,
    Bounds,
    Crowd,
    crowd_of,
    machine,
)
from tests.support.fakes import AST_CAPABILITIES
from tests.support.virtual_engine import Machine, virtual_service

LIMIT_S = 1.0
PAIRS = ("ru", "en"), ("ru", "crash")
SEEDS = [400, 401, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(402, 408))]
"""Seeds of what people say, chosen before any of them was tried."""
PARTIALS_SEEDS = [500, 501, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (502, 504))]
"""Seeds of the same where they ask for partials, too. By 503 the only session that the slowest
engine is given waits 1.13 s; nobody else is admitted to it."""


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("join_s", [5.0, 1.0])
@pytest.mark.parametrize("bounds", [*IN_TIME, *TOO_SLOW])
async def test_nobody_is_admitted_who_would_make_answers_late(
    bounds: Bounds, join_s: float, seed: int
) -> None:
    assert bounds.hold(await crowd_of(bounds.engine, join_s, seed))


@pytest.mark.parametrize("seed", PARTIALS_SEEDS)
@pytest.mark.parametrize("join_s", [5.0, 1.0])
@pytest.mark.parametrize("bounds", WITH_PARTIALS)
async def test_calls_about_partials_count_as_a_wait(
    bounds: Bounds, join_s: float, seed: int
) -> None:
    assert bounds.hold(await crowd_of(bounds.engine, join_s, seed, partials=True))


@pytest.mark.parametrize("engine", [PHRASEBOOK, GPU], ids=["phrasebook", "gpu"])
async def test_a_quick_engine_refuses_nobody(engine: Machine) -> None:
    crowd = await crowd_of(engine, 5.0, 400)
    assert (crowd.admitted, crowd.refused) == (60, 0)
    assert crowd.p95_s <= 0.3


@pytest.mark.parametrize(
    ("engine", "least", "most"),
    [
        pytest.param(PHRASEBOOK, 105, 122, id="phrasebook"),
        pytest.param(GPU, 290, 300, id="gpu"),
    ],
)
async def test_a_quick_engine_is_filled(engine: Machine, least: int, most: int) -> None:
    crowd = await crowd_of(engine, 1.0, 400)
    assert least <= crowd.admitted <= most
    assert crowd.p95_s <= LIMIT_S


async def test_nobody_is_refused_without_a_limit() -> None:
    settings = EngineSettings(engine_answer_s=0.0)
    async with virtual_service(machine(0.1, 0.16, 1), settings) as (service, _):
        crowd = Crowd(service)
        await crowd.gather()
    assert crowd.refused == 0
    assert crowd.p95_s > 3.0


def headroom_of_an_engine_for_few() -> Headroom:
    """Headroom of an engine that takes 0.2 s for a second of speech."""
    headroom = Headroom(limit_s=1.0)
    for number in range(4):
        headroom.add(
            [ServedRequest("once", 0.0, 2.0 + number)], 0.4 + 0.2 * number, 1, float(number)
        )
    headroom.forget("once")
    return headroom


def admitted(headroom: Headroom, now_s: float) -> int:
    """Admit whom it takes in one moment; return how many that was."""
    for number in range(50):
        if headroom.retry_after_s(0, 0.0, now_s):
            return number
        headroom.expect(f"{now_s} {number}", now_s)
    return 50


def test_who_was_admitted_counts_before_they_speak() -> None:
    headroom = headroom_of_an_engine_for_few()
    assert 1 <= admitted(headroom, 10.0) <= 3
    assert headroom.retry_after_s(0, 0.0, 69.0) > 0


def test_an_engine_that_was_not_called_yet_is_given_what_a_laptop_carries() -> None:
    assert 12 <= admitted(Headroom(limit_s=1.0), 0.0) <= 16


def test_a_newcomer_who_never_speaks_counts_for_a_minute() -> None:
    headroom = headroom_of_an_engine_for_few()
    few = admitted(headroom, 10.0)
    assert admitted(headroom, 71.0) == few


def test_a_newcomer_who_leaves_gives_the_room_back() -> None:
    headroom = headroom_of_an_engine_for_few()
    few = admitted(headroom, 10.0)
    headroom.forget("10.0 0")
    assert admitted(headroom, 11.0) == 1
    assert few >= 1


def test_newcomers_are_bounded() -> None:
    headroom = Headroom(limit_s=1.0)
    for number in range(10_000):
        headroom.expect(str(number), 0.0)
    assert len(headroom._newcomers) == 4096


def test_who_speaks_seldom_is_no_newcomer_each_time() -> None:
    headroom = Headroom(limit_s=1.0)
    for sentence in range(4):  # of ten quiet sessions, all at once
        for number in range(10):
            headroom.add([ServedRequest(str(number), 0.0, 3.0)], 0.3, 1, 25.0 * sentence)
    assert headroom.retry_after_s(0, 0.0, 75.1) == 0


def test_a_call_that_hung_says_nothing_of_what_calls_cost() -> None:
    few = admitted(headroom_of_an_engine_for_few(), 60.0)
    headroom = headroom_of_an_engine_for_few()
    headroom.add([ServedRequest("once", 0.0, 3.0)], 30.0, 1, 34.0, completed=False)
    assert headroom.retry_after_s(0, 0.0, 34.0) > 0, "its answer was late all the same"
    headroom.forget("once")
    assert admitted(headroom, 60.0) == few > 0


async def test_a_call_that_close_ends_says_nothing_of_what_calls_cost() -> None:
    async with virtual_service(Machine()) as (service, _):
        samples = np.zeros(SPEECH_RATE, np.float32)
        service.submit(AstRequest(samples, "ru", "en"), session_id="a")
        await asyncio.sleep(0.01)
        await service.close()
        assert service._headroom._costs.calls == 0


async def test_only_calls_with_an_answer_say_what_calls_cost() -> None:
    def spoils(request: AstRequest) -> str:
        return "crash" if request.target_language == "crash" else ""

    engine = Machine(capabilities=replace(AST_CAPABILITIES, pairs=PAIRS), spoils=spoils)
    async with virtual_service(engine) as (service, _):
        samples = np.zeros(SPEECH_RATE, np.float32)
        with pytest.raises(EngineCrashed):
            await service.submit(AstRequest(samples, "ru", "crash"), session_id="a")
        assert service._headroom._costs.calls == 0
        await asyncio.sleep(60)
        await service.submit(AstRequest(samples, "ru", "en"), session_id="b")
        assert service._headroom._costs.calls == 1


def test_a_call_that_ends_after_its_session_leaves_nothing() -> None:
    headroom = Headroom(limit_s=1.0)
    for number in range(100):
        headroom.forget(str(number))
        headroom.add([ServedRequest(str(number), 0.0, 3.0)], 0.3, 1, float(number))
    headroom.add([ServedRequest("stays", 0.0, 3.0)], 0.3, 1, 170.0)
    assert list(headroom._asked_s) == ["stays"]


def test_calls_about_partials_say_what_they_cost() -> None:
    """Segments alone, of 0.1 s each, do not say that four partials take no longer than one."""

    def carried(another_s: float) -> int:
        headroom = Headroom(limit_s=1.0)
        for number in range(20):
            headroom.add([ServedRequest("once", 0.0, 1.5 + number / 8)], 0.1, 4, float(number))
            count = 1 + number % 4
            partials = [ServedRequest(str(each), 0.0, 2.0, partial=True) for each in range(count)]
            headroom.add(partials, 0.1 + another_s * (count - 1), 4, float(number))
        headroom.forget("once")
        return admitted(headroom, 30.0)

    assert carried(0.0) > carried(0.1) > carried(0.3)


def test_calls_too_short_for_the_clock_are_no_load() -> None:
    headroom = Headroom(limit_s=1.0)
    headroom.add([ServedRequest("a", 0.0, 3.0)], 0.0, 1, 0.0)
    assert headroom.retry_after_s(0, 0.0, 1.0) == 0


def test_the_load_of_a_session_goes_with_it() -> None:
    headroom = Headroom(limit_s=1.0)
    for second in range(10):
        headroom.add([ServedRequest("a", 0.0, 3.0)], 0.5, 1, float(second))
        headroom.add([ServedRequest("b", 0.2, 3.0)], 0.2, 1, second + 0.4)
    assert headroom.retry_after_s(0, 0.0, 9.5) > 0
    headroom.forget("a")
    assert headroom.retry_after_s(0, 0.0, 9.5) == 0


def test_old_calls_count_no_longer() -> None:
    headroom = Headroom(limit_s=1.0)
    for second in range(10):
        headroom.add([ServedRequest("a", 2.0, 3.0)], 0.9, 1, float(second))
    assert headroom.retry_after_s(0, 0.0, 9.5) == 5
    assert headroom.retry_after_s(4, 0.0, 9.5) == 8, "as long as the queue takes to empty"
    assert headroom.retry_after_s(0, 0.0, 30.0) == 0


def test_what_waits_is_late_before_anything_was_answered() -> None:
    headroom = Headroom(limit_s=1.0)
    assert headroom.retry_after_s(1, 0.9, 0.0) == 0
    assert headroom.retry_after_s(1, 1.1, 0.0) > 0


def test_processes_that_share_a_queue_carry_more() -> None:
    def refused(processes: int) -> bool:
        headroom = Headroom(limit_s=1.0, processes=processes)
        for second in range(20):
            headroom.add([ServedRequest(f"s{second % 4}", 0.0, 3.0)], 0.4, 1, second / 2)
        return headroom.retry_after_s(0, 0.0, 10.0) > 0

    assert (refused(1), refused(2)) == (True, False)

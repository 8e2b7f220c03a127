"""Admission by the answers that every session would get with one session more."""

import asyncio
import math
import random
from dataclasses import replace

import numpy as np
import pytest

from rtc_server.config import EngineSettings
from rtc_server.engines.base import AstRequest
from rtc_server.engines.service import AstService
from rtc_server.engines.service.headroom import Headroom
from rtc_server.errors import EngineTimeout
from rtc_server.pcm import SPEECH_RATE
from tests.support.fakes import AST_CAPABILITIES
from tests.support.virtual_engine import Machine, virtual_service

JOIN_S = 5.0
"""Time between two newcomers."""
MINUTES = 5


def machine(call_s: float, s_per_audio_s: float, batch: int) -> Machine:
    return Machine(call_s, s_per_audio_s, capabilities=replace(AST_CAPABILITIES, max_batch=batch))


class Crowd:
    """People who come one after the other and speak sentences of 1.5 to 5 s until the end."""

    def __init__(self, service: AstService, seed: int = 0) -> None:
        self._service, self._seed = service, seed
        self.admitted = 0
        self.refused = 0
        self.answers_s: list[float] = []

    async def gather(self) -> None:
        """Let people come for `MINUTES`."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + 60 * MINUTES
        async with asyncio.TaskGroup() as tasks:
            while loop.time() < until_s:
                if self._service.retry_after_s:
                    self.refused += 1
                else:
                    self.admitted += 1
                    tasks.create_task(self._speak(self.admitted, until_s))
                await asyncio.sleep(JOIN_S)

    async def _speak(self, number: int, until_s: float) -> None:
        loop, chance = asyncio.get_running_loop(), random.Random(1000 * self._seed + number)
        async with asyncio.TaskGroup() as tasks:
            while loop.time() < until_s:
                length_s = chance.uniform(1.5, 5.0)
                await asyncio.sleep(length_s)
                tasks.create_task(self._ask(str(number), length_s))
                await asyncio.sleep(chance.uniform(0.6, 3.5))

    async def _ask(self, session_id: str, length_s: float) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        samples = np.zeros(round(length_s * SPEECH_RATE), np.float32)
        try:
            await self._service.submit(AstRequest(samples, "ru", "en"), session_id=session_id)
        except EngineTimeout:
            self.answers_s.append(math.inf)
        else:
            self.answers_s.append(loop.time() - began_s)

    @property
    def p95_s(self) -> float:
        ordered = sorted(self.answers_s)
        return ordered[math.ceil(0.95 * len(ordered)) - 1]


@pytest.mark.parametrize("seed", [0, 2])
@pytest.mark.parametrize(
    ("engine", "least", "most_s"),
    [
        pytest.param(machine(0.03, 0.01, 4), 60, 0.3, id="phrasebook"),
        pytest.param(machine(0.05, 0.05, 1), 12, 1.0, id="laptop"),
        pytest.param(machine(0.05, 0.07, 4), 10, 1.1, id="some at once"),
        pytest.param(machine(0.10, 0.16, 1), 2, 1.3, id="slow laptop"),
        pytest.param(machine(0.02, 0.12, 4), 3, 1.3, id="batches that take as long as their parts"),
        pytest.param(machine(0.30, 0.50, 1), 1, 4.1, id="hardly quicker than speech"),
    ],
)
async def test_nobody_is_admitted_who_would_make_answers_late(
    engine: Machine, least: int, most_s: float, seed: int
) -> None:
    """An answer is late after a second. docs/scaling.md states the share of late answers."""
    async with virtual_service(engine) as (service, _):
        crowd = Crowd(service, seed)
        await crowd.gather()
    assert crowd.p95_s <= most_s
    assert crowd.admitted >= least


async def test_a_gpu_that_answers_many_at_once_is_filled() -> None:
    """A call takes 100 ms, for one sentence as for sixteen."""
    async with virtual_service(machine(0.1, 0.0, 16)) as (service, _):
        crowd = Crowd(service)
        await crowd.gather()
    assert crowd.refused == 0
    assert crowd.p95_s <= 0.3


async def test_nobody_is_refused_without_a_limit() -> None:
    settings = EngineSettings(engine_answer_s=0.0)
    async with virtual_service(machine(0.1, 0.16, 1), settings) as (service, _):
        crowd = Crowd(service)
        await crowd.gather()
    assert crowd.refused == 0
    assert crowd.p95_s > 3.0


def test_who_speaks_seldom_is_no_newcomer_each_time() -> None:
    headroom = Headroom(limit_s=1.0)
    for sentence in range(4):  # of ten quiet sessions, all at once
        for number in range(10):
            headroom.add([(str(number), 0.0)], 0.3, 1, 25.0 * sentence)
    assert headroom.retry_after_s(0, 0.0, 75.1) == 0


def test_calls_too_short_for_the_clock_are_no_load() -> None:
    headroom = Headroom(limit_s=1.0)
    headroom.add([("a", 0.0)], 0.0, 1, 0.0)
    assert headroom.retry_after_s(0, 0.0, 1.0) == 0


def test_the_load_of_a_session_goes_with_it() -> None:
    headroom = Headroom(limit_s=1.0)
    for second in range(10):
        headroom.add([("a", 0.0)], 0.5, 1, float(second))
        headroom.add([("b", 0.2)], 0.2, 1, second + 0.4)
    assert headroom.retry_after_s(0, 0.0, 9.5) > 0
    headroom.forget("a")
    assert headroom.retry_after_s(0, 0.0, 9.5) == 0


def test_old_calls_count_no_longer() -> None:
    headroom = Headroom(limit_s=1.0)
    for second in range(10):
        headroom.add([("a", 2.0)], 0.9, 1, float(second))
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
            headroom.add([(f"s{second % 4}", 0.0)], 0.4, 1, second / 2)
        return headroom.retry_after_s(0, 0.0, 10.0) > 0

    assert (refused(1), refused(2)) == (True, False)

"""One translation engine shared by sessions: those that ask for little are served, whatever the
others ask for.
"""

import asyncio
from collections import Counter

import numpy as np

from rtc_server.engines.base import AstRequest
from rtc_server.engines.service import AstService
from rtc_server.errors import EngineError
from rtc_server.pcm import SPEECH_RATE
from tests.support.virtual_engine import Machine, virtual_service


class Callers:
    """Sessions that speak, each in its own way, and the outcome of their sentences."""

    def __init__(self, service: AstService) -> None:
        self._service = service
        self.answered: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.longest_s = 0.0
        """Longest wait of an honest caller."""

    async def say(self, session_id: str, seconds: float) -> None:
        """Submit a sentence, as the interpreter does at the end of a segment."""
        loop = asyncio.get_running_loop()
        asked_s = loop.time()
        request = AstRequest(np.zeros(round(seconds * SPEECH_RATE), np.float32), "ru", "en")
        try:
            await self._service.submit(request, session_id=session_id)
        except EngineError:
            self.failed[session_id] += 1
        else:
            self.answered[session_id] += 1
        if session_id == "honest":
            self.longest_s = max(self.longest_s, loop.time() - asked_s)

    async def talk(self, session_id: str, sentences: int, seconds: float, pause_s: float) -> None:
        """Say one sentence after the other, each spoken before it is translated. Sessions begin at
        different times, by their names.
        """
        await asyncio.sleep((sum(session_id.encode()) % 12) * 0.27)
        async with asyncio.TaskGroup() as said:
            for _ in range(sentences):
                await asyncio.sleep(seconds + pause_s)
                said.create_task(self.say(session_id, seconds))

    async def chop(self, session_id: str, for_s: float) -> None:
        """Commit every 100 ms, with as many requests in progress as a session may have."""
        under_way = asyncio.Semaphore(8)

        async def snippet() -> None:
            async with under_way:
                await self.say(session_id, 0.1)

        async with asyncio.TaskGroup() as said:
            for _ in range(round(for_s * 10)):
                await asyncio.sleep(0.1)
                if not under_way.locked():
                    said.create_task(snippet())


async def test_ten_sessions_that_chop_their_speech_take_nothing_from_an_honest_one() -> None:
    machine = Machine(s_per_call=0.2)
    async with virtual_service(machine) as (service, _):
        callers = Callers(service)
        async with asyncio.TaskGroup() as tasks:
            for number in range(10):
                tasks.create_task(callers.chop(f"chops{number}", 40.0))
            tasks.create_task(callers.talk("honest", 5, 3.0, 4.0))
    assert callers.answered["honest"] == 5
    assert callers.longest_s < 1.8
    assert sum(callers.failed.values()) > 0  # there was more work than the machine could do
    assert machine.starts == 1


async def test_forty_five_that_speak_without_end_take_nothing_from_an_honest_one() -> None:
    machine = Machine()  # it can serve some 17 of them
    async with virtual_service(machine) as (service, metrics):
        callers = Callers(service)
        async with asyncio.TaskGroup() as tasks:
            for number in range(45):
                tasks.create_task(callers.talk(f"speaks{number}", 20, 3.0, 0.2))
            tasks.create_task(callers.talk("honest", 6, 3.0, 9.0))
        restarts = metrics.registry.get_sample_value(
            "rtc_engine_restarts_total", {"kind": "ast", "cause": "timeout"}
        )
    assert callers.answered["honest"] == 6
    assert callers.longest_s < 1.8
    assert sum(callers.failed.values()) > 0
    assert restarts == 0
    shares = [callers.answered[f"speaks{number}"] for number in range(45)]
    assert max(shares) - min(shares) <= 3  # the others share what is left


async def test_new_sessions_are_refused_while_the_machine_has_all_it_can_do() -> None:
    async with virtual_service(Machine()) as (service, _):
        callers = Callers(service)
        assert service.retry_after_s == 0
        async with asyncio.TaskGroup() as tasks:
            for number in range(45):
                tasks.create_task(callers.talk(f"speaks{number}", 8, 3.0, 0.2))
            await asyncio.sleep(20.0)
            refused_s = service.retry_after_s
        await asyncio.sleep(21.0)
        assert 5 <= refused_s <= 30  # as long as the queue takes to empty
        assert service.retry_after_s == 0


async def test_a_machine_that_carries_its_sessions_takes_more() -> None:
    async with virtual_service(Machine()) as (service, _):
        callers = Callers(service)
        async with asyncio.TaskGroup() as tasks:
            for number in range(6):
                tasks.create_task(callers.talk(f"speaks{number}", 8, 3.0, 0.2))
            for _ in range(20):
                await asyncio.sleep(1.0)
                assert service.retry_after_s == 0
        assert not callers.failed


async def test_three_minutes_at_load_ten_lose_nothing() -> None:
    machine = Machine(s_per_call=0.5, share=0.1)  # 7 s for a sentence of 3 s
    async with virtual_service(machine) as (service, _):
        callers = Callers(service)
        async with asyncio.TaskGroup() as tasks:
            for session_id in ("a", "b"):
                tasks.create_task(callers.talk(session_id, 18, 3.0, 7.0))
            await asyncio.sleep(20.0)
            while not service.retry_after_s:  # noqa: ASYNC110 (in virtual time)
                await asyncio.sleep(1.0)  # no more are admitted while calls are so late
    assert callers.answered == {"a": 18, "b": 18}
    assert machine.starts == 1

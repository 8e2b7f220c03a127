"""An hour of calls on workers that are killed and replaced: growth of the supervisor."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from rtc_server.app.workers.codec import claimant_json
from rtc_server.app.workers.control import ChannelClosed, Fields
from rtc_server.app.workers.placement import Target, session_prefix
from rtc_server.background import beside
from rtc_server.session.session_api import Claimant
from tests.support.until import until
from tests.support.worker_processes import Crew, FakeProcess

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]

HOUR_S = 3600.0
WORKERS = 3
CALLERS = 20
SEED = 20


@dataclass
class Worker:
    """Sessions of one process, as the supervisor's messages and its own make them."""

    process: FakeProcess
    number: int
    places: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    sessions: dict[str, int] = field(default_factory=dict)
    """Place of each session."""
    is_retired: bool = False

    def send(self, kind: str, **_fields: Any) -> None:
        self.is_retired = self.is_retired or kind == "retire"

    async def request(self, kind: str, **fields: Any) -> Fields:
        await asyncio.sleep(0.05)
        if self.process.gone.is_set():
            raise ChannelClosed
        assert kind == "take_over"
        self._opened(fields["record"]["session"])
        return {}

    def open(self) -> str:
        """Begin a session; return an empty text if it is refused."""
        session = f"{session_prefix(self.number)}{next(self.places)}"
        place = next(self.places)
        claimant = claimant_json(Claimant())
        claim = {"kind": "SESSION", "claimant": claimant, "place": place, "busy_s": 0}
        answer = self.process.handlers["claim"](claim)
        assert isinstance(answer, dict)
        if "usage" not in answer:
            return ""
        self._opened(session, place)
        self.process.handlers["place"]({"place": place, "state": "CONNECTED"})
        return session

    def close(self, session: str) -> None:
        place = self.sessions.pop(session)
        self.process.handlers["closed"]({"session": session})
        self.process.handlers["end"]({"place": place})

    def _opened(self, session: str, place: int = 0) -> None:
        self.sessions[session] = place or next(self.places)
        times = {"began_s": 0.0, "end_s": 1e9, "expires_at": 0}
        opened = {"session": session, "place": self.sessions[session], "request": {}, **times}
        self.process.handlers["opened"](opened)


class Hour:
    """Callers, and faults of the workers that serve them."""

    def __init__(self, random: Random, crew: Crew) -> None:
        self._random, self._crew = random, crew
        self.workers: list[Worker] = []
        self.calls = self.moves = self.kills = self.replacements = 0

    async def warm(self) -> None:
        """Let each worker that was made accept calls after a while, and end once it is retired and
        empty.
        """
        while True:
            for process in self._crew.made[len(self.workers) :]:
                worker = Worker(process, len(self.workers) + 1)
                process.channel = worker  # type: ignore[assignment]
                self.workers.append(worker)
                asyncio.get_running_loop().call_later(2.0, self._announce, process)
            for worker in self.workers:
                if not worker.process.gone.is_set():
                    worker.process.handlers["state"]({"ready": True, "rooms": []})
                    if worker.is_retired and not worker.sessions:
                        await worker.process.kill()
            await asyncio.sleep(0.5)

    def _announce(self, process: FakeProcess) -> None:
        if not process.gone.is_set():
            process.announce()

    def living(self) -> list[Worker]:
        return [each for each in self.workers if not each.process.gone.is_set()]

    def holders(self, session: str) -> list[Worker]:
        return [each for each in self.living() if session in each.sessions]

    async def befall(self, end_s: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < end_s:
            await asyncio.sleep(self._random.uniform(5.0, 40.0))
            taking = [each for each in self.living() if each.process.announcement.done()]
            if self._random.random() < 0.3:
                self.replacements += 1
                self._crew.supervisor.replace_soon()
            elif len(taking) > 1:
                self.kills += 1
                await self._random.choice(taking).process.kill()

    async def call(self, end_s: float) -> None:
        loop, supervisor = asyncio.get_running_loop(), self._crew.supervisor
        while loop.time() < end_s:
            await asyncio.sleep(self._random.uniform(0.1, 5.0))
            number, _ = await supervisor.for_request(Target(opens=True))
            session = self.workers[number - 1].open()
            assert session, "there are places for all callers, so none may be stuck"
            self.calls += 1
            for _ in range(self._random.randrange(1, 20)):
                await asyncio.sleep(self._random.uniform(1.0, 5.0))
                assert len(self.holders(session)) <= 1
                number, _ = await supervisor.for_request(Target(session=session))
                assert self.holders(session) == [self.workers[number - 1]]
            self.moves += not session.startswith(session_prefix(number))
            self.workers[number - 1].close(session)


async def test_an_hour_of_kills_and_replacements_loses_no_session_and_keeps_none() -> None:
    crew = Crew(WORKERS, max_sessions=CALLERS)
    hour = Hour(Random(SEED), crew)
    async with beside(hour.warm(), name="warm"), crew.supervisor.running():
        before = len(asyncio.all_tasks())
        end_s = asyncio.get_running_loop().time() + HOUR_S
        async with beside(hour.befall(end_s), name="befall"):
            await asyncio.gather(*(hour.call(end_s) for _ in range(CALLERS)))
        await until(lambda: crew.supervisor.takes_calls == len(hour.living()) == WORKERS)
        supervisor = crew.supervisor
        assert len(supervisor._records) == 0
        assert supervisor._desk._places == {}
        assert not supervisor.admission._places
        assert [each.load for each in supervisor._placement.workers.values()] == [0.0] * WORKERS
        assert len(asyncio.all_tasks()) <= before
    assert min(hour.kills, hour.replacements, hour.moves) > 10
    print(hour.calls, hour.moves, hour.kills, hour.replacements)

"""An hour of sessions on engine servers killed, cut off, drained or slow, in virtual time."""

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from rtc_server.background import beside
from rtc_server.config import EngineSettings
from rtc_server.engines.base import TtsRequest
from rtc_server.engines.remote.remote_ast import RemoteAst
from rtc_server.engines.remote.remote_tts import RemoteTts
from rtc_server.errors import EngineCrashed
from tests.support.faulty_servers import FaultyServers, faulty_servers, number_of, numbered

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]

HOUR_S = 3600.0
HALVES = 2
SESSIONS = 6
SEED = 20
STUCK_S = 20.0
"""Age of a request that will not be answered any more: longer than any fault lasts for its pool."""


@dataclass
class SoakRecord:
    """Requests, and the outcome of each."""

    open_since: dict[int, float] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    """Answers of each segment; none for one that failed."""
    blamed: int = 0
    """Number of segments that were blamed for an engine's crash."""
    broken: int = 0
    """Sentences that ended while they were spoken."""
    spoken: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    """Number of requests to each kind of engine."""
    longest_s: float = 0.0

    def begin(self, kind: str) -> int:
        self.asked[kind] += 1
        number = sum(self.asked.values())
        self.open_since[number] = asyncio.get_running_loop().time()
        return number

    def end(self, number: int) -> None:
        took_s = asyncio.get_running_loop().time() - self.open_since.pop(number)
        self.longest_s = max(self.longest_s, took_s)

    def stuck(self) -> list[tuple[int, float]]:
        now_s = asyncio.get_running_loop().time()
        return [each for each in self.open_since.items() if now_s - each[1] > STUCK_S]


class Sessions:
    """People who speak, listen, leave in the middle and come back."""

    def __init__(self, random: Random, ast: RemoteAst, tts: RemoteTts, record: SoakRecord) -> None:
        self._random, self._ast, self._tts, self._record = random, ast, tts, record
        self._people = 0

    async def until(self, end_s: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < end_s:
            self._people += 1
            name, sentences = f"sess_{self._people}", self._random.randrange(1, 12)
            await asyncio.sleep(self._random.uniform(0.0, 4.0))
            for _ in range(sentences):
                if loop.time() >= end_s:
                    break
                await self._sentence(name)
            # somebody who leaves with a caption and a sentence on their way
            number = self._record.begin("ast")
            unheard = self._ast.submit_partial(numbered(number, 0.2, partial=True), session_id=name)
            self._ast.forget(name)
            self._tts.forget(name)
            await asyncio.wait([unheard])
            self._record.end(number)

    async def _sentence(self, name: str) -> None:
        random = self._random
        partials = []
        for _ in range(random.randrange(1, 3)):
            await asyncio.sleep(random.uniform(0.3, 1.5))
            partials.append(asyncio.create_task(self._partial(name)))
        await self._segment(name)
        await self._speak(name, random.randrange(2, 12))
        await asyncio.gather(*partials)
        await asyncio.sleep(random.uniform(0.2, 2.0))

    async def _segment(self, name: str) -> None:
        number = self._record.begin("ast")
        try:
            answer = await self._ast.submit(numbered(number, 0.4), session_id=name)
        except EngineCrashed:  # it was alone with an engine when that crashed, so it is blamed
            self._record.blamed += 1
        else:
            self._record.answers[number] += 1
            assert answer.target_text == str(number)
        self._record.end(number)

    async def _partial(self, name: str) -> None:
        number = self._record.begin("ast")
        request = numbered(number, 0.2, partial=True)
        answer = await self._ast.submit_partial(request, session_id=name)
        self._record.end(number)
        assert answer is None or answer.target_text == str(number)

    async def _speak(self, name: str, chunks: int) -> None:
        number = self._record.begin("tts")
        speech = self._tts.synthesize(TtsRequest(f"{number} {chunks}", "en"), session_id=name)
        places: list[int] = []
        try:
            async for chunk in speech:
                assert number_of(chunk) == number
                places.append(round(float(chunk[2]) * 32768))
            assert places == list(range(chunks))  # complete, in order, nothing twice
            self._record.spoken += 1
        except EngineCrashed:
            assert places == list(range(len(places)))
            assert places  # speech that had not begun comes from another server
            self._record.broken += 1
        self._record.end(number)


def counted(servers: FaultyServers, kind: str) -> float:
    """Return how many requests to one kind of engine the pool has reported, of any outcome."""
    samples = [
        sample
        for metric in servers.metrics.registry.collect()
        for sample in metric.samples
        if sample.name == "rtc_engine_server_calls_total" and sample.labels["kind"] == kind
    ]
    return sum(sample.value for sample in samples)


@asynccontextmanager
async def asking(servers: FaultyServers) -> AsyncIterator[tuple[RemoteAst, RemoteTts]]:
    ast = RemoteAst(servers.pool("ast", EngineSettings()))
    tts = RemoteTts(servers.pool("tts", EngineSettings()))
    await ast.start()
    await tts.start()
    await asyncio.sleep(0.3)
    try:
        yield ast, tts
    finally:
        await ast.close()
        await tts.close()
        await servers.close()


async def watch(record: SoakRecord, stuck: list[tuple[int, float]]) -> None:
    """Note the requests that are open for too long, and since when."""
    while True:
        await asyncio.sleep(10)
        stuck.extend(record.stuck())


def living_objects() -> Counter[str]:
    """Count the objects that the collector knows, by type. Entries in the caches of Python's
    abstract classes (a weak reference and its callback for each class) are left out: they depend on
    what else the process tests.
    """
    gc.collect()
    counts = Counter(type(each).__qualname__ for each in gc.get_objects())
    for name in ("ReferenceType", "builtin_function_or_method"):
        counts.pop(name, None)
    return counts


async def test_an_hour_of_faults_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, logger="rtc_server")  # otherwise thousands of warnings are kept
    loop = asyncio.get_running_loop()
    unhandled: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: unhandled.append(context))
    before = len(asyncio.all_tasks())
    random, record = Random(SEED), SoakRecord()
    objects: list[Counter[str]] = []
    stuck: list[tuple[int, float]] = []
    async with faulty_servers(random, servers=3) as servers, asking(servers) as (ast, tts):
        quiet = len(asyncio.all_tasks())
        sessions = Sessions(random, ast, tts, record)
        for _ in range(HALVES):
            end_s = loop.time() + HOUR_S / HALVES
            async with beside(watch(record, stuck), name="watch"):
                await asyncio.gather(
                    servers.befall(HOUR_S / HALVES),
                    *(sessions.until(end_s) for _ in range(SESSIONS)),
                )
            await asyncio.sleep(10)  # every server is back, and cancels have arrived
            assert stuck == []
            assert not record.open_since
            assert [held.server.calls for held in servers.by_name.values()] == [0, 0, 0]
            assert not ast._pool._open and not tts._pool._open
            assert len(asyncio.all_tasks()) <= quiet
            assert ast.ready and tts.ready
            servers.tidy()
            objects.append(living_objects())
        assert counted(servers, "ast") == record.asked["ast"]  # each once, none twice
        assert counted(servers, "tts") == record.asked["tts"]
    assert len(asyncio.all_tasks()) == before
    assert unhandled == []
    assert set(record.answers.values()) == {1}
    assert record.blamed <= servers.faults["_crash"]
    assert record.broken < 0.05 * record.spoken
    assert len(servers.faults) == 7 and min(servers.faults.values()) > 10
    assert caplog.messages == []
    more = objects[1] - objects[0]
    assert more.total() < 200, more  # after some ten thousand more requests
    print(f"{record.asked}, {servers.faults}, {record.broken} sentences broken off, longest")
    print(f"answer {record.longest_s:.1f} s, objects {[each.total() for each in objects]}")

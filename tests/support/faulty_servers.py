"""Engine servers in virtual time, and every kind of fault of servers, chosen by one seed."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

import numpy as np

from rtc_server.engines.base import AstRequest, AstResult, AstStatus, TtsRequest
from rtc_server.engines.remote.messages import ServerHello
from rtc_server.engines.remote.server import EngineServer, Served
from rtc_server.engines.service.tts import Speech
from rtc_server.pcm import Samples
from tests.support.engine_pool import HeldServer, HeldServers, HeldTts
from tests.support.fakes import AST_CAPABILITIES, TTS_CAPABILITIES
from tests.support.virtual_engine import Machine, virtual_service

CHUNK_S = 0.04
"""Time that the voice takes for a chunk."""
_BASE = 1000


def numbered(number: int, seconds: float, *, partial: bool = False) -> AstRequest:
    """Return a request whose answer identifies it."""
    samples = np.zeros(round(seconds * 16_000), np.float32)
    samples[0], samples[1] = (number // _BASE) / 32768, (number % _BASE) / 32768
    return AstRequest(samples, "ru", "en", partial=partial)


def number_of(samples: Samples) -> int:
    """Return the number of a request."""
    high, low = (round(float(each) * 32768) for each in samples[:2])
    return high * _BASE + low


def _numbered_answer(request: AstRequest) -> AstResult:
    return AstResult(AstStatus.OK, "слово", str(number_of(request.samples)))


@dataclass
class CountingTts(HeldTts):
    """TTS engine that says a text ``"NUMBER CHUNKS"`` as so many chunks, each with that number and
    its position.
    """

    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def synthesize(self, request: TtsRequest, *, session_id: str) -> Speech:
        speech = Speech(request, session_id)
        task = asyncio.create_task(self._say(speech))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return speech

    async def _say(self, speech: Speech) -> None:
        number, chunks = map(int, speech.request.text.split())
        for place in range(chunks):
            await asyncio.sleep(CHUNK_S)
            if speech.done():
                return
            chunk = np.array([number // _BASE, number % _BASE, place], np.float32)
            speech.put(chunk / np.float32(32768))
        speech.finish()


class FaultyServers(HeldServers):
    """Servers and their faults. At any time, one of them has none."""

    def __init__(self, random: Random, servers: Sequence[HeldServer], machines: dict[str, Machine]):
        super().__init__(*servers)
        self._random, self._machines = random, machines
        self._ill: set[str] = set()
        self._crashing: set[str] = set()
        self.faults: Counter[str] = Counter()
        """Number of faults so far, by kind."""
        for name, machine in machines.items():
            machine.spoils = partial(self._spoil, name)

    async def befall(self, seconds: float) -> None:
        """Cause a fault every few seconds, and end with all servers working."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + seconds
        async with asyncio.TaskGroup() as tasks:
            while loop.time() < end_s:
                await asyncio.sleep(self._random.uniform(3.0, 10.0))
                well = sorted(self.by_name.keys() - self._ill)
                if len(well) < 2:
                    continue
                faults = (
                    *(self._killed, self._cut, self._parted, self._drained),
                    *(self._slow, self._crash, self._unlisted),
                )
                fault = self._random.choice(faults)
                name = self._random.choice(well)
                self._ill.add(name)
                self.faults[fault.__name__] += 1
                tasks.create_task(self._endure(name, fault))

    def tidy(self) -> None:
        """Forget what was sent; a test of an hour cannot keep that."""
        for held in self.by_name.values():
            held.ends = [end for end in held.ends if not end.is_over]
            for end in held.ends:
                end.sent.clear()

    async def _endure(self, name: str, fault: Callable[[HeldServer], Awaitable[None]]) -> None:
        try:
            await fault(self.by_name[name])
            await asyncio.sleep(3.0)  # the pool uses it again
        finally:
            self._ill.discard(name)

    async def _killed(self, held: HeldServer) -> None:
        await held.kill()
        await asyncio.sleep(self._random.uniform(0.1, 20.0))
        held.is_up = True

    async def _cut(self, held: HeldServer) -> None:
        for end in list(held.ends):
            await end.close()

    async def _parted(self, held: HeldServer) -> None:
        held.freeze()
        await asyncio.sleep(self._random.uniform(0.2, 8.0))
        held.freeze(frozen=False)

    async def _drained(self, held: HeldServer) -> None:
        await held.server.drain(10.0)
        await held.kill()
        await asyncio.sleep(self._random.uniform(0.1, 5.0))
        held.server, held.is_up = EngineServer(held.server._served), True

    async def _slow(self, held: HeldServer) -> None:
        machine = self._machines[held.name]
        machine.share = self._random.uniform(0.1, 0.5)
        await asyncio.sleep(self._random.uniform(1.0, 15.0))
        machine.share = 1.0

    async def _crash(self, held: HeldServer) -> None:
        self._crashing.add(held.name)
        await asyncio.sleep(5.0)
        self._crashing.discard(held.name)

    async def _unlisted(self, _house: HeldServer) -> None:
        listed, self.listed = self.listed, []
        await asyncio.sleep(self._random.uniform(1.0, 12.0))
        self.listed = listed

    def _spoil(self, name: str, _request: AstRequest) -> str:
        """Return the fault of a call: the engine crashes once; its requests are tried again."""
        if name not in self._crashing:
            return ""
        self._crashing.discard(name)
        return "crash"


@asynccontextmanager
async def faulty_servers(random: Random, servers: int) -> AsyncIterator[FaultyServers]:
    """Servers with real services over engines of a known speed, and voices that count."""
    async with AsyncExitStack() as stack:
        made, machines = [], {}
        for number in range(servers):
            name = f"unix:{number}"
            capabilities = replace(AST_CAPABILITIES, max_batch=4)
            machine = Machine(0.05, 0.02, answer=_numbered_answer, capabilities=capabilities)
            service, _ = await stack.enter_async_context(virtual_service(machine))
            held = HeldServer(name, tts=CountingTts())
            hellos = (
                ServerHello("1", "fake", ast=service.capabilities),
                ServerHello("1", "fake", tts=TTS_CAPABILITIES),
            )
            held.server = EngineServer(Served(service, held.tts, *hellos))
            made.append(held)
            machines[name] = machine
        yield FaultyServers(random, made, machines)

"""Engine servers on a real Ray cluster: what media processes notice of all that happens to it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Container, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from rtc_server.app.engines import Engines
from rtc_server.config import EngineSettings
from rtc_server.engines.base import AstRequest
from rtc_server.metrics import Metrics
from tests.support.engine_fakes import Do, Seen, audio
from tests.support.engine_server import TOKEN, fake_engines
from tests.support.ray_cluster import RayCluster, kill, ray_cluster

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]

WAIT_S = 300.0
"""Time that the cluster may take for anything, on a busy machine."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster() as made:
        yield made


class Talk:
    """Sessions that ask for one segment after the other, until told to stop. None may fail."""

    def __init__(self, engines: Engines, do: Do) -> None:
        self._engines, self._do = engines, do
        self._tasks: list[asyncio.Task[None]] = []
        self._is_over = False
        self.answers: dict[int, int] = {}
        """Answers of each engine process."""
        self.longest_s = 0.0

    def more(self, sessions: int) -> None:
        """Let so many more sessions begin."""
        first = len(self._tasks)
        for number in range(first, first + sessions):
            self._tasks.append(asyncio.create_task(self._session(f"s{number}")))

    async def _session(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        while not self._is_over:
            began_s = loop.time()
            request = AstRequest(audio(self._do, seconds=1.0), "ru", "en")
            seen = Seen(await self._engines.ast_service.submit(request, session_id=name))
            self.longest_s = max(self.longest_s, loop.time() - began_s)
            self.answers[seen.pid] = self.answers.get(seen.pid, 0) + 1
            await asyncio.sleep(0.2)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Look every 50 ms. Raises what a session met."""
        async with asyncio.timeout(WAIT_S):
            while not condition():
                self.check()
                await asyncio.sleep(0.05)

    def check(self) -> None:
        """Raise what a session met."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def goes_on(self, answers: int = 100) -> None:
        """Wait for so many more answers."""
        wanted = sum(self.answers.values()) + answers
        await self.until(lambda: sum(self.answers.values()) >= wanted)

    async def end(self) -> None:
        """Let each session have its last answer."""
        self._is_over = True
        await asyncio.gather(*self._tasks)


@asynccontextmanager
async def talking(*servers: str, do: Do = Do.ANSWER) -> AsyncIterator[Talk]:
    settings = EngineSettings(
        ast_servers=servers, tts_servers=servers, engine_token=TOKEN, engine_wait_s=60
    )
    async with Engines(settings, Metrics()).running() as engines:
        talk = Talk(engines, do)
        try:
            yield talk
        finally:
            await talk.end()


async def listed(directory: str) -> set[str]:
    """Return the addresses that a directory lists; none while it cannot be asked."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http,
            http.get(directory, headers=headers) as response,
        ):
            answer = await response.json() if response.status == 200 else {"servers": []}
    except (aiohttp.ClientError, TimeoutError):
        return set()
    return {each["address"] for each in answer["servers"]}


async def two_are_listed(directory: str, but: set[str]) -> set[str]:
    """Wait until two servers are listed, not the same as before; return them."""
    async with asyncio.timeout(WAIT_S):
        while len(found := await listed(directory)) != 2 or found == but:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    return found


def kill_replica(cluster: RayCluster, engines: Container[int]) -> None:
    """Kill the process that one of these engines' processes belongs to; some may have ended."""
    engine = next(each for each in cluster.processes() if each.pid in engines)
    replica = engine.parent()
    assert replica is not None
    kill([replica])


async def test_no_segment_is_lost_with_a_replica_nor_with_the_head(cluster: RayCluster) -> None:
    loop = asyncio.get_running_loop()
    await cluster.deploy("two", "--replicas-min", "2", "--replicas-max", "2")
    directory = cluster.directory("two")
    first = await two_are_listed(directory, set())
    async with talking(directory) as talk:
        talk.more(20)
        await talk.until(lambda: len(talk.answers) == 2)
        began_s = loop.time()
        kill_replica(cluster, talk.answers)
        second = await two_are_listed(directory, first)
        print(f"two replicas again after {loop.time() - began_s:.1f} s")
        await talk.goes_on()
        print(f"longest answer until then {talk.longest_s:.2f} s")

        kill(cluster.head)
        await talk.goes_on()
        assert await listed(directory) in (set(), second)
        await cluster.start_head()
        await talk.goes_on()
        kill_replica(cluster, talk.answers)
        await two_are_listed(directory, second)
        await talk.goes_on()
        print(f"{sum(talk.answers.values())} answered, longest {talk.longest_s:.2f} s")
    assert "ray" not in sys.modules


async def test_load_brings_another_server_and_a_drain_fails_no_call(cluster: RayCluster) -> None:
    loop = asyncio.get_running_loop()
    await cluster.deploy(
        "scaled", "--replicas-min", "1", "--replicas-max", "2", "--replica-calls", "2",
        "--scale-up-s", "1",
    )  # fmt: skip
    assert "scaled: RUNNING" in await cluster.rtc_server("status", "scaled")
    directory = cluster.directory("scaled")
    one = await listed(directory)
    assert len(one) == 1
    async with fake_engines() as plain, talking(directory, plain.address, do=Do.SLOW) as talk:
        began_s = loop.time()
        talk.more(12)
        # The choice by session may give most of them to the other server: then it takes more.
        async with asyncio.timeout(WAIT_S):
            while len(await listed(directory)) < 2:
                talk.more(1)
                await talk.goes_on(3)
        print(f"a second replica after {loop.time() - began_s:.1f} s")
        # Sessions stay where they are: it is new ones that come to it, once the pool knows it.
        async with asyncio.timeout(WAIT_S):
            while len(talk.answers) < 3:
                talk.more(1)
                await talk.goes_on(3)
        print(f"it answers after {loop.time() - began_s:.1f} s")
        await cluster.rtc_server("drain", "scaled")
        await talk.goes_on(40)
        with pytest.raises(AssertionError, match="not deployed"):
            await cluster.rtc_server("status", "scaled")
        print(f"{sum(talk.answers.values())} answered, longest {talk.longest_s:.2f} s")

"""Sessions that ask engine servers of a cluster without a pause, and its directory's list."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Container
from contextlib import asynccontextmanager

import aiohttp

from rtc_server.app.engines import Engines
from rtc_server.config import EngineSettings
from rtc_server.engines.base import AstRequest
from rtc_server.metrics import Metrics
from tests.support.engine_fakes import Do, Seen, audio
from tests.support.engine_server import TOKEN

WAIT_S = 300.0
"""Time that the cluster may take for anything, on a busy machine."""


class Talk:
    """Sessions that ask for one segment after the other, until they are stopped. None may fail."""

    def __init__(self, engines: Engines, do: Do) -> None:
        self._engines, self._do = engines, do
        self._tasks: list[asyncio.Task[None]] = []
        self._most = math.inf
        self.answers: dict[int, int] = {}
        """Answers of each engine process."""
        self.longest_s = 0.0

    def more(self, sessions: int) -> None:
        """Start that many more sessions."""
        first = len(self._tasks)
        for number in range(first, first + sessions):
            self._tasks.append(asyncio.create_task(self._session(number)))

    async def fewer(self, sessions: int) -> None:
        """Stop all but that many sessions after their last answer."""
        self._most = sessions
        await asyncio.gather(*self._tasks[sessions:])

    async def _session(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        while number < self._most:
            began_s = loop.time()
            request = AstRequest(audio(self._do, seconds=1.0), "ru", "en")
            answer = self._engines.ast_service.submit(request, session_id=f"s{number}")
            seen = Seen(await answer)
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
        """Wait for that many more answers."""
        wanted = sum(self.answers.values()) + answers
        await self.until(lambda: sum(self.answers.values()) >= wanted)

    async def comes_to(self, engines: int) -> None:
        """Wait until that many engine processes have answered. Sessions keep their server, and the
        first ones may all have the one that was connected first: new sessions get others.
        """
        async with asyncio.timeout(WAIT_S):
            while len(self.answers) < engines:
                self.more(1)
                await self.goes_on(3)

    async def goes_on_for(self, seconds: float) -> None:
        """Check for that long that answers come."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + seconds
        while loop.time() < end_s:
            await self.goes_on(10)

    async def is_without(self, engines: Container[int]) -> None:
        """Wait until none of these engines' processes answers any more."""
        async with asyncio.timeout(WAIT_S):
            while any(each in engines for each in self.answers):
                self.answers.clear()
                await self.goes_on(40)


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
            await talk.fewer(0)


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

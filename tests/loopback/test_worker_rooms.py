"""Places of one address in a room, whichever connection, proxy and worker its requests come by."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp

from rtc_server.app.workers.serve import RunningWorkers
from rtc_server.config import HttpSettings, RoomSettings
from tests.support.rtc_client import RtcClient
from tests.support.until import until
from tests.support.workers import workers

NEAR, FAR = ({"X-Forwarded-For": f"192.0.2.{n}"} for n in (1, 2))
OTHER_PROXY = {"X-Forwarded-For": "192.0.2.2, 192.0.2.1"}
"""Header of a caller at 192.0.2.1 who claims another address before the proxy adds the true one."""


class Readers:
    """Readers of captions, each on a connection of its own."""

    def __init__(self, running: RunningWorkers, stack: AsyncExitStack) -> None:
        self._url, self._stack = running.url, stack

    async def come(self, room: str, headers: dict[str, str]) -> tuple[int, Callable[[], None]]:
        """Return the status of the answer, and what ends the reading."""
        http = await self._stack.enter_async_context(aiohttp.ClientSession(self._url))
        path = f"/v1/rooms/{room}/captions?language=de"
        answer = await self._stack.enter_async_context(http.get(path, headers=headers))
        return answer.status, answer.close


@asynccontextmanager
async def two_rooms(stack: AsyncExitStack) -> AsyncIterator[RunningWorkers]:
    """Run two workers with a room each, in which one address may have two places."""
    http = HttpSettings(port=0, trusted_proxies=("127.0.0.1",), drain_s=1.0)
    rooms = RoomSettings(max_rooms=2, room_address_listeners=2, room_linger_s=1.0)
    async with workers(ast="many", http=http, rooms=rooms) as running, stack:
        for room in ("a", "b"):
            speaker = RtcClient(f"{running.url}/whip/{room}?source=en", channel=None)
            await stack.enter_async_context(speaker)
        loads = running.supervisor._placement.workers
        await until(lambda: [each.rooms for each in loads.values()] == [{"a"}, {"b"}])
        yield running


async def test_one_address_has_its_places_of_a_room_and_no_more() -> None:
    stack = AsyncExitStack()
    async with two_rooms(stack) as running:
        readers = Readers(running, stack)
        listener = RtcClient(
            f"{running.url}/whep/a?language=de", listens_only=True, headers=dict(NEAR)
        )
        await stack.enter_async_context(listener)
        status, leave = await readers.come("a", NEAR)
        assert status == 200
        together = await asyncio.gather(*(readers.come("a", NEAR) for _ in range(4)))
        assert [each[0] for each in together] == [429] * 4
        assert (await readers.come("a", OTHER_PROXY))[0] == 429
        assert [(await readers.come("a", FAR))[0] for _ in range(3)] == [200, 200, 429]
        assert (await readers.come("b", NEAR))[0] == 200, "each room counts its own"
        leave()
        while (await readers.come("a", NEAR))[0] != 200:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.05)
        assert (await readers.come("a", NEAR))[0] == 429

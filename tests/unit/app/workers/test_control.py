"""Control channel: each request is answered, also one that fails."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rtc_server.app.workers.control import ControlChannel, Fields, RequestFailed


@asynccontextmanager
async def asking() -> AsyncIterator[ControlChannel]:
    """Yield the end that sends requests."""

    def raises(_fields: Fields) -> Fields:
        raise KeyError("session")

    async def raises_later(_fields: Fields) -> Fields:
        raise KeyError("session")

    ours, theirs = socket.socketpair()
    asker = ControlChannel({})
    answerer = ControlChannel({"now": raises, "later": raises_later, "well": lambda _: {"is": 1}})
    await asker.open(ours)
    await answerer.open(theirs)
    running = [asyncio.create_task(each.run()) for each in (asker, answerer)]
    try:
        yield asker
    finally:
        for each in (asker, answerer):
            await each.close()
        await asyncio.wait(running)


@pytest.mark.parametrize("kind", ["now", "later"])
async def test_a_question_whose_handler_raises_is_answered(kind: str) -> None:
    async with asking() as channel:
        with pytest.raises(RequestFailed):
            await channel.request(kind)
        assert await channel.request("well") == {"is": 1}

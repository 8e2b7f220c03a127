"""werift, WebRTC in TypeScript, in all roles."""

import asyncio
from contextlib import AbstractAsyncContextManager

from rtc_server.pcm import Samples
from tests.support.npm_clients import installed
from tests.support.opus_peer import OpusPeer, opus_peer
from tests.support.rooms import server
from tests.support.server import CALLS, said

PHRASE = "where is the train station"


async def werift(
    role: str, url: str, speech: Samples | None = None
) -> AbstractAsyncContextManager[OpusPeer]:
    folder = await asyncio.to_thread(installed)
    return opus_peer("node", "werift_peer.mjs", role, url, folder=folder, speech=speech)


async def test_werift_calls() -> None:
    async with (
        server() as running_server,
        await werift(
            "caller", f"{running_server.url}{CALLS}?source=en&target=ru", said(PHRASE)
        ) as caller,
    ):
        await caller.printed("event session.created")
        await caller.heard()


async def test_werift_speaks_by_whip_and_listens_by_whep() -> None:
    async with (
        server() as running_server,
        await werift(
            "speaker", f"{running_server.url}/whip/hall?source=en", said(PHRASE)
        ) as speaker,
    ):
        await speaker.printed("connected")
        async with await werift(
            "listener", f"{running_server.url}/whep/hall?language=de"
        ) as listener:
            await listener.heard()

"""GStreamer's webrtcbin in both roles: a stranger's WebRTC, speaking and listening."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np

from rtc_server.pcm import PLAYOUT_RATE
from tests.support.browser.chromium import write_wav
from tests.support.rooms import listener, say, server, speaker, told
from tests.support.server import said

PEER = Path(__file__).parents[1] / "support" / "gst_peer.py"


@contextlib.asynccontextmanager
async def gstreamer(
    role: str, url: str, wav: Path | None = None
) -> AsyncIterator[asyncio.Queue[str]]:
    """The lines that a peer prints."""
    process = await asyncio.create_subprocess_exec(
        "/usr/bin/python3",
        PEER,
        role,
        url,
        *([wav] if wav else []),
        stdout=asyncio.subprocess.PIPE,
    )
    lines: asyncio.Queue[str] = asyncio.Queue()

    async def read() -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            lines.put_nowait(line.decode().strip())

    reading = asyncio.create_task(read())
    try:
        yield lines
    finally:
        process.kill()
        await process.wait()
        await reading


async def printed(lines: asyncio.Queue[str], wanted: str) -> None:
    async with asyncio.timeout(60):
        while (line := await lines.get()) != wanted:
            assert not line.startswith("error"), line


async def test_gstreamer_speaks_by_whip(tmp_path: Path) -> None:
    # Long enough for the listener to come while it lasts.
    speech = said(*["where is the train station"] * 30)
    wav = write_wav(tmp_path / "speech.wav", np.asarray(speech), PLAYOUT_RATE)
    async with (
        server() as house,
        gstreamer("speaker", f"{house.url}/whip/hall?source=en", wav) as lines,
    ):
        await printed(lines, "connected")
        async with listener(house, "de") as client:
            [caption, *_] = await told(client)
            assert caption["status"] == "final"


async def test_gstreamer_listens_by_whep() -> None:
    async with (
        server() as house,
        speaker(house) as spoken,
        gstreamer("listener", f"{house.url}/whep/hall?language=de") as lines,
    ):
        await printed(lines, "connected")
        say(spoken, "where is the train station")
        await printed(lines, "heard")

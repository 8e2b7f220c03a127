"""GStreamer's webrtcbin in all roles: a stranger's WebRTC, with sections that are refused here."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from rtc_server.pcm import PLAYOUT_RATE
from tests.support.rooms import listener, say, server, speaker, told
from tests.support.server import said
from tests.support.wav import write_wav

PEER = Path(__file__).parents[1] / "support" / "gst_peer.py"
MAX, NONE = "max-bundle", "none"


@contextlib.asynccontextmanager
async def gstreamer(
    role: str, url: str, **options: str | Path
) -> AsyncIterator[asyncio.Queue[str]]:
    """The lines that a peer prints."""
    process = await asyncio.create_subprocess_exec(
        "/usr/bin/python3",
        PEER,
        role,
        url,
        *(f"--{name}={value}" for name, value in options.items()),
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


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a recording that is long enough for the listener to join while it plays."""
    samples = said(*["where is the train station"] * 30)
    path = tmp_path_factory.mktemp("gstreamer") / "speech.wav"
    return write_wav(path, np.asarray(samples), PLAYOUT_RATE)


# Video and a speaker's data channel are refused, each time. (webrtcbin 1.22 itself aborts when it
# is to send video first.)
@pytest.mark.parametrize(("media", "bundle"), [("audio,video,data", MAX), ("audio,video", NONE)])
async def test_gstreamer_speaks_by_whip(speech: Path, media: str, bundle: str) -> None:
    async with server() as running_server:
        url = f"{running_server.url}/whip/hall?source=en"
        async with gstreamer("speaker", url, wav=speech, media=media, bundle=bundle) as lines:
            await printed(lines, "connected")
            async with listener(running_server, "de") as client:
                [caption, *_] = await told(client)
                assert caption["status"] == "final"


@pytest.mark.parametrize(
    ("media", "bundle"), [("audio,video", MAX), ("video,audio", MAX), ("audio,video", NONE)]
)
async def test_gstreamer_listens_by_whep(media: str, bundle: str) -> None:
    async with server() as running_server, speaker(running_server) as spoken:
        url = f"{running_server.url}/whep/hall?language=de"
        async with gstreamer("listener", url, media=media, bundle=bundle) as lines:
            await printed(lines, "connected")
            say(spoken, "where is the train station")
            await printed(lines, "heard")


@pytest.mark.parametrize(("media", "bundle"), [("audio,video", NONE), ("audio,video,data", MAX)])
async def test_gstreamer_calls(speech: Path, media: str, bundle: str) -> None:
    async with server() as running_server:
        url = f"{running_server.url}/v1/realtime/translations/calls?source=en&target=ru"
        async with gstreamer("caller", url, wav=speech, media=media, bundle=bundle) as lines:
            await printed(lines, "connected")
            if "data" in media:
                await printed(lines, "event")
            await printed(lines, "heard")


async def test_a_data_channel_on_a_transport_of_its_own_is_refused_with_words(
    speech: Path,
) -> None:
    async with server() as running_server:
        url = f"{running_server.url}/v1/realtime/translations/calls?source=en&target=ru"
        async with gstreamer("caller", url, wav=speech, media="audio,data", bundle=NONE) as lines:
            async with asyncio.timeout(60):
                line = await lines.get()
            assert line.startswith("error 400") and "max-bundle" in line

"""Engine servers in this process, and as a process of ``rtc-server engines serve``."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from rtc_server.app.engine_server import RunningEngineServer, engine_server
from rtc_server.app.engines import Engines
from rtc_server.config import EngineSettings, HttpSettings
from rtc_server.engines.base import AstRequest, TtsRequest
from rtc_server.metrics import Metrics
from tests.support.engine_fakes import Do, Seen, audio
from tests.support.until import until

TOKEN = "0123456789abcdef"
FAKES = ("tests.support.engine_fakes:ast", "tests.support.engine_fakes:tts")
WHO = {"kind": "ast", "client": "test"}
"""Query of a connection to a server."""
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@asynccontextmanager
async def fake_engines(
    listen: str = "127.0.0.1:0", token: str = TOKEN, http: HttpSettings | None = None
) -> AsyncIterator[RunningEngineServer]:
    """Run a server of engines that do what the test asks."""
    ast, tts = FAKES
    settings = EngineSettings(ast=ast, tts=tts, engine_token=token, engine_wait_s=60)
    async with engine_server(listen, ("ast", "tts"), settings, http or HttpSettings()) as running:
        yield running


@dataclass
class ServedEngines:
    """``rtc-server engines serve`` in a process of its own."""

    process: asyncio.subprocess.Process
    address: str
    log: Path


@asynccontextmanager
async def serving_engines(listen: str, log: Path, *argv: str) -> AsyncIterator[ServedEngines]:
    """Start it and wait until it accepts calls; kill it at the end."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("RTC_")}
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rtc_server", "engines", "serve", "--listen", listen, *argv),
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env=environ,
        )
    try:
        assert process.stdout
        banner = ""
        while (found := re.search(r"Listening on (\S+)\. ", banner)) is None:
            line = await process.stdout.readline()
            assert line, log.read_text()
            banner += line.decode()
        yield ServedEngines(process, found[1], log)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def asking(*addresses: str, token: str = TOKEN, ca: str = "") -> AsyncIterator[Engines]:
    """Run the engines of a media process that asks these servers."""
    settings = EngineSettings(
        ast_servers=addresses,
        tts_servers=addresses,
        engine_token=token,
        engine_ca=ca,
        engine_wait_s=60,
    )
    async with Engines(settings, Metrics()).running() as engines:
        yield engines


async def translated(engines: Engines, do: Do = Do.ANSWER, session: str = "s") -> Seen:
    """Translate a second of audio; return the request as the engine saw it."""
    request = AstRequest(audio(do, seconds=1.0), "ru", "en")
    return Seen(await engines.ast_service.submit(request, session_id=session))


async def spoken(engines: Engines) -> int:
    """Speak; return the number of samples."""
    speech = engines.tts_service.synthesize(TtsRequest("speak 5", "en"), session_id="s")
    return sum([chunk.size async for chunk in speech])


async def refused(settings: EngineSettings, sentence: str, log: pytest.LogCaptureFixture) -> None:
    """Wait until the log says why no server can be used; the start itself goes on waiting."""

    async def start() -> None:
        async with Engines(settings, Metrics()).running():
            pass

    starting = asyncio.create_task(start())
    await until(lambda: sentence in log.text)
    starting.cancel()
    await asyncio.wait([starting])
    assert starting.cancelled()


def http_of(address: str) -> str:
    return address.replace("ws://", "http://")

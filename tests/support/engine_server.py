"""Engine servers: in this process, and as the command they are started by."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rtc_server.app.engine_server import RunningEngineServer, engine_server
from rtc_server.config import EngineSettings, HttpSettings

TOKEN = "0123456789abcdef"
FAKES = ("tests.support.engine_fakes:ast", "tests.support.engine_fakes:tts")


@asynccontextmanager
async def fake_engines(
    listen: str = "127.0.0.1:0", token: str = TOKEN, http: HttpSettings | None = None
) -> AsyncIterator[RunningEngineServer]:
    """A server of engines that do as they are told."""
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
    """Start it and wait until it takes calls; kill whatever is left at the end."""
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

"""``rtc-server serve`` as a process: its start, its signals, its exit code."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

pytestmark = pytest.mark.real_time


@dataclass
class Started:
    """A running command."""

    process: asyncio.subprocess.Process
    banner: str
    """What it printed, up to its address."""
    url: str


@contextlib.asynccontextmanager
async def command(*argv: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start it with engines that need no loading; kill whatever is left at the end."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("RTC_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rtc_server", *argv),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environ,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@contextlib.asynccontextmanager
async def serving(*argv: str) -> AsyncIterator[Started]:
    """Start it and wait until it says where it is."""
    engines = ("--ast", "tests.engine_fakes:ast", "--tts", "tests.engine_fakes:tts")
    async with command("serve", "--port", "0", *engines, *argv) as process:
        assert process.stdout
        banner = ""
        while (found := re.search(r"http://\S+", banner)) is None:
            line = await process.stdout.readline()
            assert line, (await process.communicate())[1].decode()
            banner += line.decode()
        yield Started(process, banner, found[0])


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
async def test_it_announces_itself_serves_and_stops_at_a_signal(name: signal.Signals) -> None:
    async with serving() as started:
        assert "Translation: Fake" in started.banner
        assert "Voice: " in started.banner
        async with aiohttp.ClientSession(started.url) as client:
            async with client.get("/readyz") as response:
                assert response.status == 200
            async with client.get("/") as response:
                assert response.status == 200
        started.process.send_signal(name)
        _, errors = await started.process.communicate()
        assert started.process.returncode == 0
        assert "Traceback" not in errors.decode()
        assert "GET /readyz 200" in errors.decode()


async def test_a_quiet_log_still_announces() -> None:
    async with serving("--log-level", "error") as started:
        started.process.send_signal(signal.SIGTERM)
        _, errors = await started.process.communicate()
        assert errors == b""


async def test_a_signal_during_the_warm_up_ends_it() -> None:
    engines = ("--ast", "tests.engine_fakes:never_ready", "--tts", "tests.engine_fakes:tts")
    async with command("serve", "--port", "0", *engines) as process:
        assert process.stderr
        while b"warming" not in await process.stderr.readline():
            pass
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
        assert process.returncode == 0
        assert "Traceback" not in errors.decode()


async def test_an_engine_that_cannot_start_is_one_sentence() -> None:
    engines = ("--ast", "tests.engine_fakes:refuses", "--tts", "tests.engine_fakes:tts")
    async with command("serve", "--port", "0", "--log-level", "error", *engines) as process:
        out, errors = await process.communicate()
        assert process.returncode == 2
        assert out == b""
        assert errors.startswith(b"rtc-server: ")
        assert errors.count(b"\n") == 1

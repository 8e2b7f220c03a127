"""The command as a process of its own."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass


@contextlib.asynccontextmanager
async def command(*argv: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start the command with engines that need no loading; kill it at the end."""
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


@dataclass
class Started:
    """A running server."""

    process: asyncio.subprocess.Process
    banner: str
    """Output up to the address."""
    url: str


@contextlib.asynccontextmanager
async def serving(*argv: str) -> AsyncIterator[Started]:
    """Start ``serve`` and wait until it prints its address."""
    engines = ("--ast", "tests.support.engine_fakes:ast", "--tts", "tests.support.engine_fakes:tts")
    async with command("serve", "--port", "0", *engines, *argv) as process:
        assert process.stdout
        banner = ""
        while (found := re.search(r"http://\S+", banner)) is None:
            line = await process.stdout.readline()
            assert line, (await process.communicate())[1].decode()
            banner += line.decode()
        yield Started(process, banner, found[0])

"""The command as a process of its own."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator


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

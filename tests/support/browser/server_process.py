"""``rtc-server serve`` in a process of its own, to stop or kill while a page uses it."""

import asyncio
import contextlib
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence

import pytest


@contextlib.asynccontextmanager
async def server_process(
    port: int = 0, options: Sequence[str] = ()
) -> AsyncIterator[tuple[str, Process]]:
    """``rtc-server serve`` in a process of its own: its URL, and the process.

    `options` are further ones of ``serve``.
    """
    patient = ("--ast-deadline-s", "60", "--tts-deadline-s", "60", "--engine-wait-s", "60")
    command = (sys.executable, "-m", "rtc_server", "serve", "--port", str(port), *patient, *options)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    assert process.stdout and process.stderr
    unread = asyncio.create_task(process.stderr.read())
    try:
        async for line in process.stdout:
            if found := re.search(rb"http://\S+", line):
                yield found[0].decode(), process
                break
        else:
            pytest.fail((await unread).decode())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.gather(process.wait(), process.stdout.read(), unread)

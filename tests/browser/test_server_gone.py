"""A real server that is killed, or stopped, while someone speaks."""

import asyncio
import contextlib
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from tests.browser.chromium import visit

NOTICE_MS = 45_000
"""ICE must first see that checks go unanswered."""


@contextlib.asynccontextmanager
async def server_process() -> AsyncIterator[tuple[str, Process]]:
    """``rtc-server serve`` in a process of its own: its URL, and the process."""
    command = (sys.executable, "-m", "rtc_server", "serve", "--port", "0")
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
        await process.communicate()
        await unread


@pytest.mark.parametrize(
    ("how", "titles"),
    [
        (signal.SIGKILL, {"The server has gone away"}),
        (signal.SIGTERM, {"The server ended the session", "The server has gone away"}),
    ],
)
async def test_the_page_says_that_the_server_is_gone(how: signal.Signals, titles: set[str]) -> None:
    refused = ["Failed to load resource"]
    async with server_process() as (url, process), visit(url, expected_errors=refused) as seen:
        await seen.page.click("#toggle:enabled")
        await seen.page.wait_for_selector("[data-phase=listening], [data-phase=hearing]")
        process.send_signal(how)
        await process.wait()
        title = seen.page.locator(".problem-title")
        await expect(title).to_be_visible(timeout=NOTICE_MS)
        assert await title.inner_text() in titles
        await expect(seen.page.locator("#status")).to_have_text("Not connected")
        await expect(seen.page.locator("#toggle")).to_have_text("Start")

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

from tests.support.browser.chromium import visit

NOTICE_MS = 45_000
"""ICE must first see that checks go unanswered."""
GIVING_UP_MS = 150_000
"""And a goodbye that was lost means a minute of trying."""


@contextlib.asynccontextmanager
async def server_process(port: int = 0) -> AsyncIterator[tuple[str, Process]]:
    """``rtc-server serve`` in a process of its own: its URL, and the process."""
    patient = ("--ast-deadline-s", "60", "--tts-deadline-s", "60", "--engine-wait-s", "60")
    command = (sys.executable, "-m", "rtc_server", "serve", "--port", str(port), *patient)
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


async def test_a_killed_server_is_waited_for_until_one_stops() -> None:
    refused = ["Failed to load resource"]
    async with server_process() as (url, process), visit(url, expected_errors=refused) as seen:
        page = seen.page
        await page.click("#toggle:enabled")
        await page.wait_for_selector("[data-phase=listening], [data-phase=hearing]")
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await page.wait_for_selector("[data-phase=interrupted]", timeout=NOTICE_MS)
        await page.click("#toggle")
        await expect(page.locator("#status")).to_have_text("Stopped")
        await expect(page.locator("#toggle")).to_have_text("Start")


async def test_the_page_says_that_the_server_was_stopped() -> None:
    refused = ["Failed to load resource"]
    async with server_process() as (url, process), visit(url, expected_errors=refused) as seen:
        page = seen.page
        await page.click("#toggle:enabled")
        await page.wait_for_selector("[data-phase=listening], [data-phase=hearing]")
        process.send_signal(signal.SIGTERM)
        await process.wait()
        title = page.locator(".problem-title")
        await expect(title).to_be_visible(timeout=GIVING_UP_MS)
        assert await title.inner_text() in {
            "The server ended the session",
            "The server has gone away",
        }
        await expect(page.locator("#status")).to_have_text("Not connected")
        await expect(page.locator("#toggle")).to_have_text("Start")

"""A real server that is killed, or stopped, while someone speaks."""

import signal

import pytest
from playwright.async_api import expect

from tests.support.browser.chromium import visit
from tests.support.browser.server_process import server_process

NOTICE_MS = 45_000
"""ICE must first see that checks go unanswered."""
GIVING_UP_MS = 150_000
"""A close that was lost means a minute of trying."""


async def test_a_killed_server_is_waited_for_until_one_stops() -> None:
    refused = ["Failed to load resource"]
    async with (
        server_process() as (url, process),
        # Not by a WebSocket, which is taken where a busy machine connects late: a browser complains
        # of each that is refused.
        visit(f"{url}/?transport=webrtc", expected_errors=refused) as seen,
    ):
        page = seen.page
        await page.click("#toggle:enabled")
        await page.wait_for_selector("[data-phase=listening], [data-phase=hearing]")
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await page.wait_for_selector("[data-phase=interrupted]", timeout=NOTICE_MS)
        await page.click("#toggle")
        await expect(page.locator("#status")).to_have_text("Stopped")
        await expect(page.locator("#toggle")).to_have_text("Start")


@pytest.mark.slow
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

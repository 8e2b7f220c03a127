"""A room's speaker whose server says "later", or is stopped and started again."""

import signal
import time
from urllib.parse import urlsplit

from playwright.async_api import Route, expect

from tests.support.browser.chromium import visit
from tests.support.browser.server_process import server_process
from tests.support.rooms import server

REFUSED = ["Failed to load resource"]
LATER_S = 1
LATER = {"detail": "Later.", "error": {"code": "not_ready"}}
BUSY = "The server cannot take you just now. Trying again…"


class Unready:
    """Handler that refuses a request once with "later", and notes when each one came."""

    def __init__(self) -> None:
        self.came_s: list[float] = []

    async def __call__(self, route: Route) -> None:
        self.came_s.append(time.monotonic())
        if len(self.came_s) > 1:
            return await route.fallback()
        headers = {"Retry-After": str(LATER_S)}
        return await route.fulfill(status=503, json=LATER, headers=headers)

    @property
    def waited(self) -> bool:
        """True if it came a second time, and not before the time it was given."""
        return len(self.came_s) == 2 and self.came_s[1] - self.came_s[0] >= LATER_S


async def test_a_speaker_who_is_put_off_comes_again_when_told() -> None:
    link, whip = Unready(), Unready()
    async with (
        server() as running_server,
        visit("about:blank", expected_errors=REFUSED) as seen,
    ):
        page, status = seen.page, seen.page.locator("#status")
        await page.route("**/v1/rooms/hall/link", link)
        await page.route("**/whip/hall?*", whip)
        await page.goto(f"{running_server.url}/rooms/hall")
        await expect(status).to_have_text(BUSY)
        await expect(page.locator("#key-form")).to_be_hidden()
        await expect(page.locator("#link")).to_have_attribute(
            "href", f"{running_server.url}/listen/hall"
        )
        await page.click("#toggle:enabled")
        await expect(status).to_have_text(BUSY)
        await expect(status).to_have_text("You are heard.")
        await expect(page.locator("#source")).to_be_disabled()  # another one would end the room
        await page.click("#toggle")
        await expect(page.locator("#source")).to_be_enabled()
    assert link.waited and whip.waited


async def test_a_room_goes_on_at_the_server_that_comes_after() -> None:
    """The first server closes the room when it stops; the page finds the next one by itself."""
    async with (
        server_process() as (url, process),
        visit(f"{url}/rooms/hall", expected_errors=REFUSED) as seen,
    ):
        page, status = seen.page, seen.page.locator("#status")
        await page.click("#toggle:enabled")
        await expect(status).to_have_text("You are heard.")
        process.send_signal(signal.SIGTERM)
        await process.wait()
        await expect(status).to_contain_text("Trying again…")
        async with server_process(urlsplit(url).port or 0):
            await expect(status).to_have_text("You are heard.")

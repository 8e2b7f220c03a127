"""A session whose parts do not all come, or break: it goes on without, or ends and says so."""

from playwright.async_api import expect

from tests.support.browser.chromium import visit
from tests.support.browser.page import LIVE, start
from tests.support.browser.scripted_server import scripted_server

LOSE_WORKLETS = """
const add = AudioWorklet.prototype.addModule;
AudioWorklet.prototype.addModule = function (url) {
  const lost = new DOMException("Unable to load a worklet's module.", "AbortError");
  return window.reachable ? add.call(this, url) : Promise.reject(lost);
};"""


async def test_a_session_goes_on_without_its_meter_and_the_next_one_has_it() -> None:
    async with (
        scripted_server() as server,
        visit(server.url, before_load=LOSE_WORKLETS) as seen,
    ):
        page = seen.page
        await start(page)
        await server.calls.channel.get()
        await expect(page.locator("#toggle")).to_have_text("Stop")
        await expect(page.locator("#meter")).to_have_attribute("aria-valuenow", "0")
        await page.click("#toggle")
        await expect(page.locator("#status")).to_have_text("Stopped")

        await page.evaluate("window.reachable = true")
        await start(page)
        await expect(page.locator("#meter")).not_to_have_attribute("aria-valuenow", "0")


async def test_a_session_that_breaks_is_over_on_the_page_too() -> None:
    broken = "MediaStreamTrack.prototype.addEventListener = () => { throw new Error('broken'); };"
    async with (
        scripted_server() as server,
        visit(server.url, before_load=broken, expected_errors=["uncaught: broken"]) as seen,
    ):
        page = seen.page
        await page.click("#toggle:enabled")
        await expect(page.locator("#status")).to_have_text("Not connected")
        await expect(page.locator("#toggle")).to_have_text("Start")
        assert await page.locator(LIVE).count() == 0

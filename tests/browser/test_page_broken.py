"""A session whose parts do not all come, or break: it goes on without, or ends and says so."""

import pytest
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


WRONG = "Something went wrong on this page"
BREAK = """async () => {
  const broken = new Error("broken");
  broken.stack = `Error: broken\\n at render (${location.origin}/static/app.js:1:1)`;
  Promise.reject(broken);
}"""
"""As where a module of the page forgets a case."""
HARMLESS = [
    "setTimeout(() => { throw new Error('of an extension'); });",
    "Promise.reject(Object.assign(new Error('foreign'), { stack: 'chrome-extension://abc/x' }));",
    "setTimeout(() => { throw null; });",
    """const given_up = new DOMException('given up', 'AbortError');
    Promise.reject(Object.assign(given_up, { stack: location + 'static/app.js' }));""",
]


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
        notice = page.locator("#absent")
        await expect(notice).to_contain_text(WRONG)
        async with page.expect_navigation():
            await notice.get_by_role("button", name="Try again").click()


async def test_what_breaks_in_a_session_is_told_once_and_ends_nothing() -> None:
    async with (
        scripted_server() as server,
        visit(server.url, expected_errors=["uncaught: broken"]) as seen,
    ):
        page, notice = seen.page, seen.page.locator("#absent")
        await start(page)
        await page.evaluate(BREAK)
        await expect(notice).to_contain_text(WRONG)
        await expect(notice.get_by_role("button")).to_have_count(1)
        await notice.get_by_role("button", name="Dismiss").click()
        async with page.expect_event("pageerror"):
            await page.evaluate(BREAK)
        await expect(notice).to_have_count(0)
        await page.wait_for_selector(LIVE)


@pytest.mark.parametrize("harmless", HARMLESS)
async def test_what_is_no_fault_of_the_page_is_not_told_of(harmless: str) -> None:
    errors = ["uncaught: ", "ResizeObserver"]
    async with scripted_server() as server, visit(server.url, expected_errors=errors) as seen:
        await seen.page.wait_for_selector("#toggle:enabled")
        async with seen.page.expect_event("pageerror"):
            await seen.page.evaluate(f"() => {{ {harmless} }}")
        await expect(seen.page.locator("#absent")).to_have_count(0)

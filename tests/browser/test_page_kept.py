"""A conversation outlives a reload, and nobody leaves a live one by accident."""

from playwright.async_api import Dialog, expect

from tests.support.browser.captioned import start_captions
from tests.support.browser.chromium import visit
from tests.support.browser.page import start
from tests.support.browser.scripted_server import say, scripted_server, segment

COUNT_LOCKS = """
window.locks = [];
Object.defineProperty(navigator, "wakeLock", { value: {
  request: async () => {
    const lock = { released: false, release() { this.released = true; } };
    locks.push(lock);
    return lock;
  },
} });
window.lit = () => locks.filter((lock) => !lock.released).length;
"""
SEEN_AGAIN = """() => {
  for (const lock of locks) lock.released = true;
  document.dispatchEvent(new Event("visibilitychange"));
}"""


async def test_a_reload_offers_the_conversation_until_it_is_cleared() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page, asked = seen.page, list[str]()

        async def stay_or_leave(dialog: Dialog) -> None:
            asked.append(dialog.type)
            await dialog.accept()

        page.on("dialog", stay_or_leave)
        await start(page)
        channel = await server.calls.channel.get()
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        say(channel, "x.segment", **segment("b", 1, "not_understood", ""))
        await expect(page.locator(".segment")).to_have_count(2)
        await page.reload()
        assert asked == ["beforeunload"]
        await expect(page.locator(".segment")).to_have_count(0)
        await page.click("#show-earlier")
        await expect(page.locator(".target")).to_have_text("Yes.")  # what was understood
        await page.click("[popovertarget=export]")
        await page.click("#forget")
        await page.reload()
        await page.wait_for_selector("[data-phase=idle]")
        await expect(page.locator("#show-earlier")).to_be_hidden()
        assert asked == ["beforeunload"]  # while nothing is live, one may go


async def test_captions_can_be_cleared_where_there_are_any() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page, forget = seen.page, seen.page.locator("#forget")
        opener, panel = page.locator("[popovertarget=export]").first, page.locator("#export")
        heard = page.expect_response("**/copy.js")  # the panel's parts are asked for once it works
        async with heard:
            await opener.click()
        await expect(forget).to_be_disabled()
        await page.keyboard.press("Escape")
        channel = await start_captions(page, server)
        say(channel, "x.segment", **segment("a", 1, "not_understood", ""))
        await expect(page.locator(".segment")).to_have_count(1)
        await opener.click()
        await expect(page.locator("#copy")).to_be_disabled()
        await forget.click()
        await expect(panel).to_be_hidden()
        await opener.click()
        await expect(panel).to_be_visible()
        await expect(forget).to_be_disabled()
        say(channel, "x.segment", **segment("b", 1, "final", "Да.", "Yes."))
        await expect(page.locator(".segment")).to_have_count(1)
        await page.click("#toggle")
        await page.reload()
        await expect(page.locator("#earlier")).to_be_visible()
        await opener.click()
        await forget.click()
        await expect(page.locator("#earlier")).to_be_hidden()


async def test_captions_that_come_while_the_panel_is_open_can_be_kept_at_once() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        channel = await start_captions(page, server)
        async with page.expect_response("**/copy.js"):
            await page.locator("[popovertarget=export]").first.click()
        keeping = page.locator("#copy, [data-format], #forget")
        await expect(page.locator("#export :disabled")).to_have_count(await keeping.count())
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        for button in await keeping.all():
            await expect(button).to_be_enabled()


async def test_the_screen_stays_lit_while_live() -> None:
    async with scripted_server() as server, visit(server.url, before_load=COUNT_LOCKS) as seen:
        page = seen.page
        await page.wait_for_selector("#toggle:enabled")
        assert await page.evaluate("lit()") == 0
        await start(page)
        assert await page.evaluate("lit()") == 1
        await page.evaluate(SEEN_AGAIN)  # the browser took it while the page was covered
        assert await page.evaluate("lit()") == 1
        await page.click("#toggle")
        await page.wait_for_selector("[data-phase=closed]")
        assert await page.evaluate("lit()") == 0

"""Captions in a window of their own."""

from playwright.async_api import expect

from tests.support.browser.captioned import say_captions, start_captions, until
from tests.support.browser.chromium import visit
from tests.support.browser.scripted_server import say, scripted_server, segment

POPUP = "delete window.documentPictureInPicture"


IN_OVERLAY = "documentPictureInPicture.window?.document.body.innerText ?? ''"


async def test_captions_lie_over_other_windows() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        channel = await start_captions(page, server)
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        await expect(page.locator(".segment")).to_have_count(1)
        await page.click("[popovertarget=export]")
        await page.click("#overlay")
        await expect(page.locator("#overlay")).to_have_attribute("aria-pressed", "true")
        await until(page, f"({IN_OVERLAY}).includes('Yes.')")
        say(channel, "x.segment", **segment("b", 1, "partial", "Поезд идёт", stable=6))
        await until(page, f"({IN_OVERLAY}).includes('Поезд идёт')")
        say_captions(channel, 5, "c")
        await until(page, f"({IN_OVERLAY}).includes('Yes 4.')")
        lines = "documentPictureInPicture.window.document.querySelectorAll('li').length"
        assert await page.evaluate(lines) == 3
        await page.click("#overlay")
        await expect(page.locator("#overlay")).to_have_attribute("aria-pressed", "false")
        await until(page, "!documentPictureInPicture.window")


async def test_a_popup_does_where_no_window_can_lie_on_top() -> None:
    async with scripted_server() as server, visit(server.url, before_load=POPUP) as seen:
        page = seen.page
        channel = await start_captions(page, server)
        await page.click("[popovertarget=export]")
        async with page.expect_popup() as waiting:
            await page.click("#overlay")
        window = await waiting.value
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        target = window.locator(".overlay-target")
        await expect(target).to_have_text("Yes.")
        await expect(target).to_have_attribute("lang", "en")
        await expect(target).to_have_attribute("dir", "ltr")
        body = window.locator("body")
        await expect(body).to_have_css(
            "background-color", "rgb(14, 16, 22)"
        )  # its style sheets were loaded
        await window.close()
        await expect(page.locator("#overlay")).to_have_attribute("aria-pressed", "false")


async def test_a_blocked_popup_is_explained() -> None:
    blocked = f"{POPUP}; window.open = () => null"
    async with scripted_server() as server, visit(server.url, before_load=blocked) as seen:
        await seen.page.click("[popovertarget=export]")
        await seen.page.click("#overlay")
        title = seen.page.locator(".problem-title")
        await expect(title).to_have_text("The browser blocked the caption window")

"""Phrases to try: tapped, folded away, and those of the chosen languages."""

from playwright.async_api import expect

from tests.support.browser.chromium import visit
from tests.support.browser.page import LIVE, start
from tests.support.browser.scripted_server import (
    received,
    say,
    scripted_server,
    segment,
)


async def test_a_phrase_that_is_tapped_is_spoken() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await page.click("#examples .phrase")  # which begins a session
        await received(server.calls, 1)
        await page.wait_for_selector(LIVE)
        await page.locator(".topics .phrase").first.click()
        said = await received(server.calls, 2)
        assert said == [{"type": "x.say", "text": "Где находится вокзал?"}] * 2


async def test_the_phrases_make_room_after_a_success_but_move_no_caption() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await expect(page.locator("#phrases input")).to_be_visible()
        await start(page)
        channel = await server.calls.channel.get()
        say(channel, "x.segment", **segment("a", 1, "not_understood", ""))
        await expect(page.locator(".segment")).to_have_count(1)
        await expect(page.locator("#phrases input")).to_be_visible()
        before = await page.locator(".segment").bounding_box()
        say(channel, "x.segment", **segment("b", 1, "final", "Да.", "Yes."))
        await expect(page.locator(".segment")).to_have_count(2)
        assert await page.locator(".segment").first.bounding_box() == before
        await page.click("#toggle")
        await expect(page.locator("#phrases input")).to_be_hidden()
        await page.click("#open-phrases")
        await expect(page.locator("#phrases input")).to_be_visible()


async def test_languages_swap_and_bring_their_phrases() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await expect(page.locator(".topics")).to_contain_text("Где находится вокзал?")
        await page.click("#swap")
        await expect(page.locator("#source")).to_have_value("en")
        await expect(page.locator("#target")).to_have_value("ru")
        await expect(page.locator(".topics .say")).to_have_text(["Where is the train station?"])
        await page.reload()
        await expect(page.locator("#source")).to_have_value("en")

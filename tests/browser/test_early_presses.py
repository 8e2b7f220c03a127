"""Buttons that are pressed before the page's module has come: they do it then."""

import pytest
from playwright.async_api import expect

from tests.support.browser.captioned import start_captions
from tests.support.browser.chromium import visit
from tests.support.browser.held_route import HeldRoute, held
from tests.support.browser.page import FAILED_REQUEST, PHONE
from tests.support.browser.scripted_server import say, scripted_server, segment
from tests.support.browser.scrolling import FRAMES
from tests.support.rooms import server as room_server
from tests.support.rooms import speaker

MODULES = ["app.js", "strings/en/page.js"]


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    ("opener", "opened"),
    [
        ("#open-phrases", "#phrases"),
        ("[popovertarget=settings]", "#settings"),
        ("[popovertarget=sound]", "#sound"),
        ("#open-export", "#export"),
    ],
)
async def test_a_panel_opens_once_it_has_words(opener: str, opened: str, module: str) -> None:
    async with scripted_server() as server, visit("about:blank") as seen:
        page = seen.page
        async with held(page, server.url, module):
            await page.click(opener)
            await expect(page.locator(opened)).to_be_hidden()
        await expect(page.locator(opened)).to_be_visible()
        await expect(page.locator(f"{opened} h2").first).not_to_be_empty()


async def test_the_captions_that_are_opened_early_can_be_kept() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        say(await start_captions(page, server), "x.segment", **segment("a", 1, "final", "Да."))
        await expect(page.locator(".segment")).to_have_count(1)
        await page.click("#toggle")
        await page.wait_for_selector("[data-phase=closed]")
        async with held(page, server.url, "app.js"):
            await page.click("#open-export")
        await expect(page.locator("#forget")).to_be_enabled()


async def test_a_key_counts_and_two_presses_are_one() -> None:
    async with scripted_server() as server, visit("about:blank", viewport=PHONE) as seen:
        page = seen.page
        async with held(page, server.url, "app.js"):
            await page.focus("#open-phrases")
            await page.keyboard.press("Enter")
            await page.keyboard.press("Enter")
        await expect(page.locator("#phrases")).to_be_visible()
        await page.click("#phrases .close")
        await expect(page.locator("#phrases")).to_be_hidden()


@pytest.mark.parametrize("lacking", ["", "delete Element.prototype.checkVisibility;"])
async def test_a_focus_from_before_the_module_is_not_lost_either(lacking: str) -> None:
    async with scripted_server() as server, visit("about:blank", before_load=lacking) as seen:
        page = seen.page
        async with held(page, server.url, "app.js"):
            await page.focus("#open-export")
        await expect(page.locator("#toggle")).to_be_enabled()
        await page.evaluate("document.querySelector('#open-export').disabled = true")
        await page.evaluate(FRAMES)
        assert await page.evaluate("document.activeElement !== document.body")


async def test_nothing_can_be_swapped_or_started_before_there_are_languages() -> None:
    async with scripted_server() as server, visit("about:blank") as seen:
        page = seen.page
        languages = HeldRoute()
        await page.route("**/v1/languages", languages)
        async with held(page, server.url, "app.js"):
            for control in ("#swap", "#toggle", "#replay", "#hush"):
                await expect(page.locator(control)).to_be_disabled()
        await languages.asked.wait()
        for control in ("#swap", "#toggle", "#source", "#target"):
            await expect(page.locator(control)).to_be_disabled()
        languages.release.set()
        await expect(page.locator("#swap")).to_be_enabled()


async def test_a_listener_may_be_as_early() -> None:
    async with room_server() as house, speaker(house), visit("about:blank") as seen:
        page = seen.page
        async with held(page, f"{house.url}/listen/hall", "listen.js"):
            await page.click("#larger")
            await page.click("#fold")
            await page.check("#silent")
        await expect(page.locator("#smaller")).to_be_enabled()
        await expect(page.locator("#controls")).to_be_hidden()
        await expect(page.locator("#silent")).to_be_checked()


async def test_the_doctor_begins_by_itself_and_once() -> None:
    refused = [FAILED_REQUEST, "WebSocket connection to"]  # a room's server has no conversations
    async with room_server() as house, visit("about:blank", expected_errors=refused) as seen:
        page = seen.page
        async with held(page, f"{house.url}/doctor", "doctor.js"):
            await page.click("#again")
        await expect(page.locator("#verdict")).not_to_be_empty()
        await expect(page.locator("[data-check=secure]")).to_have_count(1)

"""Files of a page that do not come: the page says so, and the next attempt asks for them again."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from rtc_server.errors import AdmissionRefused
from tests.support.browser.captioned import start_captions
from tests.support.browser.chromium import Visit, visit
from tests.support.browser.held_route import HeldRoute
from tests.support.browser.page import expect_problem
from tests.support.browser.scripted_server import say, scripted_server, segment
from tests.support.rooms import server as room_server

STATIC = Path(__file__).parents[2] / "static"
LOST = ["Failed to load resource", "uncaught: Failed to fetch", "WebSocket connection to"]
ABSENT = "Part of this page could not be loaded"
Act = Callable[[Page], Awaitable[None]]


async def lose(route: Route) -> None:
    """Let a request come to nothing, as where a server restarts."""
    await route.abort("connectionrefused")


async def two_people(page: Page) -> None:
    await page.click("#people")


async def two_people_shown(page: Page) -> None:
    await expect(page.locator(".half")).to_have_count(2)
    await expect(page.locator("two-way")).to_have_css("display", "grid")


async def overlay(page: Page) -> None:
    await page.click("[popovertarget=export]")
    await page.click("#overlay")


async def overlay_shown(page: Page) -> None:
    await expect(page.locator("#overlay")).to_have_attribute("aria-pressed", "true")


async def german(page: Page) -> None:
    await page.select_option("#interface", "de")


async def german_shown(page: Page) -> None:
    await expect(page.locator("html")).to_have_attribute("lang", "de")
    await expect(page.locator("#interface")).to_have_value("de")


async def a_file(page: Page) -> None:
    picker = page.locator("#player [type=file]")
    await picker.set_input_files({"name": "talk.wav", "mimeType": "audio/wav", "buffer": b"RIFF"})
    await expect(picker).to_have_value("")  # so that it can be chosen again


async def a_file_shown(page: Page) -> None:
    await expect(page.locator(".file-name")).to_have_text("talk.wav")


@pytest.mark.parametrize(
    ("lost", "act", "shown"),
    [
        ("two-way.js", two_people, two_people_shown),
        ("turns.js", two_people, two_people_shown),
        ("two-way.css", two_people, two_people_shown),
        ("strings/fr/page.js", two_people, two_people_shown),
        ("overlay.js", overlay, overlay_shown),
        ("strings/de/page.js", german, german_shown),
        ("file.js", a_file, a_file_shown),
    ],
)
async def test_what_is_loaded_later_is_asked_for_again(lost: str, act: Act, shown: Act) -> None:
    async with scripted_server() as server, visit(server.url, expected_errors=LOST) as seen:
        page = seen.page
        await page.wait_for_selector("#toggle:enabled")
        await page.route(f"**/{lost}", lose)
        await act(page)
        notice = page.get_by_role("alert").filter(has_text=ABSENT)
        await expect(notice).to_be_visible()
        await expect(page.locator("#interface")).to_have_value("en")
        await page.unroute(f"**/{lost}")
        await notice.get_by_role("button", name="Try again").click()
        await shown(page)
        await expect(notice).to_have_count(0)
        assert not [error for error in seen.errors if error.startswith("uncaught")]


async def test_two_presses_while_it_loads_are_one() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await page.wait_for_selector("#toggle:enabled")
        module = HeldRoute()
        await page.route("**/two-way.js", module)
        await page.click("#people")
        await page.click("#people")
        module.release.set()
        await two_people_shown(page)
        await expect(page.locator("#people")).to_have_attribute("aria-pressed", "true")


async def test_of_two_languages_the_last_choice_counts() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await page.wait_for_selector("#toggle:enabled")
        french = HeldRoute()
        await page.route("**/strings/fr/page.js", french)
        await page.select_option("#interface", "fr")
        await german(page)
        await german_shown(page)
        french.release.set()
        await page.evaluate("import('/static/strings/fr/page.js')")  # what waited for it goes first
        await german_shown(page)
        assert await page.evaluate("localStorage.getItem('interface')") == '"de"'


@pytest.mark.parametrize("lost", ["export.js", "copy.js"])
async def test_captions_are_kept_at_the_second_attempt(lost: str) -> None:
    async with scripted_server() as server, visit(server.url, expected_errors=LOST) as seen:
        page = seen.page
        say(await start_captions(page, server), "x.segment", **segment("a", 1, "final", "Да."))
        await expect(page.locator(".segment")).to_have_count(1)
        await page.route(f"**/{lost}", lose)
        await page.click("[popovertarget=export]")
        await page.click("[data-format=txt]")
        notice = page.get_by_role("alert").filter(has_text=ABSENT)
        await expect(notice).to_be_visible()
        await page.unroute(f"**/{lost}")
        async with page.expect_download():
            await page.click("[data-format=txt]")  # the panel's own button does as well
        await expect(notice).to_have_count(0)


async def test_no_press_on_the_panel_of_captions_is_lost_while_it_loads() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        say(await start_captions(page, server), "x.segment", **segment("a", 1, "final", "Да."))
        await expect(page.locator(".segment")).to_have_count(1)
        panel = HeldRoute()
        await page.route("**/keep.js", panel)
        await page.click("[popovertarget=export]")
        for each in ("#copy", "[data-format=txt]", "[data-format=json]", "#forget"):
            await expect(page.locator(each)).to_be_disabled()
        panel.release.set()
        await expect(page.locator("#copy")).to_be_enabled()
        async with page.expect_download():
            await page.click("[data-format=txt]")
        await page.click("#forget")
        await expect(page.locator(".segment")).to_have_count(0)


async def test_the_panel_of_captions_is_asked_for_each_time_it_opens() -> None:
    async with scripted_server() as server, visit(server.url, expected_errors=LOST) as seen:
        page = seen.page
        say(await start_captions(page, server), "x.segment", **segment("a", 1, "final", "Да."))
        await expect(page.locator(".segment")).to_have_count(1)
        await page.route("**/keep.js", lose)
        await page.click("[popovertarget=export]")
        notice = page.get_by_role("alert").filter(has_text=ABSENT)
        await notice.get_by_role("button", name="Dismiss").click()
        await expect(notice).to_have_count(0)
        await page.unroute("**/keep.js")
        await page.keyboard.press("Escape")
        await page.click("[popovertarget=export]")
        async with page.expect_download():
            await page.click("[data-format=txt]")


@pytest.mark.parametrize("lost", ["conversation.js", "websocket.js", "strings/en/session.js"])
async def test_a_session_asks_again_for_its_parts(lost: str) -> None:
    async with (
        scripted_server() as server,
        visit(f"{server.url}?transport=websocket", expected_errors=LOST) as seen,
    ):
        page = seen.page
        server.calls.refuse = AdmissionRefused("All 50 places are taken.", 5)
        await page.route(f"**/{lost}", lose)
        await page.click("#toggle:enabled")
        await expect_problem(page, "The server does not answer", "then try again")
        await page.unroute(f"**/{lost}")
        await page.click("#problem-action")
        await expect(page.locator(".problem-title")).to_have_text("The server cannot take you now")


async def _loaded_at_the_second_attempt(seen: Visit, url: str, lost: str, ready: str) -> None:
    page = seen.page
    await page.route(f"**/{lost}", lose)
    await page.goto(url)
    notice = page.locator("#absent")
    await expect(notice).to_contain_text("Часть страницы не загрузилась")
    await expect(notice).to_have_attribute("lang", "ru")
    await page.unroute(f"**/{lost}")
    await notice.get_by_role("button", name="Попробовать снова").click()
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    await expect(page.locator(ready)).to_be_visible()
    await expect(notice).to_have_count(0)


@pytest.mark.parametrize(
    "lost", ["app.js", "captions.js", "strings/ru/page.js", "styles/stage.css"]
)
async def test_a_page_that_did_not_come_whole_can_be_loaded_anew(lost: str) -> None:
    async with (
        scripted_server() as server,
        visit("about:blank", expected_errors=LOST, locale="ru-RU") as seen,
    ):
        await _loaded_at_the_second_attempt(seen, server.url, lost, "#toggle:enabled")


@pytest.mark.parametrize(
    ("path", "lost", "ready"),
    [
        ("doctor", "doctor.js", "#again"),
        ("doctor", "strings/ru/doctor.js", "#again"),
        ("listen/hall", "listen-log.js", "#invitation"),
        ("listen/hall", "strings/ru/room.js", "#invitation"),
        ("rooms/hall", "graph.js", "#toggle:enabled"),
        ("rooms/hall", "strings/ru/room.js", "#toggle:enabled"),
    ],
)
async def test_so_can_the_other_pages(path: str, lost: str, ready: str) -> None:
    async with (
        room_server() as running_server,
        visit("about:blank", expected_errors=LOST, locale="ru-RU") as seen,
    ):
        await _loaded_at_the_second_attempt(seen, f"{running_server.url}/{path}", lost, ready)


def test_the_words_of_the_buttons_are_those_of_the_tables() -> None:
    """Tables may be what did not come, so the script has its own."""
    script = (STATIC / "absent.js").read_text("utf-8")
    own = {
        code: re.findall(r'"(.+)",$', texts, re.MULTILINE)
        for code, texts in re.findall(r"^    (\w\w): \[(.*?)\]", script, re.MULTILINE | re.DOTALL)
    }
    tables = {}
    for path in (STATIC / "strings").glob("*/page.js"):
        words = path.read_text("utf-8")
        action = re.search(r'action: \{ retry: "([^"]+)"', words)
        dismiss = re.search(r'dismiss: "([^"]+)"', words)
        assert action and dismiss
        tables[path.parent.name] = [action[1], dismiss[1]]
    assert {code: texts[3:] for code, texts in own.items()} == tables
    assert {len(set(texts)) for texts in own.values()} == {5}

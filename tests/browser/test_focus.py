"""The keyboard's place: whatever has the focus may go away, and the focus is somewhere sensible."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, Route, expect

from rtc_server.errors import AdmissionRefused
from tests.support.browser.chromium import visit
from tests.support.browser.page import DESKTOP, FAILED_REQUEST, LIVE, PHONE, start
from tests.support.browser.scripted_server import say, scripted_server, segment
from tests.support.browser.scrolling import FRAMES
from tests.support.rooms import server as rooms
from tests.support.rooms import speaker

FOCUSED = "document.activeElement.id || document.activeElement.className || 'nothing'"
EACH = """async (how) => {
  const lost = [];
  const controls = [...document.querySelectorAll("button, select, input, summary, a[href]")];
  const shown = controls.filter((each) => each.checkVisibility() && !each.matches(":disabled"));
  const start = shown.find(({ id }) => id === "toggle" || id === "again") ?? shown[0];
  for (const each of shown) {
    if (each === start) continue;
    start.focus();
    each.focus();
    if (document.activeElement !== each) continue;
    each[how] = true;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    if (document.activeElement === document.body) lost.push(each.id || each.outerHTML);
    each[how] = false;
  }
  return [shown.length, lost];
}"""
Lead = Callable[[Page], Awaitable[None]]


async def focused(page: Page) -> str:
    """Return what has the focus once the browser has laid out."""
    await page.evaluate(FRAMES)
    found: str = await page.evaluate(FOCUSED)
    return found


async def nothing(_page: Page) -> None:
    """Leave the page as it opens."""


async def settings(page: Page) -> None:
    """Open the settings."""
    await page.click("[popovertarget=settings]")


@pytest.mark.parametrize("how", ["hidden", "disabled"])
@pytest.mark.parametrize("lead", [nothing, settings])
async def test_whatever_goes_away_on_the_page_leaves_the_focus_somewhere(
    lead: Lead, how: str
) -> None:
    async with scripted_server() as server, visit(server.url, viewport=DESKTOP) as seen:
        await seen.page.wait_for_selector("#examples:not([hidden])")
        await lead(seen.page)
        shown, lost = await seen.page.evaluate(EACH, how)
    assert shown > 10
    assert lost == []


@pytest.mark.parametrize("path", ["rooms/hall", "listen/hall", "doctor"])
async def test_so_it_does_on_the_other_pages(path: str) -> None:
    errors = [FAILED_REQUEST, "WebSocket connection to"]
    async with (
        rooms() as running_server,
        speaker(running_server),
        visit(f"{running_server.url}/{path}", expected_errors=errors) as seen,
    ):
        await seen.page.wait_for_selector("#toggle:enabled, #verdict:not(:empty)")
        for how in ("hidden", "disabled"):
            shown, lost = await seen.page.evaluate(EACH, how)
            assert shown > 1
            assert lost == []


async def test_a_problem_gives_the_focus_back_to_what_had_it() -> None:
    async with (
        scripted_server() as server,
        visit(server.url, expected_errors=[FAILED_REQUEST]) as seen,
    ):
        page = seen.page
        server.calls.refuse = AdmissionRefused("All 50 places are taken.", 5)
        for button in ("#problem-dismiss", "#problem-action"):
            await page.focus("#toggle:enabled")
            await page.keyboard.press("Enter")
            await expect(page.locator("#problem-action")).to_be_visible()
            server.calls.refuse = None
            await page.focus(button)
            await page.keyboard.press("Enter")
            await expect(page.locator("#problem")).to_be_hidden()
            assert await focused(page) == "toggle"
            if button == "#problem-dismiss":
                server.calls.refuse = AdmissionRefused("All 50 places are taken.", 5)


async def test_what_hides_by_itself_gives_it_back_too() -> None:
    async with scripted_server() as server, visit(server.url, viewport=PHONE) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        await page.focus("#input")
        say(channel, "x.warning", code="engine_slow", message="It is late.")
        await expect(page.locator("#problem")).to_be_visible()
        await page.focus("#problem-dismiss")
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        await expect(page.locator("#problem")).to_be_hidden()
        assert await focused(page) == "input"
        await page.evaluate("() => (document.querySelector('#advice').hidden = false)")
        await page.focus("#advice button")
        await page.keyboard.press("Enter")
        await expect(page.locator("#advice")).to_be_hidden()
        assert await focused(page) == "input"


async def test_the_button_that_is_held_hands_it_to_the_one_that_starts() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await page.click("[popovertarget=settings]")
        await page.check("[name=talk][value=hold]")
        await page.keyboard.press("Escape")
        await page.focus("#toggle:enabled")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(LIVE)
        assert await focused(page) == "talk"
        say(await server.calls.channel.get(), "x.expiring", in_ms=0, reason="limit", seq=1)
        await page.evaluate("() => document.querySelector('#toggle').click()")
        await expect(page.locator("#talk")).to_be_hidden()
        assert await focused(page) == "toggle"


async def test_a_sample_that_was_tapped_and_phrases_that_fold() -> None:
    async with scripted_server() as server, visit(server.url, viewport=DESKTOP) as seen:
        page = seen.page
        for place in (".topics .phrase", "#examples .phrase"):
            await page.locator(place).first.focus()
            await page.keyboard.press("Enter")
            channel = await server.calls.channel.get()
            await page.wait_for_selector(LIVE)
            say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
            await expect(page.locator(".target", has_text="Yes.")).to_be_visible()
            await page.evaluate("() => document.querySelector('#toggle').click()")
            await page.wait_for_selector("[data-phase=closed]")
            assert await focused(page) in ("open-phrases", "toggle")
            await page.evaluate("localStorage.removeItem('conversation')")
            await page.reload()
            await page.wait_for_selector("#examples:not([hidden])")


async def test_what_is_newest_and_what_was_earlier() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        for number in range(30):
            say(channel, "x.segment", **segment(str(number), 1, "final", "Да." * 30, "Yes." * 30))
        await expect(page.locator(".segment")).to_have_count(30)
        await page.evaluate(FRAMES)
        await page.evaluate("() => (document.querySelector('.segments').scrollTop = 0)")
        await expect(page.locator(".newest")).to_be_visible()  # an event of the next frame shows it
        await page.focus(".newest")
        await page.keyboard.press("Enter")
        await expect(page.locator(".newest")).to_be_hidden()
        assert await focused(page) == "segments"
        await page.click("#toggle")
        await page.reload()
        await page.focus("#show-earlier")
        await page.keyboard.press("Enter")
        await expect(page.locator(".segment")).to_have_count(30)
        assert await focused(page) == "toggle"


async def test_the_notice_that_a_file_did_not_come_gives_it_back() -> None:
    async def lose(route: Route) -> None:
        await route.abort("connectionrefused")

    errors = [FAILED_REQUEST, "uncaught: Failed to fetch"]
    async with scripted_server() as server, visit(server.url, expected_errors=errors) as seen:
        page = seen.page
        await page.wait_for_selector("#toggle:enabled")
        await page.route("**/two-way.js", lose)
        await page.focus("#people")
        await page.keyboard.press("Enter")
        notice = page.locator("#absent")
        await expect(notice).to_be_visible()
        assert await focused(page) == "people"  # an alert is read, and takes nothing away
        await notice.get_by_role("button", name="Dismiss").focus()
        await page.keyboard.press("Enter")
        await expect(notice).to_have_count(0)
        assert await focused(page) == "people"
        await page.keyboard.press("Enter")
        await notice.get_by_role("button", name="Try again").focus()
        await page.unroute("**/two-way.js")
        await page.keyboard.press("Enter")
        await expect(page.locator(".half")).to_have_count(2)
        assert await focused(page) == "people"


async def test_a_key_that_was_right_and_letters_that_are_as_large_as_can_be() -> None:
    async with (
        rooms(api_key="a-key-of-this-house") as running_server,
        visit(f"{running_server.url}/rooms/hall", expected_errors=[FAILED_REQUEST]) as seen,
    ):
        page = seen.page
        await expect(page.locator("#key")).to_be_focused()  # there is nothing else to do
        await page.keyboard.type("a wrong key")
        await page.keyboard.press("Enter")
        await expect(page.locator("#status")).to_have_text("The server does not accept this key.")
        await expect(page.locator("#key")).to_be_focused()
        await page.keyboard.type("a-key-of-this-house")  # instead of the other
        await page.keyboard.press("Enter")
        await expect(page.locator("#key-form")).to_be_hidden()
        assert await focused(page) == "toggle"
    async with (
        rooms() as running_server,
        visit(f"{running_server.url}/listen/hall", expected_errors=[FAILED_REQUEST]) as seen,
    ):
        await seen.page.focus("#larger")
        while await seen.page.locator("#larger").is_enabled():
            await seen.page.keyboard.press("Enter")
        assert await focused(seen.page) == "smaller"


async def test_the_languages_of_a_room_keep_it_when_they_are_listed_anew() -> None:
    async with (
        rooms() as running_server,
        speaker(running_server),
        visit(f"{running_server.url}/listen/hall", expected_errors=[FAILED_REQUEST]) as seen,
    ):
        chip = seen.page.locator("#languages input").first
        await expect(chip).to_be_attached()
        await chip.focus()
        await seen.page.evaluate(
            """() => {
              const select = document.querySelector("#interface");
              select.value = "de";
              select.dispatchEvent(new Event("change"));
            }"""
        )
        await expect(seen.page.locator("html")).to_have_attribute("lang", "de")
        assert await seen.page.evaluate("document.activeElement.name") == "language"

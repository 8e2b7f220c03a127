"""Most important parts of a page in view, whatever the font and the size of the window."""

import pytest
from playwright.async_api import expect

from rtc_server.errors import RateLimited
from tests.support.browser.appearances import SIZES
from tests.support.browser.chromium import visit
from tests.support.browser.element_page import element
from tests.support.browser.fonts import EACH_FONT_SET
from tests.support.browser.held_route import held
from tests.support.browser.page import DESKTOP, FAILED_REQUEST, LIVE, start
from tests.support.browser.scripted_server import say, scripted_server, segment
from tests.support.browser.states import FULL
from tests.support.rooms import server as rooms
from tests.support.rooms import speaker

TOO_HIGH = "document.documentElement.scrollHeight - innerHeight"
CUT_FOCUS = """() => {
  const focused = document.activeElement;
  const { outlineOffset, outlineWidth } = getComputedStyle(focused);
  const around = parseFloat(outlineOffset) + parseFloat(outlineWidth);
  const { top, right } = focused.getBoundingClientRect();
  return [`.${focused.closest("header")?.className}`, top < around || right + around > innerWidth];
}"""
"""In what the focus is, and whether a part of its ring is outside the window."""


async def test_captions_come_first_where_there_is_little_room() -> None:
    """At 400 % zoom some captions are visible; on a phone in landscape they have more than half."""
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        say(
            await server.calls.channel.get(), "x.segment", **segment("a", 1, "final", "Да.", "Yes.")
        )
        caption = page.locator(".target", has_text="Yes.")
        sizes = SIZES | {"tablet": {"width": 820, "height": 1180}}
        for name, least in (("desktop at 400 %", 0.3), ("phone on its side", 0.5), ("tablet", 0.5)):
            size = sizes[name]
            await page.set_viewport_size(size)
            await expect(caption).to_be_in_viewport()
            box = await page.locator(".log").bounding_box()
            assert box and box["height"] >= least * size["height"], (name, box)
            wide = "document.documentElement.scrollWidth - innerWidth"
            assert await page.evaluate(wide) <= 0, name


CUT_LANGUAGES = """() => {
  const pen = document.createElement("canvas").getContext("2d");
  const px = (style, names) => names.reduce((sum, each) => sum + (parseFloat(style[each]) || 0), 0);
  return [...document.querySelectorAll(".language select")].flatMap((list) => {
    const own = getComputedStyle(list);
    const half = getComputedStyle(list.parentElement);
    const room = list.parentElement.clientWidth - px(half, ["paddingLeft", "paddingRight"])
      - px(own, ["marginLeft", "paddingLeft", "paddingRight"]);
    pen.font = `${own.fontWeight} ${own.fontSize} ${own.fontFamily}`;
    pen.letterSpacing = own.letterSpacing;
    return [...list.options].map(({ textContent }) => textContent)
      .filter((name) => pen.measureText(name).width > room);
  });
}"""
"""Names of languages that are wider than their half has room for."""


@pytest.mark.parametrize("language", ["ru", "uk"])  # whose words for English are longest
async def test_languages_are_named_in_full_at_320_pixels(language: str) -> None:
    async with (
        scripted_server() as server,
        visit(server.url, viewport={"width": 320, "height": 640}, locale=language) as seen,
    ):
        await expect(seen.page.locator("#source option")).to_have_count(2)
        for height in (640, 256):
            await seen.page.set_viewport_size({"width": 320, "height": height})
            assert await seen.page.evaluate(CUT_LANGUAGES) == [], height


async def test_a_sample_stays_where_it_is_under_the_pointer() -> None:
    async with scripted_server() as server, visit(server.url, viewport=DESKTOP) as seen:
        words = seen.page.locator(".phrase-list .say").first
        before = await words.bounding_box()
        await words.hover()
        assert await words.bounding_box() == before


async def test_the_button_is_seen_beside_a_hint_at_400_percent() -> None:
    size = SIZES["desktop at 400 %"]
    async with scripted_server() as server, visit(server.url, viewport=size) as seen:
        page = seen.page
        await start(page)
        await page.evaluate(
            """() => {
              document.querySelector("#hint").textContent = "Too loud. Move back a little.";
              document.querySelector("#lag").textContent = "12.3 s behind";
              document.querySelector("#lag").hidden = false;
              document.body.dataset.phase = "speaking";
            }"""
        )
        await expect(page.locator("#toggle")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("locale", ["en", "ru", "uk", "de"])
@pytest.mark.parametrize("fonts", EACH_FONT_SET)
async def test_two_people_have_all_in_view_at_400_percent(fonts: str, locale: str) -> None:
    size = SIZES["desktop at 400 %"]
    async with (
        scripted_server() as server,
        visit(server.url, viewport=size, fonts=fonts, locale=locale) as seen,
    ):
        page = seen.page
        await page.click("#people")
        await page.wait_for_selector(LIVE)
        await expect(page.locator(".half-invitation")).to_have_count(2)
        assert await page.evaluate(TOO_HIGH) <= 0
        channel = await server.calls.channel.get()
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        lines, toggle = page.locator(".line"), page.locator("#toggle")
        await expect(lines).to_have_count(2)
        for each in (lines.first, lines.last, toggle):
            await expect(each).to_be_in_viewport(ratio=1)
        assert await page.evaluate(TOO_HIGH) <= 0
        await toggle.focus()
        say(channel, "x.warning", code="slow_network", message="It is slow.")
        for each in (page.locator("#problem-dismiss"), lines.last, toggle):
            await expect(each).to_be_in_viewport(ratio=1)
        assert await page.evaluate(TOO_HIGH) <= 0
        await expect(toggle).to_be_focused()
        await toggle.click(trial=True)  # nothing covers it
        await page.click("#problem-dismiss")
        await expect(toggle).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("locale", ["ru", "uk", "de"])
async def test_a_refusal_to_two_people_is_all_in_view_at_400_percent(locale: str) -> None:
    size, errors = SIZES["desktop at 400 %"], [FAILED_REQUEST]
    async with (
        scripted_server() as server,
        visit(
            server.url, viewport=size, fonts="wide", locale=locale, expected_errors=errors
        ) as seen,
    ):
        page = seen.page
        server.calls.refuse = RateLimited("Others connect.", 200)
        await page.click("#people")
        for each in (".problem-title", ".problem-text"):
            await expect(page.locator("#problem").locator(each)).to_be_in_viewport(ratio=1)
        for button in ("#toggle", "#problem-dismiss", "#problem-action"):
            await expect(page.locator(button)).to_be_in_viewport(ratio=1)
            await page.click(button, trial=True)  # nothing covers it
        assert await page.evaluate(TOO_HIGH) <= 0
        server.calls.refuse = None
        await page.click("#problem-action")
        await page.wait_for_selector(LIVE)


async def test_advice_leaves_two_people_their_controls_at_400_percent() -> None:
    size = SIZES["desktop at 400 %"]
    async with scripted_server() as server, visit(server.url, viewport=size, fonts="wide") as seen:
        page = seen.page
        await page.click("#people")
        await page.wait_for_selector(LIVE)
        await page.evaluate("() => (document.querySelector('#advice').hidden = false)")
        controls = page.locator(
            "#advice button, #toggle, #input, [popovertarget=sound], .half select"
        )
        await expect(controls).to_have_count(6)
        for control in await controls.all():
            await expect(control).to_be_in_viewport(ratio=1)
        assert await page.evaluate(TOO_HIGH) <= 0


async def test_a_refusal_leaves_its_button_in_view_at_400_percent() -> None:
    size = SIZES["desktop at 400 %"]
    async with (
        scripted_server() as server,
        visit(server.url, viewport=size, expected_errors=[FAILED_REQUEST]) as seen,
    ):
        server.calls.refuse = FULL
        await seen.page.click("#toggle:enabled")
        await expect(seen.page.locator(".problem-text")).to_be_in_viewport(ratio=1)
        await expect(seen.page.locator("#problem-action")).to_be_in_viewport(ratio=1)
        await expect(seen.page.locator("#problem-dismiss")).to_be_in_viewport(ratio=1)


async def test_a_listener_waits_with_the_button_in_view_and_nothing_to_choose_from() -> None:
    size, errors = SIZES["desktop at 400 %"], [FAILED_REQUEST]  # a room that is not there yet
    async with (
        rooms() as running_server,
        visit(f"{running_server.url}/listen/hall", viewport=size, expected_errors=errors) as seen,
    ):
        await expect(seen.page.locator("#invitation")).not_to_be_empty()
        await expect(seen.page.locator("#languages")).to_be_hidden()
        async with speaker(running_server):
            await expect(seen.page.locator("#toggle")).to_be_enabled()
            await expect(seen.page.locator("#languages")).to_be_visible()
            await expect(seen.page.locator("#toggle")).to_be_in_viewport(ratio=1)


async def test_a_room_that_asks_for_a_key_offers_nothing_else() -> None:
    async with (
        rooms(api_key="a-key-of-this-house") as running_server,
        visit(f"{running_server.url}/rooms/hall", expected_errors=[FAILED_REQUEST]) as seen,
    ):
        await expect(seen.page.locator("#key")).to_be_visible()
        await expect(seen.page.locator("#status")).to_have_text("This server asks for a key.")
        await expect(seen.page.locator("button:visible")).to_have_text(["Enter"])
        above, below = [
            await seen.page.locator(each).bounding_box() for each in ("#status", "#key-form")
        ]
        assert above and below and above["y"] + above["height"] <= below["y"]


async def test_the_code_of_a_room_is_as_wide_as_its_card() -> None:
    async with (
        rooms() as running_server,
        visit(f"{running_server.url}/rooms/hall", expected_errors=[FAILED_REQUEST]) as seen,
    ):
        code, title = seen.page.locator("#qr"), seen.page.locator("#invitation h2")
        await expect(code).to_be_visible()
        boxes = [await each.bounding_box() for each in (code, title)]
        widths = [box["width"] for box in boxes if box]
        assert abs(widths[0] - widths[1]) <= 2  # its border


async def test_a_header_is_as_high_before_its_script_as_after_it() -> None:
    async with scripted_server() as server, visit("about:blank", viewport=SIZES["phone"]) as seen:
        page, header = seen.page, seen.page.locator(".bar")
        async with held(page, server.url, "app.js"):
            await expect(page.locator("#interface")).to_be_hidden()
            before = await header.bounding_box()
        await page.wait_for_selector("[data-phase=idle]")
        assert await header.bounding_box() == before


async def test_the_focus_is_shown_whole_in_a_low_window() -> None:
    size = SIZES["desktop at 400 %"]
    async with scripted_server() as server, visit(server.url, viewport=size) as seen:
        await seen.page.wait_for_selector("[data-phase=idle]")
        for _ in range(3):
            await seen.page.keyboard.press("Tab")
            cut = await seen.page.evaluate(CUT_FOCUS)
            assert cut == [".bar", False]


async def test_the_element_says_in_a_narrow_window_what_happens_below_its_button() -> None:
    size, errors = SIZES["desktop at 400 %"], [FAILED_REQUEST]
    async with element(viewport=size, expected_errors=errors) as (page, server):
        server.calls.refuse = FULL
        await page.get_by_role("button").first.click()
        status = page.get_by_role("status")
        await expect(status).to_have_text("The interpreter is full. Try again in a moment.")
        button = await page.get_by_role("button").first.bounding_box()
        words = await status.bounding_box()
    assert button and words
    assert words["x"] == button["x"]
    assert words["y"] > button["y"] + button["height"]

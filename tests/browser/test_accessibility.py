"""axe-core finds nothing against WCAG 2.2, level A or AA, in any state of the page."""

from typing import Literal

import pytest

from rtc_server.errors import AdmissionRefused
from tests.support.browser.accessibility import check
from tests.support.browser.chromium import visit
from tests.support.browser.page import DESKTOP, PHONE
from tests.support.browser.scripted_server import say, scripted_server, segment

FOCUSED = """() => {
  const { activeElement: at } = document;
  const style = getComputedStyle(at);
  const name = at.id || `${at.localName} ${at.ariaLabel} ${at.textContent.trim().slice(0, 20)}`;
  return [at === document.body ? "body" : name, style.outlineStyle !== "none"];
}"""
"""What has the focus, and whether one sees it."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_every_state_is_accessible(
    scheme: Literal["light", "dark"], viewport: dict[str, int]
) -> None:
    async with (
        scripted_server() as server,
        visit(
            server.url,
            expected_errors=["Failed to load resource"],
            viewport=viewport,
            color_scheme=scheme,
        ) as seen,
    ):
        page = seen.page
        await page.wait_for_selector("[data-phase=idle]")
        await check(page, "idle")
        for panel in ("settings", "sound", "export"):
            await page.click(f"[popovertarget={panel}]")
            if panel == "settings":
                await page.click("#details summary")
            await check(page, panel)
            await page.keyboard.press("Escape")
        if viewport is PHONE:
            await page.click("#open-phrases")
            await check(page, "phrases")
            await page.keyboard.press("Escape")

        server.calls.refuse = AdmissionRefused("All 50 places are taken.", 5)
        await page.click("#toggle")
        await page.wait_for_selector("#problem:not([hidden])")
        await check(page, "refused")

        server.calls.refuse = None
        await page.click("#problem-action")
        channel = await server.calls.channel.get()
        await page.wait_for_selector("[data-phase=listening]")
        hints = [("Сколько это стоит?", "How much does it cost?")]
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        say(channel, "x.playout", segment_id="a", state="started", queue_ms=900, tempo=1)
        say(channel, "x.segment", **segment("b", 1, "not_understood", "", hints=hints))
        say(channel, "x.segment", **segment("c", 1, "failed", ""), message="It failed.")
        say(channel, "x.segment", **segment("d", 1, "partial", "Поезд идёт", stable=6))
        await page.wait_for_selector(".segment[data-status=partial]")
        await check(page, "live")
        await page.click("[popovertarget=export]")
        for choice in ("value=stacked", "name=times", "name=large", "name=contrast"):
            await page.click(f"#look label:has([{choice}])")
            await check(page, choice)
        await page.keyboard.press("Escape")
        await check(page, "large, stacked, in high contrast")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_two_people_and_the_caption_window_are_accessible(
    scheme: Literal["light", "dark"], viewport: dict[str, int]
) -> None:
    popup = "delete window.documentPictureInPicture"
    async with (
        scripted_server() as server,
        visit(server.url, viewport=viewport, color_scheme=scheme, before_load=popup) as seen,
    ):
        page = seen.page
        await page.click("#people")
        await page.wait_for_selector(".turn")
        await check(page, "two people, idle")
        await page.click(".half:not(.far) .turn")
        channel = await server.calls.channel.get()
        await page.wait_for_selector("[data-phase=listening]")
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        say(channel, "x.playout", segment_id="a", state="started", queue_ms=900, tempo=1)
        say(channel, "x.segment", **segment("b", 1, "partial", "Поезд идёт", stable=6))
        await page.wait_for_selector(".half [data-status=partial]")
        await check(page, "two people, one talks")
        await page.click("[popovertarget=export]")
        async with page.expect_popup() as waiting:
            await page.click("#overlay")
        window = await waiting.value
        say(channel, "x.segment", **segment("c", 1, "final", "Да.", "Yes."))
        await window.wait_for_selector("li")
        await check(window, "caption window")
        await page.click("#look label:has([name=contrast])")
        await check(window, "caption window, high contrast")
        await check(page, "two people, high contrast")


async def test_forced_colours_and_reduced_motion() -> None:
    still = "getComputedStyle(document.querySelector('.pending'), '::after').animationName"
    async with (
        scripted_server() as server,
        visit(server.url, forced_colors="active", reduced_motion="reduce") as seen,
    ):
        page = seen.page
        await page.click("#toggle:enabled")
        channel = await server.calls.channel.get()
        await page.wait_for_selector("[data-phase=listening]")
        say(channel, "x.segment", **segment("a", 1, "partial", "Поезд идёт", stable=6))
        await page.wait_for_selector(".pending")
        assert await page.evaluate(still) == "none"
        await check(page, "forced colours")
        await page.click("#people")
        await page.wait_for_selector(".turn")
        await page.click(".half.far .turn")
        assert await page.evaluate(still.replace(".pending", ".talking .turn svg")) == "none"
        await check(page, "forced colours, two people")


async def test_the_keyboard_reaches_everything_in_reading_order() -> None:
    async with scripted_server() as server, visit(server.url, viewport=DESKTOP) as seen:
        page = seen.page
        await page.wait_for_selector("#toggle:enabled")
        reached: list[str] = []
        outlined: list[bool] = []
        for _ in range(60):
            await page.keyboard.press("Tab")
            name, outline = await page.evaluate(FOCUSED)
            if name in reached or name == "body":
                break
            reached.append(name)
            outlined.append(outline)
        order = ["interface", "people", "source", "swap", "target", "input", "toggle"]
        assert [name for name in reached if name in order] == order
        assert all(outlined), dict(zip(reached, outlined, strict=True))

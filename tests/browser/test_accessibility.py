"""axe-core finds nothing against WCAG 2.2, level A or AA, in any state of the page."""

import pytest
from playwright.async_api import Page

from tests.support.browser.accessibility import appearance_faults, axe_faults
from tests.support.browser.chromium import visit
from tests.support.browser.fonts import EACH_FONT_SET
from tests.support.browser.page import DESKTOP
from tests.support.browser.scripted_server import say, scripted_server, segment
from tests.support.browser.states import WALKS

FOCUSED = """() => {
  const { activeElement: at } = document;
  const style = getComputedStyle(at);
  const name = at.id || `${at.localName} ${at.ariaLabel} ${at.textContent.trim().slice(0, 20)}`;
  return [at === document.body ? "body" : name, style.outlineStyle !== "none"];
}"""
"""Element with the focus, and its visibility."""


@pytest.mark.parametrize("fonts", EACH_FONT_SET)
@pytest.mark.parametrize("walk", WALKS)
async def test_every_state_is_accessible(walk: str, fonts: str) -> None:
    faults: list[str] = []

    async def look(state: str, page: Page) -> None:
        faults.extend(f"{state}, {fault}" for fault in await appearance_faults(page))

    await WALKS[walk](look, fonts=fonts)
    assert not faults, "\n".join(faults)


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
        assert await axe_faults(page) == []
        await page.click("#people")
        await page.wait_for_selector(".turn")
        await page.click(".half.far .turn")
        assert await page.evaluate(still.replace(".pending", ".talking .turn svg")) == "none"
        assert await axe_faults(page) == []


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

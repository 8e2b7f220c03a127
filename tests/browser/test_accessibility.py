"""Forced colours, reduced motion, colour schemes, and the order of the keyboard.

What axe-core says of each state is in `test_every_state`.
"""

from pathlib import Path

from tests.support.browser.accessibility import axe_faults
from tests.support.browser.chromium import visit
from tests.support.browser.page import DESKTOP
from tests.support.browser.scripted_server import say, scripted_server, segment

STATIC = Path(__file__).resolve().parents[2] / "static"
FOCUSED = """() => {
  const { activeElement: at } = document;
  const style = getComputedStyle(at);
  const name = at.id || `${at.localName} ${at.ariaLabel} ${at.textContent.trim().slice(0, 20)}`;
  return [at === document.body ? "body" : name, style.outlineStyle !== "none"];
}"""
"""Element with the focus, and its visibility."""


def test_only_colours_follow_the_scheme() -> None:
    """`light-dark()` chooses between colours, and nothing else asks for the scheme."""
    for file in STATIC.rglob("*.[cj]s*"):
        assert "prefers-color-scheme" not in file.read_text(encoding="utf-8"), file


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

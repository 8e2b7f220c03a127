"""The page under a finger: targets that are large enough, in places that do not move."""

from playwright.async_api import Page

from rtc_server.errors import AdmissionRefused
from tests.support.browser.chromium import visit
from tests.support.browser.page import FAILED_REQUEST, PHONE, expect_problem
from tests.support.browser.scripted_server import say, scripted_server, segment

FINGER_PX = 44
"""WCAG 2.5.5, level AAA; and what phones' own guidelines ask for."""
SMALL = """(least) => [...document.querySelectorAll("button, select, summary, input, a[href]")]
  .filter((each) => each.checkVisibility() && !each.closest(".visually-hidden"))
  .map((each) => [each.id || each.ariaLabel || each.textContent, each.getBoundingClientRect()])
  .filter(([, { width, height }]) => Math.min(width, height) < least)
  .map(([name, { width, height }]) => `${name}: ${width} x ${height}`)"""
PLACES = """() => ["#source", "#swap", "#target", "#input", "#toggle", "#replay"].map((each) => {
  const { left, top, width, height } = document.querySelector(each).getBoundingClientRect();
  return [each, left, top, each === "#input" ? 0 : width, height];
})"""


async def small(page: Page) -> list[str]:
    """Return the controls that a finger may miss."""
    found: list[str] = await page.evaluate(SMALL, FINGER_PX)
    return found


async def test_a_finger_finds_everything_where_it_was() -> None:
    async with (
        scripted_server() as server,
        visit(server.url, viewport=PHONE, has_touch=True, expected_errors=[FAILED_REQUEST]) as seen,
    ):
        page = seen.page
        await page.wait_for_selector("#toggle:enabled")
        assert await small(page) == []
        places = await page.evaluate(PLACES)

        server.calls.refuse = AdmissionRefused("All 50 places are taken.", 5)
        await page.tap("#toggle")
        await expect_problem(page, "The server cannot take you now", "All 50 places are taken.")
        assert await small(page) == []
        assert await page.evaluate(PLACES) == places

        server.calls.refuse = None
        await page.tap("#problem-action")
        channel = await server.calls.channel.get()
        await page.wait_for_selector("[data-phase=listening]")
        for count in range(20):
            say(channel, "x.segment", **segment(str(count), 1, "final", "Да.", f"Yes {count}."))
        say(channel, "x.segment", **segment("p", 1, "partial", "Поезд идёт", stable=6))
        await page.wait_for_selector(".segment[data-status=partial]")
        assert await small(page) == []
        assert await page.evaluate(PLACES) == places

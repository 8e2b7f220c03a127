"""axe-core finds nothing against WCAG 2.2, level A or AA, in any state of the page."""

from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from rtc_server.errors import AdmissionRefused
from tests.browser.chromium import visit
from tests.browser.scripted_server import say, scripted_server, segment

RULES: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
}
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1360, "height": 820}


async def check(page: Page, state: str) -> None:
    await page.wait_for_timeout(300)  # colours fade in
    results = await Axe().run(page, options=RULES)
    assert not results.response["violations"], f"{state}: {results.generate_report()}"


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

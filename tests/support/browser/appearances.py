"""Appearances in which a state of a page is judged: sizes of the window, and colour schemes."""

from playwright.async_api import Page, ViewportSize

from tests.support.browser.accessibility import COLOUR_RULES, axe_faults
from tests.support.browser.scrolling import layout_faults

SIZES: dict[str, ViewportSize] = {
    "desktop": {"width": 1360, "height": 820},
    "small phone": {"width": 320, "height": 568},
    "phone on its side": {"width": 844, "height": 390},
    "desktop at 400 %": {"width": 320, "height": 256},
    "phone": {"width": 390, "height": 844},
}
"""By name; the last is the one in which most pages are led from state to state."""
JUDGED_BY_AXE = ("desktop", "phone")


async def state_faults(page: Page) -> list[str]:
    """Return each fault with size, scheme and rule; the page is left as it was.

    In the dark only colours are judged, for nothing else changes: see
    `test_only_colours_follow_the_scheme`. Motion must be reduced: colours that fade are none that
    anybody chose.
    """
    before = page.viewport_size
    faults = []
    for name, size in SIZES.items():
        await page.set_viewport_size(size)
        found = [f"light, layout: {fault}" for fault in await layout_faults(page)]
        if name in JUDGED_BY_AXE:
            found += [f"light, {fault}" for fault in await axe_faults(page)]
            await page.emulate_media(color_scheme="dark")
            found += [f"dark, {fault}" for fault in await axe_faults(page, COLOUR_RULES)]
            await page.emulate_media(color_scheme="light")
        faults += [f"{name}, {fault}" for fault in found]
    if before and before != page.viewport_size:
        await page.set_viewport_size(before)
    return faults

"""Nothing is out of reach, whatever the font and the size of the window.

In every state of every page: each region that scrolls is reached and scrolled by keyboard, nothing
is cut off, and nothing needs scrolling sideways (WCAG 2.2: 2.1.1 and 1.4.10).
"""

import pytest
from playwright.async_api import Page

from tests.support.browser.fonts import FONT_SETS
from tests.support.browser.page import DESKTOP, PHONE
from tests.support.browser.scrolling import layout_faults
from tests.support.browser.states import WALKS

SIZES = {
    "desktop": DESKTOP,
    "phone": PHONE,
    "small phone": {"width": 320, "height": 568},
    "phone on its side": {"width": 844, "height": 390},
    "desktop at 400 %": {"width": 320, "height": 256},
}


@pytest.mark.parametrize("fonts", FONT_SETS)
@pytest.mark.parametrize("walk", WALKS)
async def test_all_of_a_page_can_be_reached(walk: str, fonts: str) -> None:
    faults: list[str] = []

    async def look(state: str, page: Page) -> None:
        before = page.viewport_size
        for name, size in SIZES.items():
            await page.set_viewport_size(size)  # type: ignore[arg-type]
            faults.extend(f"{state}, {name}: {fault}" for fault in await layout_faults(page))
        if before:
            await page.set_viewport_size(before)

    await WALKS[walk](look, fonts=fonts)
    assert not faults, "\n".join(faults)

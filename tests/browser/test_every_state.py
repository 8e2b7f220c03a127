"""Every state of every page, in each size of the window and each colour scheme.

Nothing is out of reach, whatever the font and the size: each region that scrolls is reached and
scrolled by keyboard, nothing is cut off, and nothing needs scrolling sideways (WCAG 2.2: 2.1.1 and
1.4.10). And axe-core finds nothing against WCAG 2.2, level A or AA.
"""

import pytest
from playwright.async_api import Page

from tests.support.browser.appearances import state_faults
from tests.support.browser.fonts import EACH_FONT_SET
from tests.support.browser.states import WALKS


@pytest.mark.parametrize("fonts", EACH_FONT_SET)
@pytest.mark.parametrize("walk", WALKS)
async def test_every_state_can_be_reached_and_read(walk: str, fonts: str) -> None:
    faults: list[str] = []

    async def look(state: str, page: Page) -> None:
        faults.extend(f"{state}, {fault}" for fault in await state_faults(page))

    await WALKS[walk](look, fonts=fonts)
    assert not faults, "\n".join(faults)

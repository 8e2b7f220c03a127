"""axe-core's judgement of a page: WCAG 2.2, level A and AA, and best practice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

from tests.support.browser.page import DESKTOP, PHONE
from tests.support.browser.scrolling import FRAMES

RULES: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
JUDGE = """async (rules) => {
  const { violations } = await axe.run(rules);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}"""


@dataclass(frozen=True, slots=True)
class Appearance:
    """Appearance in which a state is checked."""

    scheme: Literal["light", "dark"]
    viewport: dict[str, int]

    def __str__(self) -> str:
        return f"{self.scheme}, {self.viewport['width']} px"


APPEARANCES = tuple(
    Appearance(scheme, viewport) for scheme in ("light", "dark") for viewport in (PHONE, DESKTOP)
)


async def axe_faults(page: Page) -> list[str]:
    """Return each rule that the page breaks now, with the elements that break it."""
    await page.evaluate(FRAMES)
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    faults: list[str] = await page.evaluate(JUDGE, RULES)
    return faults


async def appearance_faults(
    page: Page, appearances: Sequence[Appearance] = APPEARANCES
) -> list[str]:
    """Return the faults in each of several appearances; the first one stays. Motion must be
    reduced, because nobody chose the colours of a fade.
    """
    faults = []
    for look in (*appearances[1:], appearances[0]):
        await page.emulate_media(color_scheme=look.scheme)
        await page.set_viewport_size(look.viewport)  # type: ignore[arg-type]
        faults += [f"{look}: {fault}" for fault in await axe_faults(page)]
    return faults

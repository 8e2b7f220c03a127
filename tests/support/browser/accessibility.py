"""axe-core's judgement of a page: WCAG 2.2, level A and AA, and best practice."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

from tests.support.browser.scrolling import FRAMES

ALL_RULES: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
COLOUR_RULES: dict[str, Any] = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
"""Rules of these that depend on colours."""
JUDGE = """async (rules) => {
  const { violations } = await axe.run(rules);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}"""


async def axe_faults(page: Page, rules: dict[str, Any] = ALL_RULES) -> list[str]:
    """Return each rule that the page breaks now, with the elements that break it."""
    await page.evaluate(FRAMES)
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    faults: list[str] = await page.evaluate(JUDGE, rules)
    return faults

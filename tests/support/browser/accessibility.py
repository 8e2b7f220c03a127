"""axe-core's judgement of a page."""

from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

RULES: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
}


async def check(page: Page, state: str) -> None:
    await page.wait_for_timeout(300)  # colours fade in
    results = await Axe().run(page, options=RULES)
    violations = results.response["violations"]
    found = [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations]
    assert not found, f"{state}: {found}"

"""Overflow of a page, and whether a keyboard can reach all of it. Decided by computed style and
layout, and by pressing keys; there is no list of the page's regions.
"""

from pathlib import Path

from playwright.async_api import Page

LAYOUT = (Path(__file__).parent / "scrolling.js").read_text(encoding="utf-8")
FRAMES = "() => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))"
"""Script that ends when observers of the layout have been called."""
EXAMINE = f"""async () => {{
  {LAYOUT}
  await ({FRAMES})();
  return layout.examine();
}}"""
"""Script that waits for these and examines the layout: one, because each request to the page costs
three processes some time, and a page has many states and sizes.
"""
KEYS_MS = 10_000
"""Time for scrolling by a key: smooth, or at once with reduced motion, and late on a busy machine.
"""


async def layout_faults(page: Page) -> list[str]:
    """Return the faults of the current layout, as sentences."""
    found = await page.evaluate(EXAMINE)
    faults: list[str] = found["faults"]
    for number, region in enumerate(found["regions"]):
        if lack := region["lack"] or await _keys_lack(page, number, region["stops"]):
            faults.append(f"{region['name']} {lack}")
    return faults


async def _keys_lack(page: Page, region: int, stops: int) -> str:
    """Press keys in a region with so many stops; return the keys without the expected effect."""
    for stop in range(stops):
        await page.evaluate("(numbers) => layout.focus(...numbers)", [region, stop])
        if await _reaches(page, region, "End") and await _reaches(page, region, "Home"):
            return ""
    return "is not scrolled by keys"


async def _reaches(page: Page, region: int, key: str) -> bool:
    """Press a key that scrolls to an end; return whether the region is there."""
    await page.keyboard.press(key)
    look = "(arguments) => layout.reaches(...arguments)"
    reached: bool = await page.evaluate(look, [region, key, KEYS_MS])
    return reached

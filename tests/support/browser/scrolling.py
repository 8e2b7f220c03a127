"""Overflow of a page, and whether a keyboard can reach all of it. Decided by computed style and
layout, and by pressing keys; there is no list of the page's regions.
"""

from pathlib import Path

from playwright.async_api import ElementHandle, Page

LAYOUT = (Path(__file__).parent / "scrolling.js").read_text(encoding="utf-8")
FRAMES = "() => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))"
"""Script that ends when observers of the layout have been called."""
KEYS_MS = 10_000
"""Time for scrolling by a key: smooth, or at once with reduced motion, and late on a busy machine.
"""


async def layout_faults(page: Page) -> list[str]:
    """Return the faults of the current layout, as sentences."""
    await page.evaluate(FRAMES)
    await page.evaluate(LAYOUT)
    faults: list[str] = await page.evaluate("() => [...layout.findCut(), ...layout.findWide()]")
    regions = await page.evaluate_handle("() => layout.findScrolling()")
    for entry in (await regions.get_properties()).values():
        region = entry.as_element()
        assert region
        lack = await region.evaluate("(region) => layout.lacksStop(region)")
        lack = lack or await _keys_lack(page, region)
        if lack:
            faults.append(f"{await region.evaluate('layout.nameOf')} {lack}")
    return faults


async def _keys_lack(page: Page, region: ElementHandle) -> str:
    """Press keys in a region; return the keys without the expected effect."""
    stops = await region.evaluate_handle("(region) => layout.stopsOf(region)")
    for entry in (await stops.get_properties()).values():
        stop = entry.as_element()
        assert stop
        await stop.focus()
        if await _reaches(page, region, "End") and await _reaches(page, region, "Home"):
            return ""
    return "is not scrolled by keys"


async def _reaches(page: Page, region: ElementHandle, key: str) -> bool:
    """Press a key that scrolls to an end; return whether the region is there."""
    await page.keyboard.press(key)
    look = "(region, [key, waitMs]) => layout.reaches(region, key, waitMs)"
    reached: bool = await region.evaluate(look, [key, KEYS_MS])
    return reached

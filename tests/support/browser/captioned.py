"""The interpreter page as tests of its captions use it."""

import asyncio

from aiortc import RTCDataChannel
from playwright.async_api import FloatRect, Page

from tests.support.browser.scripted_server import ScriptedServer, say, segment


async def start_captions(page: Page, server: ScriptedServer) -> RTCDataChannel:
    """Begin a session; return the channel of its captions."""
    await page.click("#toggle:enabled")
    await page.wait_for_selector("[data-phase=listening]")
    return await server.calls.channel.get()


def say_captions(channel: RTCDataChannel, count: int, prefix: str = "") -> None:
    """Send final captions "Yes 0." and so on; their segments are the prefix and a number."""
    for number in range(count):
        event = segment(f"{prefix}{number}", 1, "final", f"Да {number}.", f"Yes {number}.")
        say(channel, "x.segment", **event)


async def look(page: Page, *choices: str) -> None:
    """Press these controls of the captions panel."""
    await page.click("[popovertarget=export]")
    for choice in choices:
        await page.click(f"#look label:has([{choice}])")
    await page.keyboard.press("Escape")


async def box(page: Page, selector: str) -> FloatRect:
    """Return the position of an element."""
    found = await page.locator(selector).first.bounding_box()
    assert found
    return found


async def until(page: Page, condition: str) -> None:
    """Wait until an expression is true; the page's policy does not let Playwright do that there."""
    async with asyncio.timeout(30):
        while not await page.evaluate(condition):
            await page.wait_for_timeout(50)

"""Requests of a page that are answered when a test allows it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from playwright.async_api import Page, Route

from tests.support.browser.scrolling import FRAMES


class HeldRoute:
    """Handler for `Page.route` that lets requests through once `release` is set."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        """Set once a request has come."""
        self.release = asyncio.Event()

    async def __call__(self, route: Route) -> None:
        self.asked.set()
        await self.release.wait()
        await route.continue_()


@contextlib.asynccontextmanager
async def held(page: Page, url: str, module: str) -> AsyncIterator[None]:
    """Open a page, and keep a module of it back until the block ends.

    The block begins when the page is drawn. Before that some of its sheets may be missing: one
    hides a button that another shows, which cannot take the focus meanwhile.
    """
    late = HeldRoute()
    await page.route(f"**/{module}", late)
    await page.goto(url, wait_until="commit")
    await late.asked.wait()
    await page.evaluate(FRAMES)  # none is drawn before the sheets are there
    yield
    late.release.set()

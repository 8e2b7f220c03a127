"""Requests of a page that are answered when a test allows it."""

import asyncio

from playwright.async_api import Route


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

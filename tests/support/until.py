"""Waiting for a condition that nothing announces."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool]) -> None:
    """Look every 20 ms."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - nothing tells when it comes true
            await asyncio.sleep(0.02)

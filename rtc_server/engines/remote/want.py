"""Need of a server: while calls wait for one, nobody rests for long before the next try."""

import asyncio
import contextlib

URGENT_S = 1.0
"""Longest rest while calls wait."""


class Want:
    """Set while calls wait for any server."""

    def __init__(self) -> None:
        self._is_set = asyncio.Event()

    def set(self) -> None:
        """Note that a call waits."""
        self._is_set.set()

    def clear(self) -> None:
        """Note that none does."""
        self._is_set.clear()

    async def rest(self, seconds: float) -> None:
        """Wait for so long; while calls wait, for `URGENT_S` at most, what has passed included."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_set.wait()
                await asyncio.sleep(began_s + URGENT_S - loop.time())

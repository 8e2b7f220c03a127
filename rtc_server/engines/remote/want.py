"""Flag for calls that wait for a server; it shortens the rest between tries to connect."""

import asyncio
import contextlib

URGENT_S = 1.0
"""Longest rest between tries while calls wait."""


class Want:
    """Flag that is set while calls wait for any server."""

    def __init__(self) -> None:
        self._is_set = asyncio.Event()

    def set(self) -> None:
        """Note that a call waits."""
        self._is_set.set()

    def clear(self) -> None:
        """Note that no call waits."""
        self._is_set.clear()

    async def rest(self, seconds: float) -> None:
        """Wait for `seconds`; while calls wait, until `URGENT_S` after the beginning at most."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_set.wait()
                await asyncio.sleep(began_s + URGENT_S - loop.time())

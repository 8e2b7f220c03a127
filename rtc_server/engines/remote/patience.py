"""Limit on the time of each of many waits, by one timer for all of them.

A timer for each frame that is sent or awaited would cost more than the usual wait for it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Patience:
    """Start time of the current wait, and the timer that checks it."""

    def __init__(self, seconds: float) -> None:
        """Limit each wait to `seconds`."""
        self._seconds = seconds
        self._since_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Begin a wait; the one before is over."""
        self._since_s = asyncio.get_running_loop().time()

    def end(self) -> None:
        """End the wait."""
        self._since_s = None

    @asynccontextmanager
    async def limiting(self) -> AsyncIterator[None]:
        """Raise `TimeoutError` from the block once a wait within it takes too long."""
        async with asyncio.timeout(None) as timeout:
            self._look(timeout)
            try:
                yield
            finally:
                self.end()
                if self._timer is not None:
                    self._timer.cancel()

    def _look(self, timeout: asyncio.Timeout) -> None:
        # A wait that begins after this look cannot exceed its limit before the next one.
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        due_s = (now_s if self._since_s is None else self._since_s) + self._seconds
        if due_s > now_s:
            self._timer = loop.call_at(due_s, self._look, timeout)
        else:
            timeout.reschedule(now_s)

"""An event loop whose clock jumps: when nothing is ready, time moves to the next timer."""

import asyncio
import selectors
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rtc_server.background import beside
from rtc_server.standstill import standstills


class _JumpingSelector(selectors.DefaultSelector):
    """Selector that never sleeps: the waiting time is added to the loop's clock instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:  # nothing scheduled: only real I/O (a thread's wake-up) can help
            return super().select(1.0)
        self.now += max(timeout, 0.0)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`loop.time()` starts at 0 and moves only when everything waits."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def stand_still(self, seconds: float) -> None:
        """Stop for that long, as by SIGSTOP: timers that were due then are late."""
        self._jumping.now += seconds


@asynccontextmanager
async def watched() -> AsyncIterator[VirtualTimeLoop]:
    """The running loop, whose standstills are noticed as in a server."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    async with beside(standstills().watch(), name="standstills"):
        yield loop

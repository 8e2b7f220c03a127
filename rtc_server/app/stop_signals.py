"""The end of a command by a signal."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@asynccontextmanager
async def stoppable() -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Let SIGINT or SIGTERM end the block; yield the function that waits for one of them.

    One that comes before that function is called, during a warm-up, cancels what the block does.
    After the first one both do again what they do by default: a second one ends the process at
    once. Needs the main thread, which alone may handle signals.
    """
    stop, loop, main = asyncio.Event(), asyncio.get_running_loop(), asyncio.current_task()
    waited_for = False

    def interrupted() -> None:
        for name in STOP_SIGNALS:
            loop.remove_signal_handler(name)
        stop.set()
        if not waited_for and main:
            main.cancel()

    def stopped() -> Awaitable[object]:
        nonlocal waited_for
        waited_for = True
        return stop.wait()

    for name in STOP_SIGNALS:
        loop.add_signal_handler(name, interrupted)
    try:
        yield stopped
    except asyncio.CancelledError:
        if not stop.is_set():
            raise

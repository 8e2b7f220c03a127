"""End of a command by SIGINT or SIGTERM."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@asynccontextmanager
async def stoppable() -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Let SIGINT or SIGTERM end the block; yield the function that waits for one of them.

    A signal that comes before that function is called, during a warm-up, cancels the block. After
    the first signal both have their default effect again: a second one ends the process at once.
    Only the main thread may call it, because of the signals.
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

"""Supervision of an awaited call, which is interrupted once it hangs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rtc_server.engines.hang import LOOK_S, Activity, CallLimits, CallWatch, Verdict


class CallHung(Exception):
    """Call that was interrupted, because it hung."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.value)
        self.verdict = verdict
        """Reason: QUIET or ENDLESS."""


@asynccontextmanager
async def watching(
    limits: CallLimits, look: Callable[[], Activity | None]
) -> AsyncIterator[CallWatch]:
    """Supervise the call that is awaited in the block; `look` returns the activity of its process.

    A call that is answered before the first look costs one timer.

    Raises:
        CallHung: the call hung; the block was cancelled.
    """
    loop = asyncio.get_running_loop()
    watch = CallWatch(limits, loop.time())
    verdict = Verdict.WORKS
    timer: asyncio.TimerHandle | None = None

    def look_again() -> None:
        nonlocal verdict, timer
        verdict = watch.look(loop.time(), look())
        if verdict is Verdict.WORKS:
            timer = loop.call_later(LOOK_S, look_again)
        else:
            interruption.reschedule(loop.time())

    try:
        async with asyncio.timeout(None) as interruption:
            timer = loop.call_later(LOOK_S, look_again)
            yield watch
    except TimeoutError:
        if verdict is Verdict.WORKS:
            raise  # another time-out, raised in the block
        raise CallHung(verdict) from None
    finally:
        if timer is not None:
            timer.cancel()

"""Supervision of a call while it is awaited, and its interruption once it hangs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rtc_server.engines.hang import LOOK_S, Activity, CallLimits, CallWatch, Verdict


class CallHung(Exception):
    """The call was interrupted."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.value)
        self.verdict = verdict
        """QUIET or ENDLESS."""


@asynccontextmanager
async def watching(
    limits: CallLimits, look: Callable[[], Activity | None]
) -> AsyncIterator[CallWatch]:
    """Await inside what the engine is asked; `look` returns the state of its process.

    A call that is answered before the first look costs one timer.

    Raises:
        CallHung: instead of going on to wait.
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
            raise  # a time-out of the caller's own
        raise CallHung(verdict) from None
    finally:
        if timer is not None:
            timer.cancel()

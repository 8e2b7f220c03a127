"""Tasks beside a block of code, for as long as the block runs, and results of futures."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None], *, name: str) -> AsyncIterator[None]:
    """Run `work`, which has no end of its own, while the block runs; then cancel and await it.

    If it fails, the block goes on without it, and the log says so at once.
    """
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_complain)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def result_of(future: asyncio.Future[_T]) -> _T | None:
    """Return a future's result; None while there is none, and when it failed or was cancelled."""
    if not future.done() or future.cancelled() or future.exception() is not None:
        return None
    return future.result()


def _complain(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("The task %r failed and has ended.", task.get_name(), exc_info=error)

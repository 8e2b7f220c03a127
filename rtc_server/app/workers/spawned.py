"""Tasks of the supervisor: each has an end of its own, or is cancelled at the end of all."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger(__name__)


class Spawned:
    """Tasks that run; one that fails is logged, and takes nothing else with it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run `work` beside the others."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def cancel(self) -> None:
        """Cancel and await what still runs, and what that has spawned meanwhile."""
        while running := [each for each in self._tasks if not each.done()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("The task %r failed.", task.get_name(), exc_info=error)

"""Successor of a process that ended unasked."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from rtc_server.app.workers.restarts import WorkerRestarts
from rtc_server.clock import monotonic

_log = logging.getLogger(__name__)


async def start_again(
    name: str,
    code: int,
    restarts: WorkerRestarts,
    start: Callable[[], Awaitable[object]],
    is_wanted: Callable[[], bool],
) -> None:
    """Start the successor after a delay, again and again until the system lets it begin.

    Args:
        name: of the process that ended, for the log.
        code: its exit code.
        restarts: gives the delays.
        start: starts the successor; what it raises but `OSError` passes.
        is_wanted: asked after each delay; nothing is started once it returns False.
    """
    delay_s = restarts.delay_s(monotonic())
    _log.error("%s ended with exit code %d; a new one starts in %.1f s.", name, code, delay_s)
    while True:
        await asyncio.sleep(delay_s)
        if not is_wanted():
            return
        try:
            await start()
        except OSError as error:  # no process or no descriptor is free: that passes
            delay_s = restarts.delay_s(monotonic())
            _log.error("%s could not be replaced (%s); next try in %.1f s.", name, error, delay_s)
        else:
            return

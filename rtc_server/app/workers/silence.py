"""Workers that hang: they report twice a second, so one without reports does nothing at all."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from rtc_server.app.workers.placement import Life, Placement
from rtc_server.standstill import standstills

SILENT_S = 10.0
"""A worker that sent nothing for so long is killed; its sessions go on in others."""
LOOKS_S = 1.0

_log = logging.getLogger(__name__)


async def end_silent(placement: Placement, kill: Callable[[int], Awaitable[None]]) -> None:
    """Kill each worker that has taken calls and sends no reports any more; until cancelled.

    Time in which this process itself stood still is not counted.
    """
    clock = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(LOOKS_S)
        for number, load in list(placement.workers.items()):
            if load.life not in (Life.TAKING, Life.RETIRING):
                continue
            silent_s = clock() - load.seen_s - standstills().since(load.seen_s)
            if silent_s > SILENT_S:
                _log.error(
                    "Worker %d sent nothing for %.0f s and is being stopped.", number, silent_s
                )
                await kill(number)

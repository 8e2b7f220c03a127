"""Restart of a process that ended unasked: the rule for the delay, and the start itself."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rtc_server.clock import monotonic

FIRST_S = 0.2
LONGEST_S = 30.0
CALM_S = 60.0
"""Seconds that a process has run when the delay begins again with the shortest one."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class WorkerRestarts:
    """Delay before the next start of a process, from its latest ends. Time is an argument."""

    _failures: int = 0
    _began_s: float = 0.0

    def began(self, now_s: float) -> None:
        """Record the start of a process."""
        self._began_s = now_s

    def delay_s(self, now_s: float) -> float:
        """Record an end that was not asked for; return the seconds until the next start."""
        if now_s - self._began_s >= CALM_S:
            self._failures = 0
        delay_s = min(FIRST_S * 2.0**self._failures, LONGEST_S)
        self._failures = min(self._failures + 1, 32)
        return delay_s


async def start_again(
    name: str,
    code: int,
    restarts: WorkerRestarts,
    start: Callable[[], Awaitable[object]],
    is_wanted: Callable[[], bool],
) -> None:
    """Start the successor of a process after a delay; try again after each `OSError`.

    Args:
        name: name of the process, for the log.
        code: exit code of the process.
        restarts: delays of this process.
        start: start of the successor; any other exception than `OSError` ends the tries.
        is_wanted: called after each delay; nothing is started once it returns False.
    """
    delay_s = restarts.delay_s(monotonic())
    _log.error("%s ended with exit code %d; a new one starts in %.1f s.", name, code, delay_s)
    while True:
        await asyncio.sleep(delay_s)
        if not is_wanted():
            return
        try:
            await start()
        except OSError as error:  # no process or descriptor is free now
            delay_s = restarts.delay_s(monotonic())
            _log.error("%s could not be replaced (%s); next try in %.1f s.", name, error, delay_s)
        else:
            return

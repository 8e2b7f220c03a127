"""Times in which the event loop stood still: the process was stopped, or its machine was.

A peer's packets of that time wait in the socket. By the clock it has been silent; by what the loop
could know it has not, and deadlines that mean "nothing came for so long" must not count that time.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Any, Final
from weakref import WeakKeyDictionary

from rtc_server.clock import Clock

HEARTBEAT_S: Final = 0.25
"""Interval at which the loop shows that it runs."""
NOTICED_S: Final = 2 * HEARTBEAT_S
"""From this long on, time without a heartbeat was a standstill and not a busy moment."""
REMEMBERED: Final = 32
"""Standstills that are kept; deadlines look back a minute at most."""


class Standstills:
    """Standstills of one event loop, on its own clock. Knows of none unless `watch` runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heartbeat_s: float | None = None
        self._ended: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        """Beginning and end of each."""

    def heartbeat(self) -> None:
        """Note that the loop runs."""
        now_s = self._clock()
        if self._heartbeat_s is not None and now_s - self._heartbeat_s > NOTICED_S:
            self._ended.append((self._heartbeat_s + HEARTBEAT_S, now_s))
        self._heartbeat_s = now_s

    def since(self, moment_s: float) -> float:
        """Return for how many of the seconds since `moment_s` the loop stood still."""
        now_s = self._clock()
        spans = [*self._ended]
        if self._heartbeat_s is not None and now_s - self._heartbeat_s > NOTICED_S:
            # Asked before the first heartbeat after it: what was due meanwhile comes in any order.
            spans.append((self._heartbeat_s + HEARTBEAT_S, now_s))
        return sum(max(0.0, end_s - max(begin_s, moment_s)) for begin_s, end_s in spans)

    async def watch(self) -> None:
        """Note that the loop runs, until cancelled."""
        try:
            while True:
                self.heartbeat()
                await asyncio.sleep(HEARTBEAT_S)
        finally:
            self._heartbeat_s = None

    async def wait(self, futures: Iterable[asyncio.Future[Any]], seconds: float) -> None:
        """Wait until one is done, or the loop has run for so long."""
        waiting, begun_s = set(futures), self._clock()
        while (left_s := begun_s + seconds + self.since(begun_s) - self._clock()) > 0:
            done, _ = await asyncio.wait(
                waiting, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                return


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Standstills] = WeakKeyDictionary()


def standstills() -> Standstills:
    """Return the running loop's."""
    loop = asyncio.get_running_loop()
    found = _of_loops.get(loop)
    if found is None:
        found = _of_loops[loop] = Standstills(_running_loop_s)
    return found


def _running_loop_s() -> float:
    # Not `loop.time`, whose object holds the loop: no entry would ever go.
    return asyncio.get_running_loop().time()

"""Media scheduler: one 20 ms tick for all sessions, work after it, and reads of their sockets.

Waking up the process costs more than handling a frame. So all sessions share one timer, work that
can be done for all of them together is done after the tick (`MediaScheduler.after`), and while many
datagrams come they are read at the tick (`MediaScheduler.reader`).

A server has one scheduler (`app/parts.py` makes it). It uses the running event loop, asyncio's own
or another, without changing it, and does nothing while nobody is subscribed and no socket is open.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, TypeAlias

from rtc_server.transport.datagram_reader import DatagramReader
from rtc_server.transport.media.tick import PERIOD_S, TickSchedule

logger = logging.getLogger(__name__)

BEHIND_S: Final = 1e-6
"""Delay after a tick, so that what wakes up with it does not run before it."""

OnTick: TypeAlias = Callable[[int, float], None]
"""Called with the tick's number and the present time in seconds; must not block."""


class MediaScheduler:
    """Timer that calls its subscribers on each tick; runs only while there are any."""

    def __init__(self, *, batched_reading: bool = True) -> None:
        """`batched_reading`: read datagrams at the tick while many come (see `DatagramReader`)."""
        self.reader = DatagramReader(batches=batched_reading)
        """Reader of the UDP sockets of all sessions."""
        self._schedule = TickSchedule(origin_s=0.0)
        self._subscribers: dict[OnTick, None] = {}
        self._afterwards: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._awake = False
        self.observe_lateness_s: Callable[[float], None] | None = None
        """Callback with the lateness of each wake-up, for metrics."""

    @property
    def skipped(self) -> int:
        """Ticks left out after stalls while anyone was subscribed."""
        return self._schedule.skipped

    def subscribe(self, on_tick: OnTick) -> None:
        """Call `on_tick` from the next tick on, after those that subscribed before."""
        self._subscribers[on_tick] = None
        self._start()

    def unsubscribe(self, on_tick: OnTick) -> None:
        """Stop calling it; harmless when it is not subscribed."""
        self._subscribers.pop(on_tick, None)
        if not self._is_wanted and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def after(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, after the next tick of all subscribers; it must not block."""
        self._afterwards.append(callback)
        self._start()

    async def sleep(self, seconds: float) -> None:
        """Sleep until just after the tick that is nearest to `seconds` from now.

        For work that each session does once a second: at exact times, the process would wake up for
        each session. It is the nearest tick, because always taking the next one would turn every
        second into 1.02 s.
        """
        now_s = asyncio.get_running_loop().time()
        until_s = round((now_s + seconds) / PERIOD_S) * PERIOD_S + BEHIND_S
        await asyncio.sleep(until_s - now_s)

    @property
    def _is_wanted(self) -> bool:
        return bool(self._subscribers or self._afterwards)

    def _start(self) -> None:
        if self._timer is None and not self._awake:
            self._schedule.resume(asyncio.get_running_loop().time())
            self._sleep()

    def _sleep(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(self._schedule.due_s, self._wake)

    def _wake(self) -> None:
        self._timer, self._awake = None, True
        self.reader.catch_up()
        now_s = asyncio.get_running_loop().time()
        if self.observe_lateness_s is not None:
            self.observe_lateness_s(now_s - self._schedule.due_s)
        while (number := self._schedule.take(now_s)) is not None:
            for on_tick in list(self._subscribers):
                if on_tick not in self._subscribers:
                    continue  # unsubscribed by an earlier subscriber
                try:
                    on_tick(number, now_s)
                except Exception:  # one session's bug must not stop the others
                    logger.exception("A session's media tick failed; it gets no more")
                    self.unsubscribe(on_tick)
        afterwards, self._afterwards = self._afterwards, []
        for callback in afterwards:
            try:
                callback()
            except Exception:
                logger.exception("Work after a media tick failed")
        self._awake = False
        if self._is_wanted:
            self._sleep()

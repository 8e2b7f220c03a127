"""The 20 ms tick that all sessions share: one timer and one wake-up for all of them.

On a shared machine a wake-up is dearer than the frame it is for.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from typing import TypeAlias
from weakref import WeakKeyDictionary

from rtc_server.pcm import FRAME_MS

logger = logging.getLogger(__name__)

OnTick: TypeAlias = Callable[[int, float], None]
"""Called with the tick's number and the present time in seconds; must not block."""

PERIOD_S = FRAME_MS / 1000
ROUNDING_S = 1e-6
"""An event loop that counts whole milliseconds (uvloop) wakes up that much before a due time, and
would otherwise be asked again and again until its clock shows the next millisecond."""


class TickSchedule:
    """Numbers ticks from an absolute origin, so that lateness never adds up.

    A tick that is missed by less than a period is made up for: two follow each other, which any
    client's jitter buffer absorbs. After a longer stall the missed ticks are left out: media time
    goes on with the clock and nothing is sent in a burst.
    """

    def __init__(self, origin_s: float, period_s: float = PERIOD_S) -> None:
        self._origin_s = origin_s
        self._period_s = period_s
        self._next = 0
        self.skipped = 0
        """Ticks left out so far."""

    @property
    def due_s(self) -> float:
        """Time at which the next tick is due."""
        return self._origin_s + self._next * self._period_s

    def resume(self, now_s: float) -> None:
        """Go on after a time in which no tick was wanted; that was no stall."""
        self._next = max(self._next, math.ceil((now_s - self._origin_s) / self._period_s))

    def take(self, now_s: float) -> int | None:
        """Return the number of the tick that is due now, or None. Call again for the one made up
        for.
        """
        late_s = now_s - self.due_s
        if late_s < -ROUNDING_S:
            return None
        missed = int(max(late_s, 0.0) / self._period_s)
        if missed >= 2:
            self._next += missed
            self.skipped += missed
        number = self._next
        self._next += 1
        return number


class MediaTick:
    """Calls its subscribers on each tick of a schedule; runs only while it is wanted."""

    def __init__(self) -> None:
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
        """Call that once, when all have had their next tick; must not block."""
        self._afterwards.append(callback)
        self._start()

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
        now_s = asyncio.get_running_loop().time()
        if self.observe_lateness_s is not None:
            self.observe_lateness_s(now_s - self._schedule.due_s)
        while (number := self._schedule.take(now_s)) is not None:
            for on_tick in list(self._subscribers):
                if on_tick not in self._subscribers:
                    continue  # unsubscribed by one before it
                try:
                    on_tick(number, now_s)
                except Exception:  # one session's fault must not silence the others
                    logger.exception("A session's media tick failed; it gets no more")
                    self.unsubscribe(on_tick)
        afterwards, self._afterwards = self._afterwards, []
        for callback in afterwards:
            try:
                callback()
            except Exception:
                logger.exception("What was to follow a media tick failed")
        self._awake = False
        if self._is_wanted:
            self._sleep()


_ticks: WeakKeyDictionary[asyncio.AbstractEventLoop, MediaTick] = WeakKeyDictionary()


def shared_tick() -> MediaTick:
    """Return the tick that all media of the running loop share."""
    loop = asyncio.get_running_loop()
    tick = _ticks.get(loop)
    if tick is None:
        tick = _ticks[loop] = MediaTick()
    return tick

"""The 20 ms beat that all sessions share: one timer and one wake-up for all of them."""

import asyncio
import logging
import math
from collections.abc import Callable
from typing import TypeAlias

from rtc_server.clock import Clock
from rtc_server.pcm import FRAME_MS

logger = logging.getLogger(__name__)

OnTick: TypeAlias = Callable[[int, float], None]
"""Called with the tick's number and the present time in seconds; must not block."""
OnFailure: TypeAlias = Callable[[Exception], None]
"""Called once when an `OnTick` raised; it is not called again."""

PERIOD_S = FRAME_MS / 1000


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
        """When the next tick is due."""
        return self._origin_s + self._next * self._period_s

    def resume(self, now_s: float) -> None:
        """Go on after a time in which no tick was wanted; that was no stall."""
        self._next = max(self._next, math.ceil((now_s - self._origin_s) / self._period_s))

    def take(self, now_s: float) -> int | None:
        """The number of the tick that is due now, or None. Call again for the one made up for."""
        late_s = now_s - self.due_s
        if late_s < 0:
            return None
        missed = int(late_s / self._period_s)
        if missed >= 2:
            self._next += missed
            self.skipped += missed
        number = self._next
        self._next += 1
        return number


class MediaTick:
    """Runs the schedule. Who subscribes is called on each tick, in order of subscription."""

    def __init__(
        self, clock: Clock, observe_lateness_s: Callable[[float], None] = lambda _: None
    ) -> None:
        """`clock` is the running loop's; each tick's lateness is observed."""
        self._clock = clock
        self._observe_lateness_s = observe_lateness_s
        self._schedule = TickSchedule(clock())
        self._subscribers: dict[OnTick, OnFailure] = {}
        self._wanted = asyncio.Event()

    @property
    def skipped(self) -> int:
        """Ticks left out after stalls while anyone was subscribed."""
        return self._schedule.skipped

    def subscribe(self, on_tick: OnTick, on_failure: OnFailure) -> None:
        """Call `on_tick` from the next tick on."""
        self._subscribers[on_tick] = on_failure
        self._wanted.set()

    def unsubscribe(self, on_tick: OnTick) -> None:
        """Stop calling it; harmless when it is not subscribed."""
        self._subscribers.pop(on_tick, None)

    async def run(self) -> None:
        """Tick until cancelled. Sleeps while nobody listens."""
        schedule, clock = self._schedule, self._clock
        while True:
            if not self._subscribers:
                self._wanted.clear()
                await self._wanted.wait()
                schedule.resume(clock())
            await asyncio.sleep(schedule.due_s - clock())
            now_s = clock()
            due_s = schedule.due_s
            while (number := schedule.take(now_s)) is not None:
                self._observe_lateness_s(now_s - due_s)
                due_s = schedule.due_s
                self._tick(number, now_s)

    def _tick(self, number: int, now_s: float) -> None:
        for on_tick, on_failure in list(self._subscribers.items()):
            if on_tick not in self._subscribers:
                continue  # unsubscribed by one before it
            try:
                on_tick(number, now_s)
            except Exception as error:  # one session's fault must not silence the others
                logger.exception("a session failed on the media tick and is taken off it")
                self.unsubscribe(on_tick)
                on_failure(error)

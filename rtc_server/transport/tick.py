"""One 20 ms timer for all sessions of an event loop.

A timer per session costs a wake-up per session and frame; on a shared machine the wake-up is
dearer than the frame. Ticks keep to an absolute origin, so delays do not add up; after a stall
the ticks that were missed are left out, never made up in a burst.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, TypeAlias
from weakref import WeakKeyDictionary

from rtc_server.pcm import FRAME_MS

logger = logging.getLogger(__name__)

PERIOD_S: Final = FRAME_MS / 1000

OnTick: TypeAlias = Callable[[int], None]
"""Told how many periods have passed since its last tick: 1, or more after a stall."""


class Ticker:
    """Calls its subscribers every 20 ms; runs only while there are any."""

    def __init__(self) -> None:
        self._subscribers: dict[OnTick, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0

    def subscribe(self, on_tick: OnTick) -> None:
        """Call `on_tick` from the next tick on."""
        self._subscribers[on_tick] = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._due_s = loop.time() + PERIOD_S
            self._timer = loop.call_at(self._due_s, self._tick)

    def unsubscribe(self, on_tick: OnTick) -> None:
        """Stop calling it. Harmless when it was not subscribed."""
        self._subscribers.pop(on_tick, None)
        if not self._subscribers and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        late_s = loop.time() - self._due_s
        periods = 1 + max(0, int(late_s / PERIOD_S))
        self._due_s += periods * PERIOD_S
        self._timer = loop.call_at(self._due_s, self._tick)
        for on_tick in list(self._subscribers):
            try:
                on_tick(periods)
            except Exception:
                # One session's fault must not silence the others.
                logger.exception("A session's tick failed; it gets no more")
                self.unsubscribe(on_tick)


_tickers: WeakKeyDictionary[asyncio.AbstractEventLoop, Ticker] = WeakKeyDictionary()


def shared_ticker() -> Ticker:
    """The running loop's ticker."""
    loop = asyncio.get_running_loop()
    ticker = _tickers.get(loop)
    if ticker is None:
        ticker = _tickers[loop] = Ticker()
    return ticker

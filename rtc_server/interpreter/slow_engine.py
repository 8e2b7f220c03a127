"""Warning to a user that an engine is late.

An engine's deadline is what its slowest honest answer may take, seconds with a large model; a
person who hears nothing for two wants to know that they were heard. The answer is waited for all
the same.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rtc_server.clock import Clock
from rtc_server.events.server import ServerEvent, WarningEvent

PATIENCE_S = 1.6
"""Time from the request to the warning. With the pause that ends a sentence, a person is warned
before two seconds are over."""


class SlowEngineNotice:
    """Warning that an engine is late, given once, and again only after it was in time."""

    def __init__(self, message: str, emit: Callable[[ServerEvent], None], clock: Clock) -> None:
        self._message, self._emit, self._clock = message, emit, clock
        self._reported = False

    @contextmanager
    def waiting(self, since_s: float) -> Iterator[Callable[[], None]]:
        """Wait inside for what was asked at `since_s`, and call what this gives when it comes."""
        late_s, loop = since_s + PATIENCE_S, asyncio.get_running_loop()
        timer = loop.call_later(max(late_s - self._clock(), 0), self._late)

        def came() -> None:
            timer.cancel()
            if self._clock() < late_s:
                self._reported = False

        try:
            yield came
        finally:
            timer.cancel()

    def _late(self) -> None:
        if not self._reported:
            self._reported = True
            self._emit(WarningEvent("engine_slow", self._message))

"""Warning to a user that an engine is late.

An engine's deadline allows its slowest correct answer, which takes seconds with a large model. A
person who gets nothing for two seconds wants to know that their speech was received. The answer is
still awaited.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rtc_server.clock import Clock
from rtc_server.events.server import ServerEvent, WarningEvent

PATIENCE_S = 1.6
"""Time from the request to the warning. With the hangover it is less than two seconds after the
last word."""


class SlowEngineNotice:
    """Warning that an engine is late: sent once, and again only after an answer came in time."""

    def __init__(self, message: str, emit: Callable[[ServerEvent], None], clock: Clock) -> None:
        self._message, self._emit, self._clock = message, emit, clock
        self._reported = False

    @contextmanager
    def waiting(self, since_s: float) -> Iterator[Callable[[], None]]:
        """Warn if the block waits too long for a request made at `since_s`. Call the function that
        is yielded when the answer comes.
        """
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

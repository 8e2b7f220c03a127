"""Numbers and times of the 20 ms ticks. Pure: time is an argument."""

import math

from rtc_server.pcm import FRAME_MS

PERIOD_S = FRAME_MS / 1000
ROUNDING_S = 1e-6
"""Time by which a tick may be taken early. An event loop that counts whole milliseconds (uvloop)
wakes up slightly early; otherwise it would wake up again and again until the next millisecond."""


class TickSchedule:
    """Schedule of ticks, numbered from an absolute origin so that lateness never adds up.

    If the process wakes up less than two periods late, the missed tick is made up for: two follow
    each other, which any client's jitter buffer absorbs. After a longer stall the missed ticks are
    left out: media time follows the clock, and nothing is sent in a burst.
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
        """Go on after a time without subscribers. Its ticks do not count as skipped."""
        self._next = max(self._next, math.ceil((now_s - self._origin_s) / self._period_s))

    def take(self, now_s: float) -> int | None:
        """Return the number of a tick that is due now, or None. Call it until it returns None: two
        may be due.
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

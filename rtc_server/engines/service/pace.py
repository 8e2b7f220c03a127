"""Detection of calls that take longer than they should; time is an argument."""

import math

from rtc_server.engines.hang import CallLimits

_SLOW_S = 10.0
"""Seconds for which an engine counts as slow after a slow call."""


class ServicePace:
    """Current calls of one service, and the time of its latest slow one."""

    def __init__(self, wait_s: float) -> None:
        """`wait_s`: seconds that a request may wait for its turn while the engine is not slow."""
        # A final waits for the current call and perhaps one before it: two calls have to fit.
        self._usual_s = wait_s / 2
        self._calls: dict[int, tuple[float, float]] = {}
        """Start of the current call of each process, and the seconds that its work may take."""
        self._slow_until_s = -math.inf

    def begin(self, limits: CallLimits, now_s: float, process: int = 0) -> None:
        """Begin a call in one of the engine's processes, or the next piece of one."""
        self._calls[process] = (now_s, limits.work_s)

    def end(self, now_s: float, process: int = 0) -> None:
        """End a call."""
        if self._is_long(now_s):
            self._slow_until_s = now_s + _SLOW_S
        self._calls.pop(process, None)

    def late_s(self, now_s: float) -> float:
        """Return the seconds by which the current call exceeds its limit; negative or 0 within it.

        Of several processes it is the least late: that one takes what waits.
        """
        late_s = (now_s - began_s - work_s for began_s, work_s in self._calls.values())
        return min(late_s, default=0.0)

    def is_slow(self, now_s: float) -> bool:
        """Return True if the current call takes too long, or a recent one did.

        A call within its own limit is too long, too, if requests behind it would fail.
        """
        return now_s < self._slow_until_s or self._is_long(now_s)

    def _is_long(self, now_s: float) -> bool:
        return any(
            now_s - began_s > min(work_s, self._usual_s) for began_s, work_s in self._calls.values()
        )

"""Calls of an engine that take longer than they should: a plain object fed time."""

import math

from rtc_server.engines.hang import CallLimits

_SLOW_S = 10.0
"""Time for which an engine counts as slow after a call that was."""


class ServicePace:
    """The call of one service that is under way, and those that were slow lately."""

    def __init__(self, wait_s: float) -> None:
        """`wait_s`: time that a thing may wait for its turn while the engine is not slow."""
        # One call under way and one that goes first must fit: a final waits for a partial to end.
        self._usual_s = wait_s / 2
        self._calls: dict[int, tuple[float, float]] = {}
        """Beginning of the call under way in each process, and the work it may be."""
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
        """Return how long the call under way is beyond its limit; negative or 0 within it.

        Of several processes that of the least late: it takes what waits.
        """
        late_s = (now_s - began_s - work_s for began_s, work_s in self._calls.values())
        return min(late_s, default=0.0)

    def is_slow(self, now_s: float) -> bool:
        """Return whether the call under way takes longer than it should, or one lately did.

        Than it should is also: so long that what waits would fail behind calls that are all right.
        """
        return now_s < self._slow_until_s or self._is_long(now_s)

    def _is_long(self, now_s: float) -> bool:
        return any(
            now_s - began_s > min(work_s, self._usual_s) for began_s, work_s in self._calls.values()
        )

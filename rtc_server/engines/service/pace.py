"""Rate at which an engine serves what it is asked: a plain object fed time."""

import math
from collections import deque

from rtc_server.engines.hang import CallLimits

MOST_DELAY_S = 1.5
"""Beyond this, one more session would make all the others wait."""
_WINDOW_S = 10.0
"""Time that is looked back upon."""
_MOST_RETRY_S = 30
_RETRY_UNKNOWN_S = 5
"""Seconds after which to try again while nothing was served lately."""


class ServicePace:
    """Waiting times and rate of work of one service."""

    def __init__(self, wait_s: float) -> None:
        """`wait_s`: time that a thing may wait for its turn while the engine is not slow."""
        # One call under way and one that goes first must fit: a final waits for a partial to end.
        self._usual_s = wait_s / 2
        self._began_s: float | None = None
        self._work_s = 0.0
        self._slow_until_s = -math.inf
        self._served: deque[tuple[float, float]] = deque()
        """(when, how long it had waited), of the last `_WINDOW_S`."""

    def begin(self, limits: CallLimits, now_s: float) -> None:
        """Begin a call, or the next piece of one."""
        self._began_s, self._work_s = now_s, limits.work_s

    def end(self, now_s: float) -> None:
        """End a call."""
        if self._is_long(now_s):
            self._slow_until_s = now_s + _WINDOW_S
        self._began_s = None

    def serve(self, waited_s: float, now_s: float) -> None:
        """Note that something waited so long for its turn."""
        self._served.append((now_s, waited_s))
        self._forget(now_s)

    def is_slow(self, now_s: float) -> bool:
        """Return whether the call under way takes longer than it should, or one lately did.

        Than it should is also: so long that what waits would fail behind calls that are all right.
        """
        return now_s < self._slow_until_s or self._is_long(now_s)

    def retry_after_s(self, waiting: int, oldest_s: float, now_s: float) -> int:
        """Return when another session can be carried: whole seconds, 0 for at once.

        Args:
            waiting: things that wait for their turn.
            oldest_s: how long the oldest of them has waited.
            now_s: the time.
        """
        self._forget(now_s)
        waits_s = [waited_s for _, waited_s in self._served]
        usual_s = sum(waits_s) / len(waits_s) if waits_s else 0.0
        if max(usual_s, oldest_s, self._late_s(now_s)) <= MOST_DELAY_S:
            return 0
        if not waits_s:
            return _RETRY_UNKNOWN_S
        return max(1, min(_MOST_RETRY_S, math.ceil(waiting * _WINDOW_S / len(waits_s))))

    def _is_long(self, now_s: float) -> bool:
        most_s = min(self._work_s, self._usual_s)
        return self._began_s is not None and now_s - self._began_s > most_s

    def _late_s(self, now_s: float) -> float:
        return 0.0 if self._began_s is None else now_s - self._began_s - self._work_s

    def _forget(self, now_s: float) -> None:
        while self._served and self._served[0][0] < now_s - _WINDOW_S:
            self._served.popleft()

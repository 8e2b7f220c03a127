"""Rate at which sessions end, measured: when it pays to ask a full server again. Pure."""

import math
from collections import deque

_WINDOW_S = 300.0
"""Time that is looked back upon."""
_MOST_ENDS = 1000
_LEAST_RETRY_S = 2
_MOST_RETRY_S = 60
RETRY_UNKNOWN_S = 5
"""Seconds after which to try again while no session ended lately."""


class Turnover:
    """Ends of sessions, and what they say about the next one."""

    def __init__(self) -> None:
        self._ends_s: deque[float] = deque(maxlen=_MOST_ENDS)

    def end(self, now_s: float) -> None:
        """A place has become free."""
        self._ends_s.append(now_s)

    def retry_after_s(self, now_s: float) -> int:
        """Return the usual time between two ends, in whole seconds.

        One end says that there was one in so long; of more, the time since the first is shared.
        """
        while self._ends_s and self._ends_s[0] < now_s - _WINDOW_S:
            self._ends_s.popleft()
        if not self._ends_s:
            return RETRY_UNKNOWN_S
        usual_s = (now_s - self._ends_s[0]) / len(self._ends_s)
        return max(_LEAST_RETRY_S, min(_MOST_RETRY_S, math.ceil(usual_s)))

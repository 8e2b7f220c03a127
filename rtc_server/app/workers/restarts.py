"""Delay before a worker that ended is started again. Pure: time is an argument."""

from dataclasses import dataclass

FIRST_S = 0.2
LONGEST_S = 30.0
CALM_S = 60.0
"""A worker that ran for so long begins anew with the shortest delay."""


@dataclass(slots=True)
class WorkerRestarts:
    """Ends of one worker after another in the same place."""

    _failures: int = 0
    _began_s: float = 0.0

    def began(self, now_s: float) -> None:
        """Note that a process was started."""
        self._began_s = now_s

    def delay_s(self, now_s: float) -> float:
        """Note that it has ended unasked; return the seconds until the next one is started."""
        if now_s - self._began_s >= CALM_S:
            self._failures = 0
        delay_s = min(FIRST_S * 2.0**self._failures, LONGEST_S)
        self._failures = min(self._failures + 1, 32)
        return delay_s

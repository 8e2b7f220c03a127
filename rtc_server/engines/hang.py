"""Distinction of a hung engine from a slow one: a plain object fed time and signs of work.

Wall time is not enough: on a busy machine a sound call takes ten times as long, and loading its
engine again makes the machine busier still. So a call counts as hung when its process shows no sign
of work for a while; the server waits for one that works, up to a limit.
"""

from dataclasses import dataclass
from enum import StrEnum

LOOK_S = 0.25
"""Time between two looks at a process during a call."""
_MOST_COUNTED_S = 2 * LOOK_S
"""Largest time that one look adds to a call: while the server itself did not run, it knew nothing
of the engine."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Time limits of one call."""

    quiet_s: float
    """Longest time without a sign of work, where processor times can be read."""
    work_s: float
    """Longest time of the call while nothing else keeps the machine busy."""
    patience_s: float
    """Time that a call may take beyond `work_s` while it works."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Activity of a process as the system reports it."""

    cpu_s: float
    """Processor time of all its threads so far, in seconds."""
    wants_cpu: bool
    """True if a thread is ready to run, or waits for a disk: then the machine is slow."""


class Verdict(StrEnum):
    """Result of a look at a call."""

    WORKS = "works"
    QUIET = "quiet"
    """Hung: no sign of work for too long."""
    ENDLESS = "endless"
    """Hung: it works, and does not end in time."""


class CallWatch:
    """One call of one process."""

    def __init__(self, limits: CallLimits, now_s: float) -> None:
        self.limits = limits
        """Limits of the call."""
        self.counted_s = 0.0
        """Time that the call has taken so far, without standstills of the server."""
        self._looked_s = now_s
        self._quiet_s = 0.0
        self._cpu_s: float | None = None

    def beat(self) -> None:
        """Note a heartbeat of the engine's own thread."""
        self._quiet_s = 0.0

    def look(self, now_s: float, activity: Activity | None) -> Verdict:
        """Judge the call now.

        Without `activity`, which not every system reports, only heartbeats are signs of work, and
        silence may last as long as the whole call should.
        """
        passed_s = min(now_s - self._looked_s, _MOST_COUNTED_S)
        self._looked_s = now_s
        self.counted_s += passed_s
        self._quiet_s = 0.0 if self._worked(activity) else self._quiet_s + passed_s
        limits = self.limits
        if self._quiet_s >= (limits.work_s if activity is None else limits.quiet_s):
            return Verdict.QUIET
        if self.counted_s >= limits.work_s + limits.patience_s:
            return Verdict.ENDLESS
        return Verdict.WORKS

    def _worked(self, activity: Activity | None) -> bool:
        if activity is None:
            return False
        before_s, self._cpu_s = self._cpu_s, activity.cpu_s
        return activity.wants_cpu or (before_s is not None and activity.cpu_s > before_s)

"""Room of an engine for one session more: a plain object fed with its calls.

What the next session would meet is predicted, not only measured: a queue that is too long has been
too long for its sessions already, and those admitted meanwhile make it longer. The prediction is
that of a queue with one server (M/G/1): waiting grows with the load divided by what is left of it.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

_WINDOW_S = 20.0
"""Time that is looked back upon: some sentences of each session."""
_SPOKE_S = 4.0
"""Time for which a session has spoken and paused before its first answer, as is assumed."""
_FULL = 0.95
"""Load beyond which no queue is short for long."""
_P95_OF_MEAN = 3.0
"""95th percentile of a waiting time that is distributed exponentially, in means (ln 20)."""
_UNEVEN = 1.6
"""Waiting in reality, in predicted waiting: sentences come in groups, and newcomers are counted
only after their first answer. With 1 an engine that takes 20 ms and 120 ms for each second of
audio, four at once, admits so many that p95 is 1.35 s."""
_MOST_RETRY_S = 30
_RETRY_UNKNOWN_S = 5
"""Seconds after which to try again when no queue says how long it takes to empty."""


@dataclass(frozen=True, slots=True)
class _Answered:
    ended_s: float
    session_id: str
    waited_s: float
    took_s: float
    """Duration of the call."""
    size: int
    """Answers of the same call, with this one."""
    most: int
    """Answers that one call may give at most."""


class Headroom:
    """Recent answers of one engine, and the prediction for one session more."""

    def __init__(self, limit_s: float, processes: int = 1) -> None:
        """`limit_s`: time within which 19 of 20 answers should come; 0 never refuses. Several
        processes that share a queue count as one that is so much faster.
        """
        self._limit_s, self._processes = limit_s, processes
        self._answers: deque[_Answered] = deque()
        self._first_s: dict[str, float] = {}
        """Time of each session's first answer: who speaks seldom is no newcomer each time."""

    def add(
        self, waits_s: Iterable[tuple[str, float]], took_s: float, most: int, now_s: float
    ) -> None:
        """Note a call that ended.

        Args:
            waits_s: (session, time that it waited) of each thing the call answered; what may be
                left out under load (partials) is no part of it.
            took_s: duration of the call.
            most: answers that one call may give.
            now_s: the time.
        """
        waits = list(waits_s)
        for session_id, _ in waits:
            self._first_s.setdefault(session_id, now_s)
        self._answers.extend(
            _Answered(now_s, session_id, waited_s, took_s, len(waits), most)
            for session_id, waited_s in waits
        )
        self._forget_old(now_s)

    def forget(self, session_id: str) -> None:
        """Take out what a session caused: it is over."""
        self._answers = deque(each for each in self._answers if each.session_id != session_id)
        self._first_s.pop(session_id, None)

    def retry_after_s(self, waiting: int, oldest_s: float, now_s: float) -> int:
        """Return when another session can be carried: whole seconds, 0 for at once.

        Args:
            waiting: things that wait for their turn.
            oldest_s: how long the oldest of them has waited.
            now_s: the time.
        """
        if not self._limit_s:
            return 0
        self._forget_old(now_s)
        if not self._answers:
            return _RETRY_UNKNOWN_S if oldest_s > self._limit_s else 0
        fixed_s, each_s = self._costs_s()
        most = max(each.most for each in self._answers)
        took_s = _p95(each.took_s for each in self._answers)
        cost_s = (fixed_s / most + each_s) / self._processes
        predicted_s = took_s + self._wait_with_another_s(cost_s, now_s)
        measured_s = _p95(each.waited_s + each.took_s for each in self._answers)
        if max(oldest_s, measured_s, predicted_s) <= self._limit_s:
            return 0
        # As long as the queue takes to empty; without one, until sessions have paused or ended.
        empty_s = math.ceil(waiting * _WINDOW_S / len(self._answers))
        return min(_MOST_RETRY_S, max(empty_s, _RETRY_UNKNOWN_S))

    def _wait_with_another_s(self, cost_s: float, now_s: float) -> float:
        """Return the 95th percentile of waiting times with one session more of the same kind.

        `cost_s` is the engine's time for one answer, in calls with as many as there may be.
        """
        load = sum(
            cost_s / min(_WINDOW_S, _SPOKE_S + now_s - self._first_s[each.session_id])
            for each in self._answers
        )
        load *= 1 + 1 / len({each.session_id for each in self._answers})
        if load >= _FULL:
            return math.inf
        # What is left of a running call on average; each call is as many answers as its size.
        square = sum(each.took_s**2 / each.size for each in self._answers)
        total_s = sum(each.took_s / each.size for each in self._answers)
        rest_s = square / total_s / 2 if total_s else 0.0
        return _UNEVEN * _P95_OF_MEAN * load / (1 - load) * rest_s / self._processes

    def _costs_s(self) -> tuple[float, float]:
        """Return the time that a call always takes, and that for each answer (least squares).

        On a GPU nearly all of it may be the first. On a CPU it is the second, which is also assumed
        while all calls had the same size.
        """
        size = fmean(each.size for each in self._answers)
        took_s = fmean(each.took_s for each in self._answers)
        spread = sum((each.size - size) ** 2 for each in self._answers)
        each_s = took_s / size
        if spread:
            together = sum((each.size - size) * (each.took_s - took_s) for each in self._answers)
            each_s = min(max(together / spread, 0.0), each_s)
        return took_s - each_s * size, each_s

    def _forget_old(self, now_s: float) -> None:
        while self._answers and self._answers[0].ended_s < now_s - _WINDOW_S:
            self._answers.popleft()


def _p95(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[math.ceil(0.95 * len(ordered)) - 1]

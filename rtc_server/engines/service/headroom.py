"""Room of an engine for one session more; sessions, calls and time are arguments.

What the next session would meet is forecast, not only measured: a queue that is too long has been
too long for its sessions already. Those that were admitted and have no answer yet count as if they
spoke like the others, or like somebody who speaks all the time while there are no others.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rtc_server.engines.service.engine_costs import EngineCosts, LearnedCosts
from rtc_server.engines.service.forecast import USUAL_SENTENCES, Engine, Sentence, busier, carries

_WINDOW_S = 20.0
"""Seconds of the past that count: some sentences of each session."""
_NEWCOMER_S = 60.0
"""Seconds for which an admitted session without speech counts."""
_LONGEST_PAUSE_S = 60.0
"""Time after which a session's next question counts as its first. A call may end after its session
was forgotten, and would leave its time here for good."""
_MOST_NEWCOMERS = 4096
"""Newcomers that are counted; beyond it the earliest are left out."""
_SENTENCES = 256
"""Latest sentences that the next session's are drawn from."""
_TELLING = 8
"""Sentences that count by themselves: people may speak more than is usual. Calls, too, each of
which changes what is known of the engine so much that there is a new forecast."""
_PARTIALS = 256
"""Latest partials that count. While fewer are known, the longest may not be among them."""
_SURE = 0.8
"""Part of the limit that a forecast may reach. Some minutes of the same people can have a 95th
percentile a quarter above that of hours, and what is known of people and engine is a sample."""
_UNKNOWN = EngineCosts(0.0, 0.05, 0.05)
"""Costs of an engine that was not called yet: a laptop's. With those of one that carries three, a
fourth is refused for a minute where the first are silent, however quick the engine."""
_REFUSES_S = 5.0
"""Time for which a forecast refuses as many sessions or more, as long as they are to wait. Making
one takes some milliseconds, and asking often finds a moment that looks better."""
_CARRIES_S = 20.0
"""Time for which a forecast carries as many sessions or fewer. Pings ask four times a second, and
whoever comes makes one more, of whom there is a new forecast."""
_NO_FORECAST = (0, -math.inf, True)
_MOST_RETRY_S = 30
_RETRY_UNKNOWN_S = 5
"""Seconds after which to try again when no queue says how long it takes to empty."""


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """One request of a call, for admission."""

    session_id: str
    """Session of the request."""
    waited_s: float
    """Time that it waited for its turn."""
    speech_s: float
    """Length of the speech in seconds."""
    partial: bool = False
    """True for a request that may be left out under load."""


@dataclass(frozen=True, slots=True)
class _RecentAnswer:
    ended_s: float
    session_id: str
    after_s: float
    """Seconds from the request to the answer."""


class Headroom:
    """Sessions and recent answers of one engine, and the forecast for one session more."""

    def __init__(self, limit_s: float, processes: int = 1) -> None:
        """Aim at 19 of 20 answers within `limit_s`; 0 never refuses. Several
        `processes` share one queue.
        """
        self.limit_s = limit_s
        """Seconds that 19 of 20 answers should take at most."""
        self._processes, self._most = processes, 1
        self._costs = LearnedCosts(_UNKNOWN)
        self._partial_costs = LearnedCosts(_UNKNOWN)
        """Costs of calls about partials: an engine may do less for them. They have several answers,
        too, while segments come alone and do not say what another answer costs."""
        self._partials_s: deque[float] = deque(maxlen=_PARTIALS)
        """Lengths of partials' speech in seconds."""
        self._sentences: deque[Sentence] = deque(maxlen=_SENTENCES)
        self._answers: deque[_RecentAnswer] = deque()
        self._asked_s: dict[str, float] = {}
        """Time of each session's last request, roughly the oldest first."""
        self._newcomers: dict[str, float] = {}
        """Time of admission of sessions without an answer, the oldest first."""
        self._forecast = _NO_FORECAST
        """Latest forecast: number of sessions, time, and true if they can be carried."""

    def late_alone_s(self, speech_s: float) -> float:
        """Return the seconds that an answer takes without others; 0 if in time or not known."""
        costs = self._costs.current()
        alone_s = 0.0 if costs is _UNKNOWN else costs.of(1, speech_s)
        return alone_s if 0 < self.limit_s < alone_s else 0.0

    def assume(self, speech_s: float, took_s: float) -> None:
        """Record a call that answered nobody, for as long as the engine was not called."""
        self._costs.assume(speech_s, took_s)

    def expect(self, session_id: str, now_s: float) -> None:
        """Count a session that was admitted as usual, until its first answer."""
        self._newcomers.pop(session_id, None)
        self._newcomers[session_id] = now_s
        self._forget_old(now_s)

    def add(
        self,
        served: Sequence[ServedRequest],
        took_s: float,
        most: int,
        now_s: float,
        *,
        completed: bool = True,
    ) -> None:
        """Record a call that ended.

        Args:
            served: requests of the call.
            took_s: duration of the call in seconds.
            most: most answers of one call.
            now_s: the time.
            completed: False if it failed or was ended early: its time says nothing of what calls
                cost. An engine that hung took as long as it was let, and a text that was
                interrupted next to nothing.
        """
        self._most = most
        finals = [each for each in served if not each.partial]
        if not finals:
            self._partials_s.extend(each.speech_s for each in served)
            if completed:
                self._partial_costs.add(len(served), sum(each.speech_s for each in served), took_s)
            return
        if completed:
            self._costs.add(len(served), sum(each.speech_s for each in served), took_s)
            if self._costs.calls <= _TELLING:
                self._forecast = _NO_FORECAST
        for each in finals:
            self._newcomers.pop(each.session_id, None)
            asked_s = now_s - took_s - each.waited_s
            if (before_s := self._asked_s.pop(each.session_id, None)) is not None:
                after_s = min(max(asked_s - before_s, 0.0), _WINDOW_S)
                self._sentences.append(Sentence(after_s, each.speech_s))
            self._asked_s[each.session_id] = asked_s
            self._answers.append(_RecentAnswer(now_s, each.session_id, each.waited_s + took_s))
        self._forget_old(now_s)

    def forget(self, session_id: str) -> None:
        """Stop counting a session that is over."""
        self._answers = deque(each for each in self._answers if each.session_id != session_id)
        self._asked_s.pop(session_id, None)
        self._newcomers.pop(session_id, None)

    def retry_after_s(self, waiting: int, oldest_s: float, now_s: float) -> int:
        """Return the whole seconds until another session can be carried; 0 for at once.

        Args:
            waiting: number of requests that wait for their turn.
            oldest_s: seconds for which the oldest of them has waited.
            now_s: the time.
        """
        if not self.limit_s:
            return 0
        self._forget_old(now_s)
        measured_s = _p95(each.after_s for each in self._answers)
        late = max(oldest_s, measured_s) > self.limit_s
        if not late and self._carries_another(now_s):
            return 0
        # As long as the queue takes to empty; without one, until sessions have paused or ended.
        empty_s = math.ceil(waiting * _WINDOW_S / max(len(self._answers), 1))
        return min(_MOST_RETRY_S, max(empty_s, _RETRY_UNKNOWN_S))

    def _carries_another(self, now_s: float) -> bool:
        sessions = len({each.session_id for each in self._answers} | self._newcomers.keys())
        if not sessions:
            return True  # the only session is admitted however slow the engine: it delays no other
        known, at_s, carried = self._forecast
        stays_s = _CARRIES_S if carried else _REFUSES_S
        says_so = sessions <= known if carried else sessions >= known
        if not says_so or now_s - at_s >= stays_s:
            carried = self._forecast_with(sessions + 1)
            self._forecast = (sessions, now_s, carried)
        return carried

    def _forecast_with(self, sessions: int) -> bool:
        costs, of_partials = self._costs.current(), self._partial_costs
        engine = Engine(
            costs,
            self._most,
            self._processes,
            self._longest_partial_s(),
            of_partials.current() if of_partials.calls >= _TELLING else costs,
        )
        limit_s = _SURE * self.limit_s
        known = busier(self._sentences) if self._sentences else ()
        # Usual sentences count with the known ones: a few sentences alone depend on chance.
        if not carries(engine, sessions, known + USUAL_SENTENCES, limit_s):
            return False
        return len(known) < _TELLING or carries(engine, sessions, known, limit_s)

    def _longest_partial_s(self) -> float:
        """Return the most seconds of speech of a partial, as far as that is known; 0 for none."""
        if 0 < len(self._partials_s) < _PARTIALS:
            return math.inf
        return max(self._partials_s, default=0.0)

    def _forget_old(self, now_s: float) -> None:
        while self._answers and self._answers[0].ended_s < now_s - _WINDOW_S:
            self._answers.popleft()
        _drop_until(self._asked_s, now_s - _LONGEST_PAUSE_S)
        _drop_until(self._newcomers, now_s - _NEWCOMER_S)
        while len(self._newcomers) > _MOST_NEWCOMERS:
            del self._newcomers[next(iter(self._newcomers))]


def _drop_until(times_s: dict[str, float], until_s: float) -> None:
    """Remove the items up to `until_s`, from the beginning to the first later one."""
    while times_s and times_s[first := next(iter(times_s))] <= until_s:
        del times_s[first]


def _p95(values: Iterable[float]) -> float:
    """Return the 95th percentile; 0 if there are no values."""
    ordered = sorted(values)
    return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else 0.0

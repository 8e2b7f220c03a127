"""Forecast of an engine's answers: a simulation of its queue with a number of sessions.

A formula would be shorter, but far off for engines that answer several requests in one call: the
cost of a call depends on how many wait together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace
from itertools import product
from statistics import fmean
from typing import NamedTuple

import numpy as np

from rtc_server.engines.service.engine_costs import EngineCosts

_ANSWERS = 2000
"""Answers of a simulation. With 600, chance moves their 95th percentile by a tenth."""
_LATE = 0.05
"""Share of the answers that may be late."""
_FIRST = 0.25
"""Part of the answers that decides where 19 of 20 of them take half of the time at most. Of 200
crowds that were too many for their engines, drawn at random, none looked like that."""
_MEMORY_S = 30.0
"""Time for which the work done for a session counts, as in `FairQueue`."""
_FULL = 0.9
"""Load above which a queue grows for longer than the simulation lasts."""
_PARTIAL_S = 0.25
"""Speech of a first partial, and least time between two: captions ask for them so often."""
_PLAYED = 2
"""Latest calls of partials of an idle time that are played; how it began does not matter."""
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
_MOST_CALLS = 4000
"""Calls of a simulation, those of partials too. It runs on the event loop, where a call takes one
to two microseconds and audio is due each 20 ms."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Sentence of a session: its time and its length."""

    after_s: float
    """Seconds since the session's sentence before."""
    speech_s: float
    """Length of the speech in seconds."""


_SPEECH_S, _PAUSE_S = np.linspace(1.5, 5.0, 8).tolist(), np.linspace(0.6, 3.5, 8).tolist()
USUAL_SENTENCES = tuple(
    Sentence(speech_s + pause_s, speech_s) for speech_s, pause_s in product(_SPEECH_S, _PAUSE_S)
)
"""Sentences of a person who speaks all the time."""


def busier(sentences: Sequence[Sentence]) -> tuple[Sentence, ...]:
    """Return sentences that follow each other as much sooner as the sample may be too quiet.

    That is by the standard error of the share of time in which people speak: the next minutes are
    another sample. Of 256 sentences they come 1 % sooner, of 64 it is 2.5 %.
    """
    after_s, speech_s = np.array([(each.after_s, each.speech_s) for each in sentences]).T
    share = speech_s.sum() / max(after_s.sum(), 1e-9)
    error = np.std(speech_s - share * after_s) / max(speech_s.mean(), 1e-9) / len(sentences) ** 0.5
    sooner = 1.0 + float(error)
    return tuple(Sentence(each.after_s / sooner, each.speech_s) for each in sentences)


@dataclass(frozen=True, slots=True)
class Engine:
    """Engine in the simulation."""

    costs: EngineCosts
    """Time that its calls take."""
    most: int
    """Most answers of one call."""
    processes: int = 1
    """Processes that share the queue."""
    partial_s: float = 0.0
    """Most seconds of speech of a partial; 0 if there are no partials."""
    partial_costs: EngineCosts | None = None
    """Time that calls of partials take; None for as much as others."""

    def load(self, sessions: int, sentences: Sequence[Sentence]) -> float:
        """Return the share of time in which the engine works, with the fullest possible calls."""
        per_call = fmean(each.speech_s for each in sentences) * self.most
        cost_s = self.costs.of(self.most, per_call) / self.most / self.processes
        return sessions * cost_s / max(fmean(each.after_s for each in sentences), 1e-9)


def carries(engine: Engine, sessions: int, sentences: Sequence[Sentence], limit_s: float) -> bool:
    """Return True if 19 of 20 answers would come within a time limit.

    Args:
        engine: the engine.
        sessions: number of sessions that speak.
        sentences: sentences to draw each session's from, with the same seed at each call.
        limit_s: the time limit.
    """
    if engine.load(sessions, sentences) > _FULL:
        return False
    asked = _asked(sessions, sentences)
    if not engine.partial_s:
        return _Simulation(engine, asked, sessions, limit_s).is_in_time()
    # Where it would be well in time if each request met a longest call, none of them is played.
    longest_s = min(engine.partial_s, max(asked.speech_s))
    longest = (engine.partial_costs or engine.costs).of(engine.most, engine.most * longest_s)
    if _Simulation(engine, asked, sessions, limit_s, longest).is_well_in_time():
        return True
    partials = _Partials(engine, asked, sessions)
    return _Simulation(engine, asked, sessions, limit_s, partials).is_in_time()


class _Asked(NamedTuple):
    """Requests of all sessions, the first one first."""

    at_s: list[float]
    """Times of the requests, and infinity after the last."""
    session_of: list[int]
    speech_s: list[float]


class _Simulation:
    """Queue and processes of an engine, which meet the same requests each time."""

    def __init__(
        self,
        engine: Engine,
        asked: _Asked,
        sessions: int,
        limit_s: float,
        partials: "_Partials | float" = 0.0,
    ) -> None:
        """`partials`: the calls of partials, or seconds that a request waits for one."""
        self._engine, self._asked, self._limit_s, self._partials = engine, asked, limit_s, partials
        self._used = [0.0] * sessions
        self._came = 0
        """Number of requests that have come."""
        self._waiting: list[int] = []
        self._free = [(0.0, 0.0)] * engine.processes
        """Time at which each process is free, and the end of its rest from partials."""
        self._late, self._slow, self._calls = 0, 0, 0

    def is_in_time(self) -> bool:
        """Return True if 19 of 20 answers come in time, or if the first of them leave no doubt."""
        count = len(self._asked.speech_s)
        while (self._waiting or self._came < count) and self._calls < _MOST_CALLS:
            self._serve()
            if self._late > _LATE * count:
                return False
            if self._came >= _FIRST * count and self._slow <= _LATE * _FIRST * count:
                return True
        return self._late <= _LATE * self._came

    def is_well_in_time(self) -> bool:
        """Return True if the first answers leave no doubt."""
        first = _FIRST * len(self._asked.speech_s)
        while self._came < first and self._slow <= _LATE * first:
            self._serve()
        return self._slow <= _LATE * first

    def _serve(self) -> None:
        """Play the next call, and those of partials before it."""
        self._calls += 1
        at_s, session_of, speech_s = self._asked
        engine, waiting, used = self._engine, self._waiting, self._used
        now_s, rests_until_s = self._free[0]
        if not waiting and at_s[self._came] > now_s:
            now_s, rests_until_s = self._idle(at_s[self._came])
        while at_s[self._came] <= now_s:
            waiting.append(self._came)
            if isinstance(self._partials, _Partials):
                self._partials.drop(session_of[self._came])
            self._came += 1
        if len(waiting) > engine.most:  # sessions go first for which least was done lately
            waiting.sort(key=lambda each: used[session_of[each]])
        batch, self._waiting = waiting[: engine.most], waiting[engine.most :]
        # Later work counts more, instead of letting earlier work decay: comparisons come out the
        # same.
        weight = math.exp(min(now_s / _MEMORY_S, 700.0))
        all_s = 0.0
        for each in batch:
            all_s += speech_s[each]
            used[session_of[each]] += speech_s[each] * weight
        end_s = now_s + engine.costs.of(len(batch), all_s)
        heapreplace(self._free, (end_s, rests_until_s))
        for each in batch:
            after_s = end_s - at_s[each]
            self._late += after_s > self._limit_s
            self._slow += after_s > self._limit_s / 2

    def _idle(self, until_s: float) -> tuple[float, float]:
        """Play the calls of partials before a request that comes to idle processes.

        Returns:
            Time at which the first process is free, and the end of its rest.
        """
        if not isinstance(self._partials, _Partials):
            return until_s + self._partials, 0.0
        while (process := self._free[0])[0] < until_s:
            self._calls += 1
            heapreplace(self._free, self._partials.play(*process, until_s))
        return self._free[0]


class _Partials:
    """Calls of partials in the simulation, which take half of an idle time (`PartialsBrake`).

    They are played by what each session has said of its sentence, and not drawn from the lengths of
    earlier partials: a request comes at the end of a sentence, so the call that it waits for has
    that sentence in it, nearly whole. Drawn ones made the 95th percentile a fifth too short.
    """

    def __init__(self, engine: Engine, asked: _Asked, sessions: int) -> None:
        """Prepare for the requests `asked`."""
        self._costs = engine.partial_costs or engine.costs
        self._most, self._longest_s, self._took_s = engine.most, engine.partial_s, math.inf
        self._phase = 0.0
        self._later_s: list[list[float]] = [[math.inf] for _ in range(sessions)]
        """Times of the first partial of each session's later sentences, the last one first."""
        fields = zip(asked.at_s[-2::-1], asked.session_of[::-1], asked.speech_s[::-1], strict=True)
        for at_s, session, speech_s in fields:
            self._later_s[session].append(at_s - speech_s + _PARTIAL_S)
        self._first_s = [later_s.pop() for later_s in self._later_s]
        """Time of the first partial of each session's sentence without a request yet."""
        self._due = [(each_s, each_s, session) for session, each_s in enumerate(self._first_s)]
        """Partials by their times, each with the time of the sentence's first and the session. Of
        sentences that are over they stay until their turn comes."""
        heapify(self._due)

    def drop(self, session: int) -> None:
        """Go on to a session's next sentence: a request takes the place of its partial."""
        first_s = self._first_s[session] = self._later_s[session].pop()
        heappush(self._due, (first_s, first_s, session))

    def play(self, free_s: float, rests_until_s: float, until_s: float) -> tuple[float, float]:
        """Play one call of an idle process, if it can begin before the next request.

        After requests, partials begin at once if the rest is over: it is, after a long busy time.
        So a request that comes soon afterwards meets them more often than half of the time.

        Args:
            free_s: time since which the process is idle.
            rests_until_s: end of its rest from partials.
            until_s: time of the request.

        Returns:
            Time at which the process is free after that, and the end of its rest.
        """
        # Requests come at any moment of a call and its rest: each is given another one.
        self._phase = (self._phase + _GOLDEN) % 1.0
        latest_s = until_s - 2 * (_PLAYED + self._phase) * self._took_s
        begin_s = max(free_s, rests_until_s, self._next_s(), latest_s)
        if begin_s >= until_s:
            return until_s, rests_until_s
        end_s = self._call(begin_s)
        self._took_s = end_s - begin_s
        # One that is too short for the clock would never get to the request.
        return (end_s, end_s + self._took_s) if self._took_s else (until_s, rests_until_s)

    def _next_s(self) -> float:
        """Return the time of the next partial."""
        due, first_s = self._due, self._first_s
        while due[0][1] != first_s[due[0][2]]:
            heappop(due)
        return due[0][0]

    def _call(self, now_s: float) -> float:
        """Return the end of a call that begins now, with the partials that wait longest."""
        due, first_s, longest_s = self._due, self._first_s, self._longest_s
        asked: list[tuple[float, float, int]] = []
        said_s = 0.0
        while due and due[0][0] <= now_s and len(asked) < self._most:
            each = heappop(due)
            if each[1] == first_s[each[2]]:
                asked.append(each)
                said_s += min(now_s - each[1] + _PARTIAL_S, longest_s)
        end_s = now_s + self._costs.of(len(asked), said_s)
        for _, began_s, session in asked:
            after_s = _PARTIAL_S - (now_s - began_s) % _PARTIAL_S
            heappush(due, (now_s + after_s, began_s, session))
        return end_s


def _asked(sessions: int, sentences: Sequence[Sentence]) -> _Asked:
    """Return the requests of all sessions."""
    chance = np.random.default_rng(1)
    shape = sessions, -(-_ANSWERS // sessions)
    drawn = chance.permutation(np.arange(shape[0] * shape[1]) % len(sentences))
    after_s, speech_s = np.array([(each.after_s, each.speech_s) for each in sentences])[drawn].T
    at_s = after_s.reshape(shape).cumsum(axis=1)
    # Each session begins at a random point of a sentence.
    at_s -= at_s[:, :1] * chance.random((sessions, 1))
    order = at_s.ravel().argsort()[:_ANSWERS]
    times_s = at_s.ravel()[order].tolist()
    return _Asked([*times_s, math.inf], (order // shape[1]).tolist(), speech_s[order].tolist())

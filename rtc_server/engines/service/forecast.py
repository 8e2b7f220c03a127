"""Forecast of an engine's answers: a simulation of its queue with a number of sessions.

A formula would be shorter, but far off for engines that answer several requests in one call: the
cost of a call depends on how many wait together.
"""

import heapq
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean
from typing import NamedTuple

import numpy as np

_ANSWERS = 2000
"""Answers of a simulation. With 600, chance moves their 95th percentile by a tenth."""
_LATE = 0.05
"""Share of the answers that may be late."""
_FIRST = 0.25
"""Part of the answers that decides where the slowest of them takes half of the time. Of 1757 crowds
that were too many for their engines, drawn at random, none looked like that."""
_MEMORY_S = 30.0
"""Time for which the work done for a session counts, as in `FairQueue`."""
_FULL = 0.9
"""Load above which a queue grows for longer than the simulation lasts."""
_FIRST_PARTIAL_S = 0.25
"""Least speech of a partial: captions ask for the first so soon."""
_PLAYED = 5
"""Latest calls of partials of an idle time that are played; how it began does not matter."""
_CALLS = 64
"""Number of latest calls that costs are learned from."""
_DOUBT = 0.3
"""Weight of the assumption "a call costs nothing besides its answers", relative to one call. It
decides while all calls had one answer, and is outweighed once calls have had several."""


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


@dataclass(frozen=True, slots=True)
class EngineCosts:
    """Time that the calls of an engine take."""

    call_s: float
    """Fixed seconds of a call."""
    answer_s: float
    """Seconds for each answer in it."""
    speech_s: float
    """Seconds for each second of speech in it."""

    def of(self, answers: int, speech_s: float) -> float:
        """Return the duration of a call in seconds."""
        return self.call_s + self.answer_s * answers + self.speech_s * speech_s


class LearnedCosts:
    """Costs of an engine, fitted to its latest calls by least squares."""

    def __init__(self, assumed: EngineCosts) -> None:
        """Assume the costs `assumed` before the first call."""
        self._assumed = assumed
        self._first: tuple[float, float, float, float] | None = None
        """Call that was made to know what it takes: counts while there was no other."""
        self._calls: deque[tuple[float, float, float, float]] = deque(maxlen=_CALLS)

    @property
    def calls(self) -> int:
        """Number of calls that are known."""
        return len(self._calls)

    def add(self, answers: int, speech_s: float, took_s: float) -> None:
        """Record a call."""
        self._calls.append((1.0, answers, speech_s, took_s))

    def assume(self, speech_s: float, took_s: float) -> None:
        """Record a first call of one answer; of several, the quickest counts."""
        if self._first is None or took_s < self._first[-1]:
            self._first = 1.0, 1.0, speech_s, took_s

    def current(self) -> EngineCosts:
        """Return the present costs of calls."""
        calls = [*self._calls] or ([self._first] if self._first else [])
        if not calls:
            return self._assumed
        known = np.array([*calls, (_DOUBT, 0.0, 0.0, 0.0)])
        costs, *_ = np.linalg.lstsq(known[:, :3], known[:, 3], rcond=None)
        call_s, answer_s, speech_s = np.maximum(costs, 0.0).tolist()
        return EngineCosts(call_s, answer_s, speech_s)


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
    asked = _questions(sessions, sentences)
    partials = _Partials(engine, asked, sessions) if engine.partial_s else None
    late_left, decided_at = int(_LATE * len(asked)), int((1 - _FIRST) * len(asked))
    slowest_s = 0.0
    used = [0.0] * sessions
    free = [(0.0, 0.0)] * engine.processes  # and the end of each one's rest from partials
    waiting: list[_Question] = []
    while waiting or asked:
        now_s, rests_until_s = free[0]
        if not waiting and (at_s := asked[-1].at_s) >= now_s:
            if partials:
                now_s, rests_until_s = partials.play(at_s, now_s, rests_until_s)
                if now_s > at_s:  # perhaps another process is idle
                    heapq.heapreplace(free, (now_s, rests_until_s))
                    continue
            now_s = at_s
        while asked and asked[-1].at_s <= now_s:
            waiting.append(asked.pop())
            if partials:
                partials.drop(waiting[-1].session)
        batch = _take(waiting, engine.most, used, now_s)
        end_s = now_s + engine.costs.of(len(batch), sum(each.speech_s for each in batch))
        heapq.heapreplace(free, (end_s, rests_until_s))
        answers_s = [end_s - each.at_s for each in batch]
        late_left -= sum(answer_s > limit_s for answer_s in answers_s)
        if late_left < 0:
            return False
        slowest_s = max(slowest_s, *answers_s)
        if len(asked) <= decided_at and slowest_s <= limit_s / 2:
            return True
    return True


class _Question(NamedTuple):
    at_s: float
    session: int
    speech_s: float


class _Partials:
    """Calls of partials in the simulation, which take half of an idle time (`PartialsBrake`).

    They are played by what each session has said of its sentence, and not drawn from the lengths of
    earlier partials: a request comes at the end of a sentence, so the call that it waits for has
    that sentence in it, nearly whole. Drawn ones made the 95th percentile a fifth too short.
    """

    def __init__(self, engine: Engine, asked: Sequence[_Question], sessions: int) -> None:
        """Prepare for the requests `asked`, the last one first."""
        self._engine, self._turn = engine, 0
        self._costs = engine.partial_costs or engine.costs
        self._later_s: list[list[float]] = [[] for _ in range(sessions)]
        """Beginnings of each session's later sentences, the last one first."""
        for each in asked:
            self._later_s[each.session].append(each.at_s - each.speech_s)
        self._began_s = [later_s.pop() for later_s in self._later_s]
        """Beginning of each session's sentence without a request yet."""

    def drop(self, session: int) -> None:
        """Go on to a session's next sentence: a request takes the place of its partial."""
        later_s = self._later_s[session]
        self._began_s[session] = later_s.pop() if later_s else math.inf

    def play(self, at_s: float, free_s: float, rests_until_s: float) -> tuple[float, float]:
        """Play the calls before a request that comes to an idle process.

        After requests, partials begin at once if the rest is over: it is, after a long busy time.
        So a request that comes soon afterwards meets them more often than half of the time.

        Args:
            at_s: time of the request; no other comes before.
            free_s: time since which the process is idle.
            rests_until_s: end of its rest from partials.

        Returns:
            Time at which the process is free after that, and the end of its rest.
        """
        begin_s = max(free_s, rests_until_s, min(self._began_s) + _FIRST_PARTIAL_S)
        while begin_s < at_s:
            took_s = self._took_s(begin_s)
            if begin_s + took_s == begin_s:  # too short for the clock: it would never get to `at_s`
                break
            passed_over = (at_s - begin_s) // (2 * took_s) - _PLAYED
            if passed_over > 0:
                begin_s += passed_over * 2 * took_s
                continue
            free_s = begin_s + took_s
            rests_until_s = begin_s = free_s + took_s
            if free_s > at_s:
                break
        return free_s, rests_until_s

    def _took_s(self, now_s: float) -> float:
        """Return the duration of a call that begins now; sessions take turns."""
        most, longest_s, latest_s = (
            self._engine.most,
            self._engine.partial_s,
            now_s - _FIRST_PARTIAL_S,
        )
        said_s = [min(now_s - each_s, longest_s) for each_s in self._began_s if each_s <= latest_s]
        if len(said_s) > most:
            self._turn = (self._turn + most) % len(said_s)
            said_s = (said_s[self._turn :] + said_s[: self._turn])[:most]
        return self._costs.of(len(said_s), sum(said_s))


def _questions(sessions: int, sentences: Sequence[Sentence]) -> list[_Question]:
    """Return the requests of all sessions, the last one first."""
    chance = np.random.default_rng(1)
    shape = sessions, -(-_ANSWERS // sessions)
    drawn = chance.permutation(np.arange(shape[0] * shape[1]) % len(sentences))
    after_s, speech_s = np.array([(each.after_s, each.speech_s) for each in sentences])[drawn].T
    at_s = after_s.reshape(shape).cumsum(axis=1)
    # Each session begins at a random point of a sentence.
    at_s -= at_s[:, :1] * chance.random((sessions, 1))
    order = at_s.ravel().argsort()[::-1]
    by_session = np.repeat(np.arange(sessions), shape[1])
    fields = at_s.ravel()[order], by_session[order], speech_s[order]
    return [_Question(*each) for each in zip(*(field.tolist() for field in fields), strict=True)]


def _take(waiting: list[_Question], most: int, used: list[float], now_s: float) -> list[_Question]:
    """Take the requests of the sessions for which least was done lately."""
    batch = waiting[:]
    if len(waiting) > most:
        batch = heapq.nsmallest(most, waiting, key=lambda each: used[each.session])
    # Later work counts more, instead of letting earlier work decay: comparisons come out the same.
    weight = math.exp(min(now_s / _MEMORY_S, 700.0))
    for each in batch:
        waiting.remove(each)
        used[each.session] += each.speech_s * weight
    return batch

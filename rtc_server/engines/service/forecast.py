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
import numpy.typing as npt

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
_SPEAKING = 0.6
"""Share of the sessions in the middle of a sentence: a call of partials has one of each."""
_LONG_IDLE = 4
"""Calls of partials in an idle time after which it does not matter how the idle time began."""
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
    partials_s: Sequence[float] = ()
    """Lengths of partials' speech in seconds; empty if there are no partials."""

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
    asked = _questions(engine, sessions, sentences)
    late_left, decided_at = int(_LATE * len(asked)), int((1 - _FIRST) * len(asked))
    slowest_s = 0.0
    used = [0.0] * sessions
    free = [(0.0, 0.0)] * engine.processes  # and the end of each one's rest from partials
    waiting: list[_Question] = []
    while waiting or asked:
        now_s, rests_until_s = free[0]
        if not waiting and asked[-1].at_s >= now_s:
            now_s, rests_until_s = _after_partials(asked[-1], now_s, rests_until_s)
        while asked and asked[-1].at_s <= now_s:
            waiting.append(asked.pop())
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
    behind_s: float
    """Remaining seconds of a call of partials that it has to wait for after a long idle time."""
    partials_s: float
    """Duration of a call of partials before it; 0 without partials."""


def _after_partials(asked: _Question, free_s: float, rests_until_s: float) -> tuple[float, float]:
    """Return when an idle process begins with a request, and the end of its rest from partials.

    After requests, partials begin at once if the rest is over: it is, after a long busy time. So a
    request that comes soon afterwards meets them more often than half of the time.
    """
    partials_s, at_s = asked.partials_s, asked.at_s
    if not partials_s:
        return at_s, rests_until_s
    begin_s = max(free_s, rests_until_s)
    if at_s - begin_s > _LONG_IDLE * partials_s:
        begun_s = at_s + asked.behind_s
        return begun_s, begun_s + partials_s if asked.behind_s else at_s
    while begin_s < at_s:
        end_s = begin_s + partials_s
        begin_s = end_s + partials_s
        if end_s > at_s:
            return end_s, begin_s
    return at_s, begin_s


def _questions(engine: Engine, sessions: int, sentences: Sequence[Sentence]) -> list[_Question]:
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
    behind_s, partials_s = _rests_s(engine, sessions, order.size, chance)
    fields = at_s.ravel()[order], by_session[order], speech_s[order], behind_s, partials_s
    return [_Question(*each) for each in zip(*(field.tolist() for field in fields), strict=True)]


def _rests_s(
    engine: Engine, sessions: int, size: int, chance: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the remaining time of the calls of partials that are under way at other requests.

    Calls of partials take half of the remaining time (`PartialsBrake`), and a request is more
    likely to come during a long one than during a short one.
    """
    if not engine.partials_s:
        return np.zeros(size), np.zeros(size)
    least = min(engine.most, math.ceil(_SPEAKING * sessions))
    together = chance.binomial(sessions, _SPEAKING, size).clip(least, engine.most)
    lengths_s = chance.choice(engine.partials_s, (size, min(engine.most, sessions)))
    speech_s = (lengths_s * (np.arange(lengths_s.shape[1]) < together[:, np.newaxis])).sum(axis=1)
    each_s = zip(together.tolist(), speech_s.tolist(), strict=True)
    took_s = np.array([engine.costs.of(*each) for each in each_s])
    if took_s.sum():
        took_s = chance.choice(took_s, size, p=took_s / took_s.sum())
    return took_s * np.maximum(chance.uniform(-1.0, 1.0, size), 0.0), took_s


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

"""Forecast of an engine's answers: its queue, played through with so many sessions.

A formula is shorter and far off for engines that answer several at once, because what a call costs
depends on how many wait together.
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
"""Answers of a forecast. With 600, chance moves their 95th percentile by a tenth."""
_LATE = 0.05
"""Part of the answers that may be late."""
_FIRST = 0.25
"""Part of the answers that decides where the slowest of them takes half of the time. Of 1757 crowds
that were too many for their engines, drawn at random, none looked like that."""
_MEMORY_S = 30.0
"""Time for which the work done for a session counts, as in `FairQueue`."""
_FULL = 0.9
"""Load beyond which a queue grows for longer than a forecast looks."""
_SPEAKING = 0.6
"""Part of the sessions that are in the middle of a sentence: calls about partials have theirs."""
_CALLS = 64
"""Calls that costs are learned from."""
_DOUBT = 0.3
"""Weight of "a call costs nothing beside its answers", against a call's. It decides while all calls
had one answer, and is outweighed once an engine has answered several at once."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, as an engine meets it."""

    after_s: float
    """Time since the session asked for the one before."""
    speech_s: float
    """Length of the speech."""


_SPEECH_S, _PAUSE_S = np.linspace(1.5, 5.0, 8).tolist(), np.linspace(0.6, 3.5, 8).tolist()
USUAL_SENTENCES = tuple(
    Sentence(speech_s + pause_s, speech_s) for speech_s, pause_s in product(_SPEECH_S, _PAUSE_S)
)
"""Sentences of somebody who speaks all the time."""


@dataclass(frozen=True, slots=True)
class EngineCosts:
    """Time that an engine needs for its calls."""

    call_s: float
    """Time of a call beside what is in it."""
    answer_s: float
    """Time of each answer in it."""
    speech_s: float
    """Time of each second of speech in it."""

    def of(self, answers: int, speech_s: float) -> float:
        """Return the duration of a call."""
        return self.call_s + self.answer_s * answers + self.speech_s * speech_s


class LearnedCosts:
    """Costs of an engine by its latest calls (least squares)."""

    def __init__(self, assumed: EngineCosts) -> None:
        """`assumed`: costs before there was a call."""
        self._assumed = assumed
        self._calls: deque[tuple[float, float, float, float]] = deque(maxlen=_CALLS)

    @property
    def calls(self) -> int:
        """Number of calls that are known."""
        return len(self._calls)

    def add(self, answers: int, speech_s: float, took_s: float) -> None:
        """Note a call."""
        self._calls.append((1.0, answers, speech_s, took_s))

    def current(self) -> EngineCosts:
        """Return what calls cost at present."""
        if not self._calls:
            return self._assumed
        known = np.array([*self._calls, (_DOUBT, 0.0, 0.0, 0.0)])
        costs, *_ = np.linalg.lstsq(known[:, :3], known[:, 3], rcond=None)
        call_s, answer_s, speech_s = np.maximum(costs, 0.0).tolist()
        return EngineCosts(call_s, answer_s, speech_s)


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine, as its queue meets it."""

    costs: EngineCosts
    """Time that it needs."""
    most: int
    """Answers that one call may give."""
    processes: int = 1
    """Processes that share the queue."""
    partials_s: Sequence[float] = ()
    """Lengths of the speech in partials that it was asked for; empty where nobody asks."""

    def load(self, sessions: int, sentences: Sequence[Sentence]) -> float:
        """Return the part of the time in which it works, in calls with as much as there may be."""
        per_call = fmean(each.speech_s for each in sentences) * self.most
        cost_s = self.costs.of(self.most, per_call) / self.most / self.processes
        return sessions * cost_s / max(fmean(each.after_s for each in sentences), 1e-9)


def carries(engine: Engine, sessions: int, sentences: Sequence[Sentence], limit_s: float) -> bool:
    """Return whether 19 of 20 answers would come within a time.

    Args:
        engine: the engine.
        sessions: number of sessions that speak.
        sentences: what each of them says is drawn from these, the same each time.
        limit_s: the time.
    """
    if engine.load(sessions, sentences) > _FULL:
        return False
    asked = _questions(engine, sessions, sentences)
    late_left, decided_at = int(_LATE * len(asked)), int((1 - _FIRST) * len(asked))
    slowest_s = 0.0
    used = [0.0] * sessions
    free_s = [0.0] * engine.processes
    waiting: list[_Question] = []
    while waiting or asked:
        now_s = free_s[0]
        if not waiting and asked[-1].at_s >= now_s:
            now_s = asked[-1].at_s + asked[-1].behind_s
        while asked and asked[-1].at_s <= now_s:
            waiting.append(asked.pop())
        batch = _take(waiting, engine.most, used, now_s)
        end_s = now_s + engine.costs.of(len(batch), sum(each.speech_s for each in batch))
        heapq.heapreplace(free_s, end_s)
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
    """Rest of a call about partials, if it comes into one."""


def _questions(engine: Engine, sessions: int, sentences: Sequence[Sentence]) -> list[_Question]:
    """Return what is asked, the last question first."""
    chance = np.random.default_rng(1)
    shape = sessions, -(-_ANSWERS // sessions)
    drawn = chance.permutation(np.arange(shape[0] * shape[1]) % len(sentences))
    after_s, speech_s = np.array([(each.after_s, each.speech_s) for each in sentences])[drawn].T
    at_s = after_s.reshape(shape).cumsum(axis=1)
    at_s -= at_s[:, :1] * chance.random((sessions, 1))  # all are in the middle of something
    order = at_s.ravel().argsort()[::-1]
    by_session = np.repeat(np.arange(sessions), shape[1])
    behind_s = _rests_s(engine, sessions, order.size, chance)
    fields = at_s.ravel()[order], by_session[order], speech_s[order], behind_s
    return [_Question(*each) for each in zip(*(field.tolist() for field in fields), strict=True)]


def _rests_s(
    engine: Engine, sessions: int, size: int, chance: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return what is left of calls about partials when something else is asked.

    Such calls take half of the time that is left (`PartialsBrake`), and a long one is more likely
    to be met than a short one.
    """
    if not engine.partials_s:
        return np.zeros(size)
    together = min(engine.most, math.ceil(_SPEAKING * sessions))
    lengths_s = chance.choice(engine.partials_s, (size, together)).sum(axis=1)
    took_s = np.array([engine.costs.of(together, each) for each in lengths_s.tolist()])
    if took_s.sum():
        took_s = chance.choice(took_s, size, p=took_s / took_s.sum())
    return took_s * np.maximum(chance.uniform(-1.0, 1.0, size), 0.0)


def _take(waiting: list[_Question], most: int, used: list[float], now_s: float) -> list[_Question]:
    """Take the questions of the sessions for which least was done lately."""
    batch = waiting[:]
    if len(waiting) > most:
        batch = heapq.nsmallest(most, waiting, key=lambda each: used[each.session])
    # Work done later counts more, which compares as if what was done earlier counted less.
    weight = math.exp(min(now_s / _MEMORY_S, 700.0))
    for each in batch:
        waiting.remove(each)
        used[each.session] += each.speech_s * weight
    return batch

"""Time that the calls of an engine take, learned from its latest ones."""

from collections import deque
from dataclasses import dataclass

import numpy as np

_CALLS = 64
"""Number of latest calls that costs are learned from."""
_DOUBT = 0.3
"""Weight of the assumption "a call costs nothing besides its answers", relative to one call. It
decides while all calls had one answer, and is outweighed once calls have had several."""


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

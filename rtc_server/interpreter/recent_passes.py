"""Passes of the engine over one stretch of audio, as far back as the newest is held against them.
Pure."""

from collections import deque
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

SPAN_MS = 400
"""Audio between two passes that are held against each other: the least between two passes of the
simultaneous modes, where agreement counts passes. Those of captions alone are 250 ms apart: two of
them often agree on a word that the next one takes back, and a fast speaker says one word in that
time or none."""

T = TypeVar("T")


class Pass(NamedTuple, Generic[T]):
    """Pass over the audio up to a moment."""

    heard_ms: int
    """Length of that audio."""
    found: T
    """Result of the pass."""


class RecentPasses(Generic[T]):
    """Passes from the last one that is `SPAN_MS` older than the newest on."""

    def __init__(self) -> None:
        self._passes: deque[Pass[T]] = deque()

    def __iter__(self) -> Iterator[Pass[T]]:
        """Yield them, oldest first."""
        return iter(self._passes)

    def add(self, heard_ms: int, found: T) -> Pass[T] | None:
        """Take the next pass, and return the one to hold it against: the last that is old enough,
        else the first of all. None when there was no other."""
        passes = self._passes
        while len(passes) > 1 and heard_ms - passes[1].heard_ms >= SPAN_MS:
            passes.popleft()
        before = passes[0] if passes else None
        passes.append(Pass(heard_ms, found))
        return before

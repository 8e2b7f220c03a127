"""Order in which waiting requests are served: plain objects that decide and never wait.

A batch is cut when the worker is free, not on a timer: nothing waits when nothing is running, and
batches grow by themselves under load. The reply is anything with ``done()``, true once nobody
waits for it any more: such an entry is skipped, so a caller who left costs nothing. (The idea is
text-embeddings-inference's; the shares of sessions and the partials are ours.)
"""

import math
from collections import Counter, deque
from typing import Generic, Protocol, TypeVar


class Waiting(Protocol):
    """An entry of a queue."""

    @property
    def session_id(self) -> str:
        """Session that the entry belongs to."""

    @property
    def cost(self) -> float:
        """Amount of work, more than 0; only ratios matter."""

    def done(self) -> bool:
        """Return whether it need not be served any more."""


E = TypeVar("E", bound=Waiting)

_MOST_BEYOND_HALF = 2
"""Entries that one session may have waiting while the queue is more than half full."""
_MEMORY_S = 30.0
"""Time for which the work done for a session counts."""
_MOST_REMEMBERED = 1024
"""Sessions whose usage is known; of more, those served longest ago are forgotten."""


class WaitingForAst(Waiting, Protocol):
    """An entry of an `AstQueue`."""

    @property
    def partial(self) -> bool:
        """True if its segment is surely open, so that its answer can only be provisional."""


A = TypeVar("A", bound=WaitingForAst)


class _EngineUsage:
    """Work done for each session lately: what was done `_MEMORY_S` ago counts a third."""

    def __init__(self) -> None:
        self._work: dict[str, tuple[float, float]] = {}  # (work, at what time)

    def of(self, session_id: str, now_s: float) -> float:
        work, at_s = self._work.get(session_id, (0.0, now_s))
        return work * math.exp((at_s - now_s) / _MEMORY_S)

    def add(self, session_id: str, work: float, now_s: float) -> None:
        self._work[session_id] = (self.of(session_id, now_s) + work, now_s)
        if len(self._work) > _MOST_REMEMBERED:
            del self._work[min(self._work, key=lambda each: self._work[each][1])]


class FairQueue(Generic[E]):
    """First come, first served within a session; of sessions, the one for which least was done
    lately goes first. When full, the longest line loses its newest entry.

    So a session that asks for less than its share hardly waits, whatever the others ask for. Taking
    turns alone is not enough: with 45 sessions that never pause, a turn comes every ten seconds.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines: dict[str, deque[E]] = {}  # at equal usage the one served longest ago is first
        self._usage = _EngineUsage()

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def waiting(self, session_id: str) -> int:
        """Return the number of entries that a session has here."""
        return len(self._lines.get(session_id, ()))

    def oldest(self) -> list[E]:
        """Return the oldest entry of each session."""
        return [line[0] for line in self._lines.values()]

    def add(self, entry: E) -> E | None:
        """Queue an entry; return the one that must go for it, or itself when it finds no room.

        Entries that nobody waits for make room first.
        """
        if 2 * len(self) >= self._limit:
            self._prune()
        own, gone = self.waiting(entry.session_id), None
        if 2 * len(self) >= self._limit and own >= _MOST_BEYOND_HALF:
            return entry
        if len(self) >= self._limit:
            longest = max(self._lines.values(), key=len)
            if len(longest) <= own + 1:
                return entry
            gone = longest.pop()
        self._lines.setdefault(entry.session_id, deque()).append(entry)
        return gone

    def charge(self, session_id: str, work: float, now_s: float) -> None:
        """Count more work for a session than its entries said."""
        self._usage.add(session_id, work, now_s)

    def take(self, most: int, now_s: float) -> list[E]:
        """Return at most `most` entries that somebody waits for, no second of a session before each
        had one.
        """
        taken: list[E] = []
        turns: Counter[str] = Counter()
        while self._lines and len(taken) < most:
            session_id = min(
                self._lines, key=lambda each: (turns[each], self._usage.of(each, now_s))
            )
            turns[session_id] += 1
            line = self._lines.pop(session_id)
            while line:
                entry = line.popleft()
                if not entry.done():
                    taken.append(entry)
                    self._usage.add(session_id, entry.cost, now_s)
                    break
            if line:
                self._lines[session_id] = line
        return taken

    def remove(self, entry: E) -> bool:
        """Take out one entry; False when it is not here (any more)."""
        line = self._lines.get(entry.session_id)
        if line is None or entry not in line:
            return False
        line.remove(entry)
        if not line:
            del self._lines[entry.session_id]
        return True

    def forget(self, session_id: str) -> list[E]:
        """Take out what a session has waiting."""
        return list(self._lines.pop(session_id, ()))

    def clear(self) -> list[E]:
        """Take out everything."""
        entries = [entry for line in self._lines.values() for entry in line]
        self._lines.clear()
        return entries

    def _prune(self) -> None:
        for session_id in list(self._lines):
            line = deque(entry for entry in self._lines[session_id] if not entry.done())
            if line:
                self._lines[session_id] = line
            else:
                del self._lines[session_id]


class AstQueue(Generic[A]):
    """Finals before partials; of partials only each session's newest, and none older than a final.

    One limit bounds both: a final that finds no room takes a partial's place.
    """

    def __init__(self, limit: int) -> None:
        self.finals = FairQueue[A](limit)
        self._limit = limit
        self._partials: dict[str, A] = {}  # oldest first

    def __len__(self) -> int:
        return len(self.finals) + len(self._partials)

    def add_final(self, entry: A) -> tuple[A | None, list[A]]:
        """Return (the final that must go: another or itself; the partials that go)."""
        gone = self.finals.add(entry)
        if gone is entry:
            return gone, []
        stale = self._partials.pop(entry.session_id, None)
        partials = [] if stale is None else [stale]
        if len(self) > self._limit:
            partials.append(self._partials.pop(self._of_the_longest_line()))
        return gone, partials

    def add_partial(self, entry: A) -> list[A]:
        """Return the partials dropped for it: the session's older one, or itself when there is no
        room.
        """
        older = self._partials.get(entry.session_id)
        if older is None and len(self) >= self._limit:
            self._partials = {k: e for k, e in self._partials.items() if not e.done()}
            if len(self) >= self._limit:
                return [entry]
        self._partials[entry.session_id] = entry  # a newer one keeps the older one's place
        return [] if older is None else [older]

    def _of_the_longest_line(self) -> str:
        """Return the session whose partial goes: whoever has most waiting, of
        several the newest.
        """
        return max(reversed(self._partials), key=self.finals.waiting)

    def take(self, most: int, now_s: float, *, resting: bool = False) -> list[A]:
        """Return the next batch: finals only, or partials only when no final waits.

        While the engine is `resting` from partials, only those are taken that may be over.
        """
        if finals := self.finals.take(most, now_s):
            return finals
        partials: list[A] = []
        for session_id, entry in list(self._partials.items()):
            if len(partials) == most:
                break
            if entry.done():
                del self._partials[session_id]
            elif not (resting and entry.partial):
                partials.append(self._partials.pop(session_id))
        return partials

    def forget(self, session_id: str) -> list[A]:
        """Take out what a session has waiting."""
        partial = self._partials.pop(session_id, None)
        return self.finals.forget(session_id) + ([] if partial is None else [partial])

    def clear(self) -> list[A]:
        """Take out everything."""
        entries = self.finals.clear() + list(self._partials.values())
        self._partials.clear()
        return entries

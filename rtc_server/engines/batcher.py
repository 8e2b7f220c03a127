"""Who is served next: plain objects that decide and never wait.

A batch is cut when the worker is free, not on a timer: nothing waits when nothing is running, and
batches grow by themselves under load. The reply is anything with ``done()``, true once nobody
waits for it any more: such an entry is skipped, so a caller who left costs nothing. (The idea is
text-embeddings-inference's; the rotation over sessions and the partials are ours.)
"""

from collections import deque
from typing import Generic, Protocol, TypeVar


class Waiting(Protocol):
    """An entry of a queue."""

    @property
    def session_id(self) -> str:
        """Whose it is."""

    def done(self) -> bool:
        """Whether it need not be served any more."""


E = TypeVar("E", bound=Waiting)


class FairQueue(Generic[E]):
    """First come, first served within a session; sessions take turns. Refuses when full."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines: dict[str, deque[E]] = {}  # in order of turns: the next session first

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def add(self, entry: E) -> bool:
        """False when there is no room; entries nobody waits for make room first."""
        if len(self) >= self._limit:
            self._prune()
            if len(self) >= self._limit:
                return False
        self._lines.setdefault(entry.session_id, deque()).append(entry)
        return True

    def take(self, most: int) -> list[E]:
        """At most `most` entries that somebody waits for, one of each session per turn."""
        taken: list[E] = []
        while self._lines and len(taken) < most:
            session_id = next(iter(self._lines))
            line = self._lines.pop(session_id)
            while line:
                entry = line.popleft()
                if not entry.done():
                    taken.append(entry)
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


class AstQueue(Generic[E]):
    """Finals before partials; of partials only each session's newest, and none older than a final.

    Both sides are bounded by the same limit: finals are refused, partials dropped.
    """

    def __init__(self, limit: int) -> None:
        self.finals = FairQueue[E](limit)
        self._limit = limit
        self._partials: dict[str, E] = {}  # oldest first

    def __len__(self) -> int:
        return len(self.finals) + len(self._partials)

    def add_final(self, entry: E) -> tuple[bool, list[E]]:
        """(whether there was room, the partials that this final makes pointless)."""
        if not self.finals.add(entry):
            return False, []
        stale = self._partials.pop(entry.session_id, None)
        return True, [] if stale is None else [stale]

    def add_partial(self, entry: E) -> list[E]:
        """The partials dropped for it: the session's older one, or itself when there is no room."""
        older = self._partials.get(entry.session_id)
        if older is None and len(self._partials) >= self._limit:
            self._partials = {k: e for k, e in self._partials.items() if not e.done()}
            if len(self._partials) >= self._limit:
                return [entry]
        self._partials[entry.session_id] = entry  # a newer one keeps the older one's place
        return [] if older is None else [older]

    def take(self, most: int) -> list[E]:
        """The next batch: finals only, or partials only when no final waits."""
        if finals := self.finals.take(most):
            return finals
        partials: list[E] = []
        while self._partials and len(partials) < most:
            entry = self._partials.pop(next(iter(self._partials)))
            if not entry.done():
                partials.append(entry)
        return partials

    def forget(self, session_id: str) -> list[E]:
        """Take out what a session has waiting."""
        partial = self._partials.pop(session_id, None)
        return self.finals.forget(session_id) + ([] if partial is None else [partial])

    def clear(self) -> list[E]:
        """Take out everything."""
        entries = self.finals.clear() + list(self._partials.values())
        self._partials.clear()
        return entries

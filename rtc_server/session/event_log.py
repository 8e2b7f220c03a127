"""Events that were sent, kept for a client that comes back and has missed some. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from rtc_server.session.session_api import LastSeen

MAX_EVENTS = 200
"""Fewer than an outbox holds, so that a replay never makes a client look slow."""
MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class SentEvent:
    """One event as it was written for the client."""

    number: int
    """Counts all events of the session; ``event_17`` has 17."""
    seq: int | None
    """Counts extension events; None on others."""
    at_s: float
    """Time on the server's monotonic clock."""
    text: str
    """The JSON."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Events sent to a client that comes back."""

    texts: list[str]
    """Events in their order, as they were sent first."""
    missing: bool
    """True if some before them are no longer kept."""


class EventLog:
    """The last events of one session, oldest dropped first."""

    def __init__(self, events: Iterable[SentEvent] = ()) -> None:
        """`events`: those that were sent before, by another process."""
        self._events: deque[SentEvent] = deque()
        self._size_bytes = 0
        self._dropped: SentEvent | None = None
        """The last one of those no longer kept."""
        self._dropped_seq = 0
        for event in events:
            self.keep(event)

    def keep(self, event: SentEvent) -> None:
        """Remember one event, newer than all before."""
        self._events.append(event)
        self._size_bytes += len(event.text)
        while len(self._events) > MAX_EVENTS or self._size_bytes > MAX_BYTES:
            self._dropped = self._events.popleft()
            self._size_bytes -= len(self._dropped.text)
            self._dropped_seq = self._dropped.seq or self._dropped_seq

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._events)

    @property
    def size_bytes(self) -> int:
        """Size of those that are kept, `MAX_BYTES` at most."""
        return self._size_bytes

    def since(self, seen: LastSeen, cut_s: float) -> Replay:
        """Return what came after the last event that the client saw.

        A client that names an event of any kind gets all that followed. One that names an extension
        event gets the extension events that followed: of the others it may have had some. One that
        names nothing gets what was sent after `cut_s`, when it was heard last.
        """
        gone = self._dropped
        if seen.number is not None:
            texts = [e.text for e in self._events if e.number > seen.number]
            missing = gone is not None and gone.number > seen.number
        elif seen.seq is not None:
            texts = [e.text for e in self._events if e.seq is not None and e.seq > seen.seq]
            missing = self._dropped_seq > seen.seq
        else:
            texts = [e.text for e in self._events if e.at_s > cut_s]
            missing = gone is not None and gone.at_s > cut_s
        return Replay(texts, missing)

"""Log of sent events, for a client that comes back and has missed some. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from rtc_server.session.session_api import LastSeen

MAX_EVENTS = 200
"""Most events that are kept: fewer than an outbox holds, so that a replay never fills it."""
MAX_BYTES = 256 * 1024
"""Most text that is kept, in characters."""


@dataclass(frozen=True, slots=True)
class SentEvent:
    """One event as it was sent to the client."""

    number: int
    """Number among all events of the session; ``event_17`` has 17."""
    seq: int | None
    """Number among the extension events; None for others."""
    at_s: float
    """Time at which it was sent, on the server's monotonic clock."""
    text: str
    """JSON of the event."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Events for a client that comes back."""

    texts: list[str]
    """JSON of the events, in order, as it was sent first."""
    missing: bool
    """True if earlier events that the client missed are no longer kept."""


class EventLog:
    """Last events of one session; the oldest are dropped first."""

    def __init__(self, events: Iterable[SentEvent] = ()) -> None:
        """`events`: events that another process sent before."""
        self._events: deque[SentEvent] = deque()
        self._size_bytes = 0
        self._dropped: SentEvent | None = None
        """Newest event that is no longer kept."""
        self._dropped_seq = 0
        for event in events:
            self.keep(event)

    def keep(self, event: SentEvent) -> None:
        """Add one event, the newest."""
        self._events.append(event)
        self._size_bytes += len(event.text)
        while len(self._events) > MAX_EVENTS or self._size_bytes > MAX_BYTES:
            self._dropped = self._events.popleft()
            self._size_bytes -= len(self._dropped.text)
            self._dropped_seq = self._dropped.seq or self._dropped_seq

    def __len__(self) -> int:
        """Return the number of events that are kept."""
        return len(self._events)

    @property
    def size_bytes(self) -> int:
        """Size of the events that are kept, in characters; at most `MAX_BYTES`."""
        return self._size_bytes

    def since(self, seen: LastSeen, cut_s: float) -> Replay:
        """Return the events after the last one that the client received.

        A client that names an event by `number` gets all that followed. One that names only an
        extension event gets the extension events that followed, because it may have received some
        of the others. One that names none gets the events sent after `cut_s`, its last sign of
        life.
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

"""Records of all sessions, kept in the supervisor: what another worker needs to go on with one.

Plain JSON objects, as the workers' journals send them (`journal`), read by nobody here.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from rtc_server.app.workers.control import Fields
from rtc_server.pcm import SPEECH_RATE
from rtc_server.session.event_log import MAX_EVENTS
from rtc_server.session.transcript import MAX_CHARS, MAX_SEGMENTS

NUMBERS_LEFT_OUT = 100
"""Event numbers left out when a session goes on: the journal has those of kept events only."""
SEEN_BEFORE_S = 1.0
"""Time before its worker's end at which a client was surely there: that is noted each second."""
_KEPT_BYTES = 256 * 1024


@dataclass(slots=True)
class Record:
    """One session."""

    session: str
    worker: int
    place: int
    """Number of its place, of that worker's."""
    request: dict[str, Any]
    began_s: float
    end_s: float
    """Monotonic time at which its lease ends."""
    expires_at: int
    events: deque[list[Any]] = field(default_factory=lambda: deque(maxlen=MAX_EVENTS))
    entries: deque[list[Any]] = field(default_factory=lambda: deque(maxlen=MAX_SEGMENTS))
    unfinished: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    """By segment: Unix time of its first caption, and the last one."""
    number: int = 0
    seq: int = 0
    segments: int = 0
    position_samples: int = 0
    position_s: float = 0.0
    """Monotonic time of `position_samples`."""
    _event_bytes: int = 0
    _entry_chars: int = 0

    def sent(self, fields: Fields, now_s: float) -> None:
        """Keep an event."""
        event = fields["event"]
        if len(self.events) == MAX_EVENTS:
            self._event_bytes -= len(self.events[0][3])
        self.events.append(event)
        self._event_bytes += len(event[3])
        while self._event_bytes > _KEPT_BYTES:
            self._event_bytes -= len(self.events.popleft()[3])
        self.number, self.seq = event[0], fields["seq"]
        self._note_position(fields, now_s)

    def caption(self, fields: Fields, now_s: float) -> None:
        """Keep a caption."""
        caption = fields["caption"]
        segment = caption["segment_id"]
        self.segments = max(self.segments, int(segment.removeprefix("seg_")))
        at_s, _ = self.unfinished.get(segment, (fields["wall_s"], None))
        self.unfinished[segment] = at_s, caption
        if caption["final"]:
            del self.unfinished[segment]
            if caption["status"] == "final":
                self._keep_entry([at_s, caption["source"], caption["target"]])
        self._note_position(fields, now_s)

    def changed(self, fields: Fields) -> None:
        """Keep settings that the client changed."""
        settings = self.request["settings"]
        self.request = {**self.request, "settings": {**settings, **fields["patch"]}}

    def json(self, lost_s: float) -> dict[str, Any]:
        """Return what `codec.record_of` reads. `lost_s`: the end of its worker."""
        since_s = max(0.0, lost_s - self.position_s) if self.position_s else 0.0
        return {
            "session": self.session,
            "request": self.request,
            "events": list(self.events),
            "entries": list(self.entries),
            "unfinished": [caption for _, caption in self.unfinished.values()],
            "number": self.number + NUMBERS_LEFT_OUT,
            "seq": self.seq + NUMBERS_LEFT_OUT,
            "segments": self.segments,
            "position_samples": self.position_samples + round(since_s * SPEECH_RATE),
            "began_s": self.began_s,
            "last_seen_s": lost_s - SEEN_BEFORE_S,
            "end_s": self.end_s,
            "expires_at": self.expires_at,
        }

    def _keep_entry(self, entry: list[Any]) -> None:
        if len(self.entries) == MAX_SEGMENTS:
            self._entry_chars -= _chars(self.entries[0])
        self.entries.append(entry)
        self._entry_chars += _chars(entry)
        while self._entry_chars > MAX_CHARS:
            self._entry_chars -= _chars(self.entries.popleft())

    def _note_position(self, fields: Fields, now_s: float) -> None:
        self.position_samples, self.position_s = fields["position_samples"], now_s


@dataclass(slots=True)
class Records:
    """All sessions that go on."""

    _records: dict[str, Record] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._records)

    def opened(self, worker: int, fields: Fields) -> None:
        """Take ``opened``: a session has begun, or goes on in that worker."""
        known = self._records.get(fields["session"])
        if known is not None:
            known.worker, known.place = worker, fields["place"]
            return
        self._records[fields["session"]] = Record(
            fields["session"],
            worker,
            fields["place"],
            fields["request"],
            fields["began_s"],
            fields["end_s"],
            fields["expires_at"],
        )

    def find(self, session: str) -> Record | None:
        """Return a session's record."""
        return self._records.get(session)

    def closed(self, session: str) -> None:
        """Forget a session."""
        self._records.pop(session, None)

    def place_ended(self, worker: int, place: int) -> None:
        """Forget the session of a place that has ended: it may never have begun."""
        for record in self.of_worker(worker):
            if record.place == place:
                self.closed(record.session)

    def of_worker(self, worker: int) -> list[Record]:
        """Return the records of a worker's sessions."""
        return [record for record in self._records.values() if record.worker == worker]


def _chars(entry: list[Any]) -> int:
    return len(entry[1]["text"]) + len(entry[2]["text"])

"""Stream of one session's events to its client."""

import asyncio

from rtc_server.clock import Clock
from rtc_server.errors import RemoteError
from rtc_server.events.segment_events import SegmentEvent
from rtc_server.events.server import (
    ErrorDetail,
    ErrorEvent,
    ServerEvent,
    WarningEvent,
    encode,
    is_droppable,
)
from rtc_server.metrics import Metrics
from rtc_server.session.event_log import EventLog, Replay, SentEvent
from rtc_server.session.journal import NO_JOURNAL, SessionJournal, SessionRecord
from rtc_server.session.preferences import Preferences
from rtc_server.session.session_api import LastSeen
from rtc_server.session.transcript import SessionTranscript
from rtc_server.session.usage import UsageMeter
from rtc_server.transport.transport_api import Transport

REPLAY_INCOMPLETE = WarningEvent(
    "replay_incomplete",
    "You were away for so long that some captions are not sent again. The transcript has them.",
)


class EventStream:
    """Stream of one session's events: numbers, encodes and sends them, and passes them to the
    transcript, the usage record, the journal and the log for a client that comes back.
    """

    def __init__(
        self,
        preferences: Preferences,
        usage: UsageMeter,
        metrics: Metrics,
        *,
        over: asyncio.Event,
        clock: Clock,
        wall: Clock,
        journal: SessionJournal = NO_JOURNAL,
    ) -> None:
        """`over`: set at the end of the session; no event is sent after that."""
        self._preferences, self._usage, self._metrics = preferences, usage, metrics
        self._journal = journal
        self._over, self._clock, self._wall = over, clock, wall
        self._events = self._seq = 0
        self.log = EventLog()
        """Events that a client which comes back may have missed."""
        self.transcript = SessionTranscript()
        """Transcript of the segments that were understood."""
        self.transport: Transport | None = None
        """Present transport; None while the client is away: droppable events are dropped then, and
        the others are kept in `log`."""

    def take_over(self, record: SessionRecord) -> None:
        """Continue after the events that another process sent."""
        self._events, self._seq = record.number, record.seq
        self.log = EventLog(record.events)
        self.transcript.extend(record.entries)

    def emit(self, event: ServerEvent) -> None:
        """Send one event, if the client wants it."""
        if isinstance(event, SegmentEvent):
            dropped = self.transcript.add(event, self._wall())
            self._metrics.queue_drops.labels("transcript").inc(dropped)
            self._usage.add(event)
            self._journal.caption(event, self._wall())
        if self._over.is_set() or not self._preferences.wants(event):
            return  # nothing follows session.closed
        droppable = is_droppable(event)
        if droppable and self.transport is None:
            return
        self._events += 1
        seq = None
        if event.type.startswith("x."):
            self._seq += 1
            seq = self._seq
        text = encode(event, event_id=f"event_{self._events}", seq=seq)
        if not droppable:
            kept = SentEvent(self._events, seq, self._clock(), text)
            self.log.keep(kept)
            self._journal.sent(kept, self._seq)
        if self.transport is not None:
            self.transport.send_message(text, droppable=droppable)

    def refuse(self, error: RemoteError, event_id: str | None = None) -> None:
        """Answer a client event with an ``error``; `event_id` is the id of the client's event."""
        detail = ErrorDetail("invalid_request_error", error.code, str(error), event_id)
        self.emit(ErrorEvent(detail))

    def caution(self, error: RemoteError) -> None:
        """Warn the client: by ``x.warning``, or by ``error`` if it does not receive warnings."""
        warning = WarningEvent(error.code, str(error))
        if self._preferences.wants(warning):
            self.emit(warning)
        else:
            self.refuse(error)

    def missed(self, seen: LastSeen, last_seen_s: float) -> Replay:
        """Return the events that the client has missed; `last_seen_s`: its last sign of life."""
        return self.log.since(seen, last_seen_s)

    def replay(self, missed: Replay) -> None:
        """Send the missed events again, with a warning if some are no longer kept."""
        assert self.transport is not None, "a replay without a transport"
        for text in missed.texts:
            self.transport.send_message(text)
        if missed.missing:
            self._metrics.queue_drops.labels("replay").inc()
            self.emit(REPLAY_INCOMPLETE)

"""Server events, and their form in JSON.

Types without ``x.`` have the names and shapes of OpenAI's Realtime Translations API; an ``x.*``
event goes only to a client that asked for its group (`group`, one of `EXTENSION_GROUPS`).
"""

import json
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

from rtc_server.events.segment_events import SegmentEvent
from rtc_server.events.session_events import SessionClosed, SessionCreated, SessionUpdated

EXTENSION_GROUPS = frozenset({"segment", "playout", "vad", "metrics"})
"""Names that ``x_events`` may hold."""

ELAPSED_STEP_MS = 200
"""``elapsed_ms`` comes in these steps, as the public API has it."""


def elapsed_steps(ms: float) -> int:
    """Return `ms` cut down to a whole number of steps."""
    return int(ms // ELAPSED_STEP_MS) * ELAPSED_STEP_MS


@dataclass(frozen=True, slots=True)
class InputTranscriptDelta:
    """More source text; append it."""

    type: ClassVar[str] = "session.input_transcript.delta"
    group: ClassVar[str | None] = None
    delta: str
    elapsed_ms: int


@dataclass(frozen=True, slots=True)
class OutputTranscriptDelta:
    """More target text; append it."""

    type: ClassVar[str] = "session.output_transcript.delta"
    group: ClassVar[str | None] = None
    delta: str
    elapsed_ms: int


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """Description of a failure, for programs and for people."""

    type: str
    """"invalid_request_error" (the client's doing) or "server_error"."""
    code: str
    """Stable name, as in `rtc_server.errors`."""
    message: str
    """A sentence that says what to do."""
    event_id: str | None = None
    """The client event it answers, if it had an id."""


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """Something failed; the session goes on."""

    type: ClassVar[str] = "error"
    group: ClassVar[str | None] = None
    error: ErrorDetail


@dataclass(frozen=True, slots=True)
class PlayoutEvent:
    """Playback state of a segment's speech."""

    type: ClassVar[str] = "x.playout"
    group: ClassVar[str | None] = "playout"
    segment_id: str
    state: str
    """"queued", "started", "finished" or "dropped"; "skipped" when a part was left out."""
    queue_ms: int
    """Speech that waits to be played, this segment's included."""
    tempo: float
    """Speed it is spoken at; 1 is the voice's own."""
    skipped: tuple[int, int] | None = None
    """With "skipped": the part of the segment's translation, from and to which character."""


@dataclass(frozen=True, slots=True)
class VadEvent:
    """Speech began or ended."""

    type: ClassVar[str] = "x.vad"
    group: ClassVar[str | None] = "vad"
    state: str
    """"speech" or "silence"."""
    audio_ms: int
    """Position on the session's audio clock."""


@dataclass(frozen=True, slots=True)
class MetricsEvent:
    """Delays of the last spoken segment and the state of the transport; at most one a second."""

    type: ClassVar[str] = "x.metrics"
    group: ClassVar[str | None] = "metrics"
    endpoint_ms: float | None
    """Last voiced sample to the segment's end being known."""
    ast_ms: float | None
    """Submitted to translated, waiting included."""
    tts_ms: float | None
    """Text to its first sample."""
    first_audio_ms: float | None
    """Last voiced sample to the first translated frame going out."""
    ear_voice_ms: float | None
    """First sample of it to the first translated frame: how far the voice is behind."""
    queue_ms: float
    """Translated speech that waits to be played."""
    queue_drops: int
    """Segments, speech and messages dropped from this session's queues so far."""
    loss: float
    """Share of the client's packets that never came, 0 to 1."""
    jitter_ms: float
    """Interarrival jitter of the client's packets (RFC 3550)."""
    packets_received: int
    """Media packets of the client so far."""
    packets_sent: int
    """Media packets to the client so far."""
    recovered_ms: float
    """Audio of lost packets that was restored from redundancy, so far."""
    concealed_ms: float
    """Audio of lost packets that was invented, so far."""
    buffer_target_ms: float
    """Time for which a packet that a later one has overtaken is waited for now."""
    drift_ppm: float
    """Excess of the client's audio clock rate over the server's, in millionths."""


@dataclass(frozen=True, slots=True)
class StatsEvent:
    """The state of a session in three numbers, once a second; only on ``/ws/audio``."""

    type: ClassVar[str] = "stats"
    group: ClassVar[str | None] = None
    latency_ms: float | None
    """Last voiced sample to the first translated frame, of the last spoken segment."""
    queue_depth: int
    """Segments that were said and not yet played to their end."""
    queue_drops: int
    """As in ``x.metrics``."""


@dataclass(frozen=True, slots=True)
class WarningEvent:
    """Something the user should know; the session goes on."""

    type: ClassVar[str] = "x.warning"
    group: ClassVar[str | None] = "segment"
    code: str
    message: str


class ExpiringReason(StrEnum):
    """Reason for which a session or a room ends before anybody closed it."""

    LIMIT = "limit"
    """Its time, or that of its key, is up."""
    IDLE = "idle"
    """Nobody has spoken for long. Speech calls it off."""
    RESTART = "restart"
    """The server stops, or is replaced by another."""


@dataclass(frozen=True, slots=True)
class ExpiringEvent:
    """The session ends soon: it will then finish its sentence and close."""

    type: ClassVar[str] = "x.expiring"
    group: ClassVar[str | None] = "segment"
    in_ms: int
    """0 when it closes now."""
    reason: ExpiringReason = ExpiringReason.LIMIT


@dataclass(frozen=True, slots=True)
class PongEvent:
    """The answer to ``x.ping``; goes to whoever pinged."""

    type: ClassVar[str] = "x.pong"
    group: ClassVar[str | None] = None
    ping_event_id: str | None


ServerEvent: TypeAlias = (
    SessionCreated
    | SessionUpdated
    | SessionClosed
    | InputTranscriptDelta
    | OutputTranscriptDelta
    | ErrorEvent
    | SegmentEvent
    | PlayoutEvent
    | VadEvent
    | MetricsEvent
    | StatsEvent
    | WarningEvent
    | ExpiringEvent
    | PongEvent
)


def is_droppable(event: ServerEvent) -> bool:
    """Return whether a slow client loses nothing lasting when this event never arrives."""
    if isinstance(event, SegmentEvent):
        return not event.final
    return isinstance(event, MetricsEvent | StatsEvent | VadEvent)


def encode(event: ServerEvent, *, event_id: str, seq: int | None = None) -> str:
    """Return one JSON text. `seq` is the session's monotonic number, on ``x.*`` events."""
    body: dict[str, Any] = {"type": event.type, "event_id": event_id}
    if seq is not None:
        body["seq"] = seq
    for f in fields(event):
        body[f.name] = _plain(getattr(event, f.name))
    for optional in ("hints", "message", "code", "skipped"):
        if not body.get(optional, True):
            del body[optional]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 3)
    return value

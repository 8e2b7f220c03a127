"""Server events, and their form in JSON.

Types without ``x.`` have the names and shapes of OpenAI's Realtime Translations API; an ``x.*``
event goes only to a client that asked for its group (`group`, one of `EXTENSION_GROUPS`).
"""

import json
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

EXTENSION_GROUPS = frozenset({"segment", "playout", "vad", "metrics"})
"""Names that ``x_events`` may hold."""

ELAPSED_STEP_MS = 200
"""``elapsed_ms`` comes in these steps, as the public API has it."""


def elapsed_steps(ms: float) -> int:
    """Return `ms` cut down to a whole number of steps."""
    return int(ms // ELAPSED_STEP_MS) * ELAPSED_STEP_MS


@dataclass(frozen=True, slots=True)
class AudioInput:
    """``session.audio.input`` as it is in force."""

    transcription: dict[str, str] | None
    """``{"model", "language"}`` when input deltas are sent, else null."""
    noise_reduction: None = None
    """Always null: nothing here reduces noise, whatever was asked for."""


@dataclass(frozen=True, slots=True)
class AudioOutput:
    """``session.audio.output``."""

    language: str
    """The target language."""


@dataclass(frozen=True, slots=True)
class Audio:
    """``session.audio``."""

    input: AudioInput
    output: AudioOutput


@dataclass(frozen=True, slots=True)
class VadSettings:
    """``session.x.vad``."""

    mode: str
    """"auto" or "off"."""
    hangover_ms: int
    """Silence that ends a segment."""


@dataclass(frozen=True, slots=True)
class SessionExtension:
    """``session.x``: what is really at work."""

    source_language: str
    target_language: str
    voice: str | None
    vad: VadSettings
    mode: str
    """Mode of translation: "fast", "balanced", "accurate" or "consecutive"."""
    ast: str
    """Title of the translation engine."""
    tts: str
    """Title of the synthesis engine."""
    events: tuple[str, ...]
    """Extension groups this client receives."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """The ``session`` object."""

    id: str
    model: str
    """The model name the call asked for, or the AST engine's name."""
    expires_at: int
    """Unix seconds; a session without an end of its own is renewed before it, by an update."""
    audio: Audio
    x: SessionExtension
    type: str = "translation"


@dataclass(frozen=True, slots=True)
class SessionCreated:
    """The first event of every session."""

    type: ClassVar[str] = "session.created"
    group: ClassVar[str | None] = None
    session: SessionInfo


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    """Settings as they are now in force."""

    type: ClassVar[str] = "session.updated"
    group: ClassVar[str | None] = None
    session: SessionInfo


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The last event of every session."""

    type: ClassVar[str] = "session.closed"
    group: ClassVar[str | None] = None


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


class SegmentStatus(StrEnum):
    """State of a segment's captions."""

    PARTIAL = "partial"
    FINAL = "final"
    NOT_UNDERSTOOD = "not_understood"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SourceCaption:
    """Caption in the source language."""

    language: str
    text: str
    stable_chars: int
    """Leading characters that no later revision changes."""
    start_ms: int
    """Start of the segment on the session's audio clock."""
    end_ms: int
    """End of the segment, or where it has come to."""


@dataclass(frozen=True, slots=True)
class TargetCaption:
    """Caption in the target language."""

    language: str
    text: str
    stable_chars: int
    """Leading characters that no later revision changes."""


@dataclass(frozen=True, slots=True)
class CaptionHint:
    """A phrase near to what was not understood."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class SegmentEvent:
    """The captions of one segment; replaces what came before under the same id."""

    type: ClassVar[str] = "x.segment"
    group: ClassVar[str | None] = "segment"
    segment_id: str
    rev: int
    """Counts up within a segment; a lower one that comes late is to be ignored."""
    final: bool
    status: SegmentStatus
    source: SourceCaption
    target: TargetCaption
    hints: tuple[CaptionHint, ...] = ()
    """With not_understood: what it might have been."""
    message: str = ""
    """With failed: a sentence for the user."""
    code: str = ""
    """With failed: why, by a stable name, as in the ``error`` event that comes with it."""


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

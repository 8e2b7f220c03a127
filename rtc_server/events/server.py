"""Server events, and their form in JSON.

Types without ``x.`` have the names and shapes of OpenAI's Realtime Translations API; an ``x.*``
event goes only to a client that asked for its group (`group`, one of `EXTENSION_GROUPS`).
"""

from enum import StrEnum
from typing import Annotated, ClassVar, TypeAlias, get_args

import msgspec
from msgspec import Meta, Struct

from rtc_server.events.base_event import BaseEvent
from rtc_server.events.fields import Count, ElapsedMs, FaultType, Group, PlayoutState, VadState
from rtc_server.events.segment_events import SegmentEvent
from rtc_server.events.session_events import SessionClosed, SessionCreated, SessionUpdated

EXTENSION_GROUPS: frozenset[str] = frozenset(get_args(Group))
"""Names that ``x_events`` may hold."""

_ENCODER = msgspec.json.Encoder()
ELAPSED_STEP_MS = 200
"""``elapsed_ms`` comes in these steps, as the public API has it."""


def elapsed_steps(ms: float) -> int:
    """Return `ms` cut down to a whole number of steps."""
    return int(ms // ELAPSED_STEP_MS) * ELAPSED_STEP_MS


class InputTranscriptDelta(BaseEvent, frozen=True, tag="session.input_transcript.delta"):
    """More source text; append it."""

    delta: str
    elapsed_ms: ElapsedMs


class OutputTranscriptDelta(BaseEvent, frozen=True, tag="session.output_transcript.delta"):
    """More target text; append it."""

    delta: str
    elapsed_ms: ElapsedMs


class ErrorDetail(Struct, frozen=True):
    """Description of a failure, for programs and for people."""

    type: FaultType
    """"invalid_request_error" (the client's doing) or "server_error"."""
    code: str
    """Stable name, as in `rtc_server.errors`."""
    message: str
    """A sentence that says what to do."""
    event_id: str | None = None
    """The client event it answers, if it had an id."""


class ErrorEvent(BaseEvent, frozen=True, tag="error"):
    """Something failed; the session goes on."""

    error: ErrorDetail


class PlayoutEvent(BaseEvent, frozen=True, tag="x.playout", omit_defaults=True):
    """Playback state of a segment's speech."""

    group: ClassVar[str | None] = "playout"
    segment_id: str
    state: PlayoutState
    """"queued", "started", "finished" or "dropped"; "skipped" when a part was left out."""
    queue_ms: int
    """Speech that waits to be played, this segment's included."""
    tempo: float
    """Speed it is spoken at; 1 is the voice's own."""
    skipped: tuple[int, int] | None = None
    """With "skipped": the part of the segment's translation, from and to which character."""


class VadEvent(BaseEvent, frozen=True, tag="x.vad"):
    """Speech began or ended."""

    group: ClassVar[str | None] = "vad"
    state: VadState
    """"speech" or "silence"."""
    audio_ms: int
    """Position on the session's audio clock."""


class MetricsEvent(BaseEvent, frozen=True, tag="x.metrics"):
    """Delays of the last spoken segment and the state of the transport; at most one a second."""

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
    queue_drops: Count
    """Segments, speech and messages dropped from this session's queues so far."""
    loss: Annotated[float, Meta(ge=0, le=1)]
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


class StatsEvent(BaseEvent, frozen=True, tag="stats"):
    """The state of a session in three numbers, once a second; only on ``/ws/audio``."""

    latency_ms: float | None
    """Last voiced sample to the first translated frame, of the last spoken segment."""
    queue_depth: int
    """Segments that were said and not yet played to their end."""
    queue_drops: Count
    """As in ``x.metrics``."""


class WarningEvent(BaseEvent, frozen=True, tag="x.warning"):
    """Something the user should know; the session goes on."""

    group: ClassVar[str | None] = "segment"
    code: str
    message: str


class ExpiringReason(StrEnum):
    """Reason for which a session or a room ends before anybody closed it."""

    LIMIT = "limit"
    """Time of the session, the room or the key is up."""
    IDLE = "idle"
    """Nobody has spoken for long. Speech calls it off."""
    RESTART = "restart"
    """The server stops, or is replaced by another."""


class ExpiringEvent(BaseEvent, frozen=True, tag="x.expiring"):
    """The session ends soon: it will then finish its sentence and close."""

    group: ClassVar[str | None] = "segment"
    in_ms: Count
    """0 when it closes now."""
    reason: ExpiringReason = ExpiringReason.LIMIT


class OutputAudioDelta(BaseEvent, frozen=True, tag="session.output_audio.delta"):
    """Translated speech, on ``/v1/realtime/translations`` only."""

    delta: Annotated[str, Meta(extra_json_schema={"contentEncoding": "base64"})]
    """Base64 of PCM16."""
    sample_rate: int
    channels: int
    format: str
    elapsed_ms: ElapsedMs
    """Audio heard from the client until then."""


class PongEvent(BaseEvent, frozen=True, tag="x.pong"):
    """The answer to ``x.ping``; goes to whoever pinged."""

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


def encode(event: BaseEvent, *, event_id: str, seq: int | None = None) -> str:
    """Return one JSON text. `seq` is the session's monotonic number, on ``x.*`` events."""
    numbered = f'{{"type":"{event.type}","event_id":"{event_id}"'
    if seq is not None:
        numbered += f',"seq":{seq}'
    text = _ENCODER.encode(_rounded(event)).decode()
    return numbered + text[len(f'{{"type":"{event.type}"') :]


def _rounded(event: BaseEvent) -> BaseEvent:
    """Return it with three digits behind the point, and of numpy's numbers plain ones."""
    values = ((name, getattr(event, name)) for name in event.__struct_fields__)
    floats = {name: float(round(each, 3)) for name, each in values if isinstance(each, float)}
    return msgspec.structs.replace(event, **floats) if floats else event

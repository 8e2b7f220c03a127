"""Messages between a media process and an engine server, and their framing.

A frame is the size of its head (uint32), the head, and audio to the end of the frame. The head is a
JSON object: the message's name, its fields, and perhaps the trace that it is part of. Audio is mono
int16, little-endian; in the head an array is its number of samples. Every field is checked against
its type and its bounds, and nothing that is read can choose what is made of it.

One connection serves one kind of engine; many calls are open at once, each with a number that its
caller chose::

    media process                  engine server
         ◀─────────────────────── ServerHello
    Ask ────────────────────────▶ AstAnswer | CallFailed
    SpeakText ──────────────────▶ SpokenChunk … then SpokenAll | CallFailed
    CancelCall, ForgetSession ──▶ nobody waits any more; no reply
    EnginePing ───────────────────────▶ EnginePong
         ◀─────────────────────── GoAway: ask another from now on
"""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Never, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from rtc_server.engines.base import (
    AstCapabilities,
    AstRequest,
    AstResult,
    EngineCard,
    TtsCapabilities,
    TtsRequest,
)
from rtc_server.engines.typed import WrongType, from_plain, to_plain
from rtc_server.errors import EngineError
from rtc_server.pcm import Samples
from rtc_server.tracing import TRACE_CONTEXT

PROTOCOL = "rtc-engines.1"
"""Name and version of this protocol: the WebSocket's subprotocol."""
MOST_FRAME_BYTES = 4 * 1024 * 1024
"""Two minutes of audio at 16 kHz; no engine takes half of that."""
MOST_HEAD_BYTES = 1024 * 1024
"""Head of a server's message: its hello holds every phrase of a phrasebook."""
MOST_ASKING_HEAD_BYTES = 64 * 1024
"""Head of a media process's message: the texts of one sentence."""
_MOST_NAME = 200
_MOST_NUMBER = 1 << 53
_MOST_RATE = 4.0
_HEAD = struct.Struct("!I")
_FULL_SCALE = np.float32(32768.0)


class AskKind(StrEnum):
    """Method of `AstPort` that a call is."""

    FINAL = "final"
    PARTIAL = "partial"
    SPECULATIVE = "speculative"
    COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class KeptAudio:
    """Audio that the server has already: a part of what an earlier call was about."""

    session: str
    """Session that asked then: the same, or another language of its room."""
    of: int
    """Number of that call, the last of that session."""
    start: int
    """First sample of it that counts."""
    size: int
    """Samples that count from there on."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Translate a segment. Its audio is what was kept, then the samples of the request."""

    n: int
    """Number of the call."""
    kind: AskKind
    """Method that is called."""
    session: str
    """Session that asks."""
    request: AstRequest
    """The request, with the samples that are new."""
    wait_ms: int
    """Time after which nobody waits any more."""
    kept: KeptAudio | None = None
    """Audio before the new samples; None when all of it is here."""
    of: int = 0
    """Of a commit: number of the speculative call."""
    trace: str = ""
    """`Span.context` of the question; the request's own field is empty."""


@dataclass(frozen=True, slots=True)
class SpeakText:
    """Speak a text."""

    n: int
    """Number of the call."""
    session: str
    """Session that asks."""
    request: TtsRequest
    """The text."""
    wait_ms: int
    """Time after which nobody waits for its beginning any more."""
    trace: str = ""
    """As of `Ask`."""


@dataclass(frozen=True, slots=True)
class CancelCall:
    """Cancel a call that nobody waits for any more."""

    n: int
    """Number of the call."""


@dataclass(frozen=True, slots=True)
class ForgetSession:
    """That session is over."""

    session: str
    """Session whose calls end."""


@dataclass(frozen=True, slots=True)
class EnginePing:
    """Asks for a sign of life."""

    n: int
    """Number of the ping."""


@dataclass(frozen=True, slots=True)
class PhraseCard:
    """A phrase that the engine understands, for the page to suggest."""

    text: str
    """Sentence to say."""
    translation: str
    """Its translation."""
    language: str
    """Language of the translation."""
    topic: str = ""
    """Topic that it belongs to."""


@dataclass(frozen=True, slots=True)
class ServerHello:
    """First message of a server: the engine behind this connection."""

    version: str
    """Version of the server's rtc_server."""
    chosen: str
    """Name that the engine was chosen by, as in ``--ast laptop``."""
    ast: AstCapabilities | None = None
    """Capabilities of the translation engine, on a connection for translation."""
    tts: TtsCapabilities | None = None
    """Capabilities of the voice, on a connection for speech."""
    cards: tuple[EngineCard, ...] = ()
    """Engines of this kind that the server's machine knows."""
    phrases: Mapping[str, tuple[PhraseCard, ...]] = field(default_factory=dict)
    """Phrases by the language they are said in."""


@dataclass(frozen=True, slots=True)
class AstAnswer:
    """Answer to an `Ask`."""

    n: int
    """Number of the call."""
    result: AstResult | None = None
    """The result; None for a call that was not worth its time."""


@dataclass(frozen=True, slots=True)
class SpokenChunk:
    """Speech as it is made."""

    n: int
    """Number of the call."""
    samples: Samples
    """Mono, at the engine's rate, shape (n,), n >= 1."""


@dataclass(frozen=True, slots=True)
class SpokenAll:
    """The text is spoken to its end."""

    n: int
    """Number of the call."""


@dataclass(frozen=True, slots=True)
class CallFailed:
    """A call that has no answer."""

    n: int
    """Number of the call."""
    code: str
    """`RtcServerError.code`, or one of `DROPPED`, `DRAINING` and `NO_AUDIO`."""
    reason: str = ""
    """A sentence without anything of what was said."""


DROPPED = "dropped"
"""Code of a call that the server gave up without a failure, for it is closing."""
DRAINING = "draining"
"""Code of a call that came when the server took no new ones any more."""
NO_AUDIO = "no_audio"
"""Code of a call about audio that the server has not kept: it is to be sent whole."""


@dataclass(frozen=True, slots=True)
class EnginePong:
    """A sign of life."""

    n: int
    """Number of the ping."""
    ready: bool = True
    """False while the engine is being restarted."""
    retry_after_s: int = 0
    """Seconds until another session can be carried; 0 for at once."""


@dataclass(frozen=True, slots=True)
class GoAway:
    """The server takes no new calls: it finishes those it has, and stops."""


FromMedia: TypeAlias = Ask | SpeakText | CancelCall | ForgetSession | EnginePing
FromServer: TypeAlias = (
    ServerHello | AstAnswer | SpokenChunk | SpokenAll | CallFailed | EnginePong | GoAway
)

_ASKING = {kind.__name__: kind for kind in get_args(FromMedia)}
_ANSWERING = {kind.__name__: kind for kind in get_args(FromServer)}


def encode(message: FromMedia | FromServer) -> bytes:
    """Return the frame of a message."""
    audio: list[bytes] = []

    def put_array(array: Samples) -> int:
        audio.append(as_int16(array).tobytes())
        return array.size

    fields = to_plain(message, put_array)
    named = {"message": type(message).__name__, "fields": fields}
    # Beside the fields, where a server of an earlier version does not look.
    if trace := fields.pop("trace", ""):
        named["trace"] = trace
    head = json.dumps(named, ensure_ascii=False, separators=(",", ":"))
    head_bytes = head.encode("utf-8", "surrogatepass")
    return b"".join([_HEAD.pack(len(head_bytes)), head_bytes, *audio])


def decode_asking(frame: bytes) -> FromMedia:
    """Return the message of a media process. Raises `EngineError` for anything else."""
    message: FromMedia = _decode(frame, _ASKING, MOST_ASKING_HEAD_BYTES)
    return message


def decode_answering(frame: bytes) -> FromServer:
    """Return the message of a server. Raises `EngineError` for anything else."""
    message: FromServer = _decode(frame, _ANSWERING, MOST_HEAD_BYTES)
    return message


def as_int16(samples: Samples) -> npt.NDArray[np.int16]:
    """Return samples as they are sent. What was int16 before comes out the same."""
    scaled = np.clip(np.rint(samples * _FULL_SCALE), -32768.0, 32767.0)
    sent: npt.NDArray[np.int16] = scaled.astype("<i2")
    return sent


def _decode(frame: bytes, kinds: Mapping[str, Any], most_head: int) -> Any:
    if len(frame) < _HEAD.size:
        raise EngineError("A frame ends before its head.")
    (size,) = _HEAD.unpack_from(frame)
    begin = _HEAD.size + size
    if size > most_head or begin > len(frame):
        raise EngineError("A frame has a head of a wrong size.")
    taken = begin

    def take_array(count: int) -> Samples:
        nonlocal taken
        if not 0 <= count <= (len(frame) - taken) // 2:
            raise WrongType("an array of more samples than there are")
        array = np.frombuffer(frame, "<i2", count, taken)
        taken += array.nbytes
        return array.astype(np.float32) / _FULL_SCALE

    try:
        named = json.loads(
            frame[_HEAD.size : begin].decode("utf-8", "surrogatepass"), parse_constant=_no_constant
        )
        message = from_plain(kinds[named["message"]], named["fields"], take_array)
        message = _with_trace(message, named.get("trace"))
        _check(message)
    except (ValueError, KeyError, TypeError, RecursionError, WrongType) as exc:
        # Not its text: that may quote what was said.
        raise EngineError(f"A frame cannot be read ({type(exc).__name__}).") from None
    if taken != len(frame):
        raise EngineError("A frame has audio that is in no message.")
    return message


def _with_trace(message: Any, trace: object) -> Any:
    """Return the message with its trace; without one when it is none, which harms nobody."""
    if not isinstance(message, Ask | SpeakText):
        return message
    if message.request.trace or message.trace:
        raise WrongType("a trace in the wrong place")
    if not (isinstance(trace, str) and TRACE_CONTEXT.fullmatch(trace)):
        return message
    return replace(message, trace=trace)


def _no_constant(_name: str) -> Never:
    raise WrongType("a number that is none")


def _check(message: Any) -> None:
    """Raise `WrongType` for numbers and names beyond their bounds."""
    numbers = [getattr(message, name, 0) for name in ("n", "wait_ms", "of", "retry_after_s")]
    match message:
        case Ask(kept=KeptAudio(_, of, start, size)):
            numbers += [of, start, size]
        case SpokenChunk(samples=samples) if not samples.size:
            raise WrongType("a chunk of nothing")
        case SpeakText(request=request) if not (
            math.isfinite(request.rate) and 0 < request.rate <= _MOST_RATE
        ):
            raise WrongType("a rate out of bounds")
    if not all(0 <= each <= _MOST_NUMBER for each in numbers):
        raise WrongType("a number out of bounds")
    if any(len(getattr(message, name, "")) > _MOST_NAME for name in ("session", "code")):
        raise WrongType("a name that is too long")

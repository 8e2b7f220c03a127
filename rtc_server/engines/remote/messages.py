"""Messages between a media process and an engine server; `frames` writes and reads them.

One connection serves one kind of engine; many calls are open at once, each with a number that its
caller chose::

    media process                  engine server
         ◀─────────────────────── ServerHello
    Ask ────────────────────────▶ AstAnswer | CallFailed
    SpeakText ──────────────────▶ SpokenChunk … then SpokenAll | CallFailed
    CancelCall, ForgetSession ──▶ (no reply)
    EnginePing ───────────────────────▶ EnginePong
         ◀─────────────────────── GoAway: use another server from now on
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from rtc_server.engines.base import (
    AstCapabilities,
    AstRequest,
    AstResult,
    EngineCard,
    TtsCapabilities,
    TtsRequest,
)
from rtc_server.pcm import Samples

PROTOCOL = "rtc-engines.1"
"""Name and version of this protocol: the WebSocket's subprotocol."""


class AskKind(StrEnum):
    """Method of `AstPort` that a call stands for."""

    FINAL = "final"
    PARTIAL = "partial"
    SPECULATIVE = "speculative"
    COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class KeptAudio:
    """Audio that the server has already: a part of an earlier call's."""

    session: str
    """Session of that call: the same, or another language of its room."""
    of: int
    """Number of that call, which was the last of its session."""
    start: int
    """Index of the first sample in use."""
    size: int
    """Number of samples in use from there on."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Request for a translation. Its audio is the kept part, then the samples of the request."""

    n: int
    """Number of the call."""
    kind: AskKind
    """Method that the call stands for."""
    session: str
    """Session of the call."""
    request: AstRequest
    """Request with the new samples alone."""
    wait_ms: int
    """Milliseconds that the caller waits for the answer."""
    kept: KeptAudio | None = None
    """Audio before the new samples; None if the request has all of it."""
    of: int = 0
    """Number of the speculative call that a commit continues; 0 for none."""
    trace: str = ""
    """`Span.context` of the caller; the request's own field is empty."""


@dataclass(frozen=True, slots=True)
class SpeakText:
    """Request for the speech of a text."""

    n: int
    """Number of the call."""
    session: str
    """Session of the call."""
    request: TtsRequest
    """Text, language and voice."""
    wait_ms: int
    """Milliseconds that the caller waits for the first chunk."""
    trace: str = ""
    """`Span.context` of the caller; the request's own field is empty."""


@dataclass(frozen=True, slots=True)
class CancelCall:
    """Notice that nothing waits for a call any more."""

    n: int
    """Number of the call."""


@dataclass(frozen=True, slots=True)
class ForgetSession:
    """Notice that a session is over."""

    session: str
    """Session whose calls end."""


@dataclass(frozen=True, slots=True)
class EnginePing:
    """Request for a sign of life."""

    n: int
    """Number of the ping."""
    newcomer: str = ""
    """Session that was just admitted and will make calls; empty for none."""


@dataclass(frozen=True, slots=True)
class PhraseCard:
    """A phrase that the engine understands, for the page to suggest."""

    text: str
    """Phrase to say."""
    translation: str
    """Translation of it."""
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
    """Name by which the engine was chosen, as in ``--ast laptop``."""
    ast: AstCapabilities | None = None
    """Capabilities of the translation engine, on a connection for translation."""
    tts: TtsCapabilities | None = None
    """Capabilities of the voice, on a connection for speech."""
    cards: tuple[EngineCard, ...] = ()
    """Engines of this kind that are registered on the server's machine."""
    phrases: Mapping[str, tuple[PhraseCard, ...]] = field(default_factory=dict)
    """Phrases by the language to say them in."""


@dataclass(frozen=True, slots=True)
class AstAnswer:
    """Answer to an `Ask`."""

    n: int
    """Number of the call."""
    result: AstResult | None = None
    """Result; None for a partial or a speculative call that was dropped."""


@dataclass(frozen=True, slots=True)
class SpokenChunk:
    """Chunk of the speech, as it is made."""

    n: int
    """Number of the call."""
    samples: Samples
    """Mono, at the engine's rate, shape (n,), n >= 1."""


@dataclass(frozen=True, slots=True)
class SpokenAll:
    """End of the speech."""

    n: int
    """Number of the call."""


@dataclass(frozen=True, slots=True)
class CallFailed:
    """Notice that a call has failed or was not taken."""

    n: int
    """Number of the call."""
    code: str
    """`RtcServerError.code`, or one of `DROPPED`, `DRAINING` and `NO_AUDIO`."""
    reason: str = ""
    """Sentence for people, without anything of what was said."""


DROPPED = "dropped"
"""Code of a call that the server cancelled without a failure, because it is closing."""
DRAINING = "draining"
"""Code of a call that came after the server stopped taking new ones."""
NO_AUDIO = "no_audio"
"""Code of a call that continues audio which the server has not kept: it is sent again, whole."""


@dataclass(frozen=True, slots=True)
class EnginePong:
    """Sign of life: the answer to an `EnginePing`."""

    n: int
    """Number of the ping."""
    ready: bool = True
    """False while the engine is being restarted."""
    retry_after_s: int = 0
    """Seconds until the engine can carry another session; 0 for at once."""


@dataclass(frozen=True, slots=True)
class GoAway:
    """Notice that the server takes no new calls: it finishes the open ones, and stops."""


FromMedia: TypeAlias = Ask | SpeakText | CancelCall | ForgetSession | EnginePing
FromServer: TypeAlias = (
    ServerHello | AstAnswer | SpokenChunk | SpokenAll | CallFailed | EnginePong | GoAway
)

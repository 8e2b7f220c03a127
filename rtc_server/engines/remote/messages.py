"""Messages between a media process and an engine server; `frames` writes and reads them.

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
    """Notice that a session is over."""

    session: str
    """Session whose calls end."""


@dataclass(frozen=True, slots=True)
class EnginePing:
    """Asks for a sign of life."""

    n: int
    """Number of the ping."""
    newcomer: str = ""
    """Session that was admitted and will ask; empty for none."""


@dataclass(frozen=True, slots=True)
class PhraseCard:
    """A phrase that the engine understands, for the page to suggest."""

    text: str
    """Sentence to say."""
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

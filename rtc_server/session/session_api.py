"""Interface between signaling and the sessions. It knows neither HTTP nor media."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rtc_server.engines.base import AstCapabilities, EngineCard, TtsCapabilities
from rtc_server.errors import AdmissionRefused
from rtc_server.events.client import SessionPatch
from rtc_server.events.segment_events import SourceCaption, TargetCaption
from rtc_server.interpreter.captions import Direction
from rtc_server.session.quota import KeyLimits
from rtc_server.transport.transport_api import Transport, TransportObserver


@dataclass(frozen=True, slots=True)
class Owner:
    """Identity that opened a session, and may change and end it."""

    key: str = ""
    """Id of the API key; empty on a server without keys."""
    secret: str = ""
    """Id of the client secret; empty when the key itself opened it."""

    def may_touch(self, other: "Owner") -> bool:
        """Return whether this owner may act on a session of `other`: a key on its own sessions and
        on those of its secrets, a secret on its own.
        """
        return self.key == other.key and self.secret in ("", other.secret)


@dataclass(frozen=True, slots=True)
class Claimant:
    """Caller that asks for a place."""

    owner: Owner = field(default_factory=Owner)
    """Key and client secret."""
    limits: KeyLimits = field(default_factory=KeyLimits)
    """Limits of the owner's key."""
    source: str = ""
    """Client address that is counted, for IPv6 its /64; empty if many people may share it."""
    has_rivals: bool = False
    """True if there are other keys, for which places are kept."""
    ticket: str | None = None
    """Ticket of the waiting line, or any other text to get one; None for callers that do not
    wait."""
    may_join: bool = True
    """True for callers that can read a refusal, and so can be given a ticket."""


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """Settings of a call as requested. Types are checked; languages and names are not yet."""

    model: str | None = None
    """Model name that the client gave; it is returned to the client, and has no effect."""
    settings: SessionPatch = field(default_factory=SessionPatch)
    """Settings that the call named; None for the server's defaults."""
    claimant: Claimant = field(default_factory=Claimant)
    """Caller."""
    stats: bool = False
    """True to send the client a ``stats`` event each second."""

    @property
    def owner(self) -> Owner:
        """Owner of the new session."""
        return self.claimant.owner


@dataclass(frozen=True, slots=True)
class LastSeen:
    """Last event that a client received before its connection was lost, as far as it says."""

    seq: int | None = None
    """``seq`` of the last extension event."""
    number: int | None = None
    """Number in the ``event_id`` of the last event of any kind; more exact than `seq`."""


@dataclass(frozen=True, slots=True)
class TranscriptEntry:
    """One segment that was understood."""

    at_s: float
    """Unix time when its first caption was sent."""
    source: SourceCaption
    """Source text, with its times on the session's audio clock."""
    target: TargetCaption
    """Translation of it."""


Connect = Callable[[TransportObserver], Awaitable[Transport]]
"""Function that makes the transport of an admitted session. If it raises, everything was freed."""


@dataclass(frozen=True, slots=True)
class OpenedCall:
    """Session that was opened, and whose peer may connect now."""

    session_id: str
    """Id of the session, for URLs: unguessable, only letters, digits, ``_`` and ``-``."""
    answer_sdp: str
    """SDP answer with all candidates."""
    etag: str
    """Tag of the ICE session, unquoted. A resumed call has a new one (RFC 9725 §4.3)."""


class Calls(Protocol):
    """Interface of the sessions to HTTP."""

    async def open_call(self, offer_sdp: str, request: SessionRequest) -> OpenedCall:
        """Admit a call, negotiate, and start its session. When cancelled, everything is freed.

        Raises:
            BadOffer: the SDP cannot be accepted.
            UnsupportedPair: the server lacks the language, the voice or the engine.
            AdmissionRefused: the server is full, warming up or stopping, or the caller is at a
                limit.
            EngineError: the engines cannot serve it now.
        """

    async def run_stream(self, connect: Connect, request: SessionRequest) -> None:
        """Admit a session on a transport without negotiation, and return when it is over.

        `connect` is called after the admission. When cancelled, the session ends.

        Raises:
            UnsupportedPair, AdmissionRefused: as `open_call`; `connect` was not called.
        """

    async def resume_call(self, session_id: str, offer_sdp: str, seen: LastSeen) -> OpenedCall:
        """Continue a session on another peer connection.

        When cancelled, the session is as before, or waits for its client.

        Raises:
            UnknownSession: there is no such session, or it is ending.
            BadOffer: the SDP cannot be accepted.
            AdmissionRefused: no socket could be opened.
        """

    async def resume_stream(self, session_id: str, connect: Connect, seen: LastSeen) -> None:
        """Do as `resume_call` for a transport without negotiation; return when it has closed.

        Raises:
            UnknownSession: as `resume_call`; `connect` was not called.
        """

    async def trickle(self, session_id: str, fragment: str, etag: str | None) -> None:
        """Add candidates of a ``trickle-ice-sdpfrag`` (RFC 8840). `etag` is unquoted If-Match.

        Raises:
            UnknownSession: there is no such session.
            EtagMismatch: `etag` is given and names another ICE session.
            IceRestartRefused: the fragment requests an ICE restart.
            BadOffer: the fragment is malformed.
        """

    def check(self, settings: SessionPatch) -> Direction:
        """Return the languages and the voice of a session with these settings.

        Raises:
            UnsupportedPair: the server lacks the language, the voice or the engine.
            NotReady: the engines are still warming up.
        """

    async def check_admission(self, request: SessionRequest) -> None:
        """Raise the error with which a session would be refused now; open none.

        Raises:
            UnsupportedPair, NotReady: as `check`.
            AdmissionRefused, RateLimited: all places are taken, or the caller is at a limit.
        """

    def owner(self, session_id: str) -> Owner:
        """Return the owner of a session that is open, or ended recently.

        Raises:
            UnknownSession: there is no such session.
        """

    def transcript(self, session_id: str) -> Sequence[TranscriptEntry]:
        """Return the segments understood so far, in order, of a session that is open, or ended
        recently.

        Raises:
            UnknownSession: there is no such session.
        """

    def revoke(self, key: str) -> None:
        """Revoke a key: its sessions finish their sentence and end."""

    async def close_call(self, session_id: str, *, drain: bool) -> None:
        """End a session: at once, or with `drain` after speaking what is pending. Do nothing if it
        has just ended, for example because its transport closed first.

        Raises:
            UnknownSession: there is no such session.
        """


class Readiness(Protocol):
    """Readiness of the server for new calls."""

    @property
    def ready(self) -> bool:
        """True if the engines are warm and the server is not stopping."""

    @property
    def reason(self) -> str:
        """Sentence that says why the server is not ready."""

    @property
    def retry_after_s(self) -> int:
        """Whole seconds until the engines can carry another session, 0 for at once."""


def check_headroom(readiness: Readiness) -> None:
    """Raise `AdmissionRefused` while the engines cannot carry another session."""
    if retry_after_s := readiness.retry_after_s:
        raise engines_busy(retry_after_s)


def engines_busy(retry_after_s: int) -> AdmissionRefused:
    """Return the refusal of a session that the engines cannot carry."""
    return AdmissionRefused(
        "This server translates as much as it can. Try again soon.", retry_after_s
    )


@dataclass(frozen=True, slots=True)
class SuggestedPhrase:
    """Phrase to try with the engines in use."""

    text: str
    """Sentence to say, in the requested language."""
    translation: str
    """Translation of the sentence."""
    language: str
    """Language of `translation`."""
    topic: str = ""
    """Topic, for grouping; may be empty."""


class Catalogue(Protocol):
    """Languages, voices, engines and phrases of this server."""

    @property
    def engine_set(self) -> str:
        """Name of the engine set in use; empty if the engines were chosen one by one."""

    def engines(self) -> Sequence[EngineCard]:
        """Return every engine that this server knows, in use or not."""

    @property
    def ast(self) -> AstCapabilities | None:
        """Capabilities of the translation engine in use; None until it has started."""

    @property
    def tts(self) -> TtsCapabilities | None:
        """Capabilities of the synthesis engine in use; None until it has started."""

    def phrases(self, language: str) -> Sequence[SuggestedPhrase]:
        """Return phrases to say in `language`; empty if the engine in use has no list of them."""

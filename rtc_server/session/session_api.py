"""Interface of the sessions to signaling. No HTTP here, no media there."""

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
    """Identity that opened a session, and so may touch it."""

    key: str = ""
    """Id of the API key; empty on a server without keys."""
    secret: str = ""
    """Id of the client secret; empty when the key itself opened it."""

    def may_touch(self, other: "Owner") -> bool:
        """Return whether a session of `other` is this one's: a key's own, and those
        of its secrets.
        """
        return self.key == other.key and self.secret in ("", other.secret)


@dataclass(frozen=True, slots=True)
class Claimant:
    """Caller that asks for a place, as far as admission cares."""

    owner: Owner = field(default_factory=Owner)
    """Key and client secret."""
    limits: KeyLimits = field(default_factory=KeyLimits)
    """Limits of the owner's key."""
    source: str = ""
    """Address that is counted, of IPv6 its /64; empty where many may stand behind it."""
    has_rivals: bool = False
    """Other keys exist, for which places are kept."""
    ticket: str | None = None
    """Ticket of the line before a full server, or any other text to get one; None for callers that
    do not wait."""
    may_join: bool = True
    """True for callers that can read a refusal, and so may be given a ticket."""


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """Settings of a call as requested. Shapes and types are checked; languages and names are not
    yet.
    """

    model: str | None = None
    """The model name as the client wrote it; it chooses nothing, and is shown back."""
    settings: SessionPatch = field(default_factory=SessionPatch)
    """Settings the call named; None there takes the server's default."""
    claimant: Claimant = field(default_factory=Claimant)
    """Caller that asks."""
    stats: bool = False
    """True if the client is sent a ``stats`` event each second."""

    @property
    def owner(self) -> Owner:
        """Owner of the session to be."""
        return self.claimant.owner


@dataclass(frozen=True, slots=True)
class LastSeen:
    """The last event that a client had received when the network took it away; all optional."""

    seq: int | None = None
    """``seq`` of the last extension event."""
    number: int | None = None
    """Number in the ``event_id`` of the last event of any kind; says more than `seq`."""


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
"""Function that makes the transport of an admitted session, or raises and leaves nothing behind."""


@dataclass(frozen=True, slots=True)
class OpenedCall:
    """A session that exists: its peer may connect now."""

    session_id: str
    """Names the session in URLs: unguessable, letters, digits, ``_`` and ``-`` only."""
    answer_sdp: str
    """The SDP answer with all candidates."""
    etag: str
    """Names the ICE session, unquoted; changes when ICE restarts (RFC 9725 §4.3)."""


class Calls(Protocol):
    """Interface of the sessions to HTTP."""

    async def open_call(self, offer_sdp: str, request: SessionRequest) -> OpenedCall:
        """Admit, negotiate, start. When cancelled, nothing of the call is left.

        Raises:
            BadOffer: the SDP cannot be accepted.
            UnsupportedPair: a language, voice or engine that is not here.
            AdmissionRefused: no room, still warming up, draining, or the key has used up its share.
            EngineError: the engines cannot serve it now.
        """

    async def run_stream(self, connect: Connect, request: SessionRequest) -> None:
        """Admit, connect a transport that needs no negotiation, and return when the session is
        over.

        `connect` is called only once the session is admitted. When cancelled, the session ends.

        Raises:
            UnsupportedPair, AdmissionRefused: as `open_call`; `connect` was not called.
        """

    async def resume_call(self, session_id: str, offer_sdp: str, seen: LastSeen) -> OpenedCall:
        """Give a session another peer in place of the one it has or had; the session goes on.

        When cancelled, the session is as before, or waits for its client.

        Raises:
            UnknownSession: there is no such session, or it is ending.
            BadOffer: the SDP cannot be accepted.
            AdmissionRefused: no UDP port is free.
        """

    async def resume_stream(self, session_id: str, connect: Connect, seen: LastSeen) -> None:
        """Do as `resume_call` for a transport that needs no negotiation; return when it is over.

        Raises:
            UnknownSession: as `resume_call`; `connect` was not called.
        """

    async def trickle(self, session_id: str, fragment: str, etag: str | None) -> None:
        """Add candidates of a ``trickle-ice-sdpfrag`` (RFC 8840). `etag` is unquoted If-Match.

        Raises:
            UnknownSession: there is no such session.
            EtagMismatch: `etag` is given and names another ICE session.
            IceRestartRefused: the fragment asks for an ICE restart.
            BadOffer: the fragment cannot be read.
        """

    def check(self, settings: SessionPatch) -> Direction:
        """Return the languages and the voice of a session with these settings, if there can be one.

        Raises:
            UnsupportedPair: a language, voice or engine that is not here.
            NotReady: that cannot be said yet.
        """

    async def check_admission(self, request: SessionRequest) -> None:
        """Raise the error with which a session would be refused now; open none.

        Raises:
            UnsupportedPair, NotReady: as `check`.
            AdmissionRefused, RateLimited: all places are taken, or what the key may use.
        """

    def owner(self, session_id: str) -> Owner:
        """Return the owner of a session, also of one whose transcript can still be read.

        Raises:
            UnknownSession: there is no such session.
        """

    def transcript(self, session_id: str) -> Sequence[TranscriptEntry]:
        """Return the segments understood so far, in the order of speaking; also shortly after the
        end.

        Raises:
            UnknownSession: there is no such session.
        """

    def revoke(self, key: str) -> None:
        """End a key that is no longer valid: its sessions finish their sentence and end."""

    async def close_call(self, session_id: str, *, drain: bool) -> None:
        """End a session: at once, or with `drain` after speaking what is pending.

        One that has just ended by itself, as when the close of its transport came first, is over as
        was asked.

        Raises:
            UnknownSession: there is no such session.
        """


class Readiness(Protocol):
    """State of the server towards new calls."""

    @property
    def ready(self) -> bool:
        """Warmed up and not draining."""

    @property
    def reason(self) -> str:
        """If not ready: a sentence that says why."""

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
    """Something to try with the engines in use."""

    text: str
    """Sentence to say, in the language asked for."""
    translation: str
    """Translation that comes back."""
    language: str
    """Language of `translation`."""
    topic: str = ""
    """Topic, for grouping; may be empty."""


class Catalogue(Protocol):
    """Languages, voices, engines and phrases of this server."""

    @property
    def engine_set(self) -> str:
        """Name of the set that the engines in use are; "" when they were chosen one by one."""

    def engines(self) -> Sequence[EngineCard]:
        """Return every engine this server knows, in use or not."""

    @property
    def ast(self) -> AstCapabilities | None:
        """The translation engine in use; None until it has started."""

    @property
    def tts(self) -> TtsCapabilities | None:
        """The synthesis engine in use; None until it has started."""

    def phrases(self, language: str) -> Sequence[SuggestedPhrase]:
        """Return phrases to say in `language`; none when the engine in use has no fixed list."""

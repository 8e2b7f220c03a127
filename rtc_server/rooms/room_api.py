"""Interface between signaling and the rooms. It knows neither HTTP nor media."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from rtc_server.events.fields import Count
from rtc_server.rooms.caption_tape import CaptionReader
from rtc_server.session.call_transport import CallTransport
from rtc_server.session.session_api import Claimant, OpenedCall, Owner
from rtc_server.transport.sdp import Role
from rtc_server.transport.transport_api import NextPacket, TransportObserver

AcceptPeer: TypeAlias = Callable[
    [str, TransportObserver, Role, NextPacket | None], Awaitable[CallTransport]
]
"""Function that makes the transport of a speaker or a listener from an offer. If it raises,
everything was freed."""


@dataclass(frozen=True, slots=True)
class SpeakerRequest:
    """Settings of a speaker as requested. Types are checked; languages are not yet."""

    source: str | None = None
    """Language that will be spoken; None for the server's default."""
    languages: frozenset[str] = frozenset()
    """Languages to offer; empty for all that there are."""
    claimant: Claimant = field(default_factory=Claimant)
    """Caller."""


@dataclass(frozen=True, slots=True)
class LanguageState:
    """One language of a room."""

    language: str
    listeners: Count
    """Number of people who listen to it or read its captions now."""


@dataclass(frozen=True, slots=True)
class RoomState:
    """A room as it is now."""

    room: str
    live: bool
    """True while somebody speaks in it."""
    source: str
    """Language that is spoken; its listeners receive the speaker's own voice."""
    languages: tuple[LanguageState, ...]
    """Languages of the room, the original first."""
    listeners: Count
    """Number of listeners and readers of all languages."""
    expires_in_ms: Count | None
    """Time until the speaker's time is up and the room closes; None without a limit."""


class Rooms(Protocol):
    """Interface of the rooms to HTTP. Each key has rooms and names of its own."""

    async def speak(self, room: str, offer_sdp: str, request: SpeakerRequest) -> OpenedCall:
        """Open the room, or return to it, as its only speaker. On a server with keys, an owner of
        the present speaker's session replaces that speaker.

        Raises:
            BadOffer, TooManyTracks: the SDP cannot be accepted.
            UnsupportedPair: the server lacks a language.
            RoomTaken: somebody else speaks there, or owns the room.
            AdmissionRefused: all rooms are taken, the server is warming up, or the caller is at a
                limit.
        """

    async def listen(
        self, room: str, offer_sdp: str, language: str | None, claimant: Claimant
    ) -> OpenedCall:
        """Listen to the room in a language; None for the room's default.

        Raises:
            BadOffer, TooManyTracks: the SDP cannot be accepted.
            UnsupportedPair: the room does not have the language.
            UnknownRoom, RoomSilent: there is no such room, or nobody speaks in it yet.
            AdmissionRefused: the room is full, or the address has too many listeners in it or
                connecting.
        """

    def read(
        self, room: str, language: str | None, last_id: str | None, claimant: Claimant
    ) -> AbstractContextManager[CaptionReader]:
        """Read the captions of a language, first those after `last_id`. Raises as `listen`."""

    def state(self, room: str, owner: Owner) -> RoomState:
        """Return the state of a room. Raises `UnknownRoom`."""

    def may_invite(self, room: str, owner: Owner) -> bool:
        """Return whether `owner` may make links to the room: nobody has opened it yet, or it is
        theirs.
        """

    async def trickle(self, room: str, peer: str, fragment: str, etag: str) -> None:
        """Add candidates of a ``trickle-ice-sdpfrag``; `etag` is unquoted If-Match, or ``*``.

        Raises:
            UnknownSession: there is no such speaker or listener.
            EtagMismatch: `etag` names another ICE session.
            IceRestartRefused, BadOffer: the fragment restarts ICE, or is malformed.
        """

    def owner(self, room: str, peer: str) -> Owner:
        """Return the owner of this speaker or listener. Raises `UnknownSession`."""

    async def hang_up(self, room: str, peer: str) -> None:
        """End a speaker or a listener. Raises `UnknownSession`."""

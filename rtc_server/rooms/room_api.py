"""Interface of the rooms to signaling. No HTTP here, no media there."""

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
"""Function that turns an offer into the transport of a speaker or a listener, or raises and leaves
nothing behind."""


@dataclass(frozen=True, slots=True)
class SpeakerRequest:
    """Settings of a speaker as requested. Shapes are checked; languages are not yet."""

    source: str | None = None
    """Language that will be spoken; None takes the server's default."""
    languages: frozenset[str] = frozenset()
    """Languages to offer; empty offers all there are."""
    claimant: Claimant = field(default_factory=Claimant)
    """Caller that asks."""


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
    """Language that is spoken; its listeners hear the speaker's own voice."""
    languages: tuple[LanguageState, ...]
    """Languages that can be listened to, the original first."""
    listeners: Count
    """Of all languages together."""
    expires_in_ms: Count | None
    """Time until the speaker's time is up and the room closes; None without a limit."""


class Rooms(Protocol):
    """Interface of the rooms to HTTP. Each key has rooms and names of its own."""

    async def speak(self, room: str, offer_sdp: str, request: SpeakerRequest) -> OpenedCall:
        """Open the room, or come back into it, as its one speaker.

        Raises:
            BadOffer, TooManyTracks: the SDP cannot be accepted.
            UnsupportedPair: a language that is not here.
            RoomTaken: somebody else speaks there, or it is somebody else's. Who may touch the
                present speaker's sessions replaces it, but on a server without keys.
            AdmissionRefused: no more rooms, still warming up, or the key has used up its share.
        """

    async def listen(
        self, room: str, offer_sdp: str, language: str | None, claimant: Claimant
    ) -> OpenedCall:
        """Listen to the room in a language; None takes the server's default target.

        Raises:
            BadOffer, TooManyTracks: the SDP cannot be accepted.
            UnsupportedPair: a language that the room does not have.
            UnknownRoom, RoomSilent: there is nothing to listen to (yet).
            AdmissionRefused: the room is full, or the address has too many in it or on their way.
        """

    def read(
        self, room: str, language: str | None, last_id: str | None, claimant: Claimant
    ) -> AbstractContextManager[CaptionReader]:
        """Read the captions of a language, those after `last_id` first. Raises as `listen`."""

    def state(self, room: str, owner: Owner) -> RoomState:
        """Return the state of a room. Raises `UnknownRoom`."""

    def may_invite(self, room: str, owner: Owner) -> bool:
        """Return whether `owner` may hand out links to it: nobody has opened it yet, or it is
        theirs.
        """

    async def trickle(self, room: str, peer: str, fragment: str, etag: str) -> None:
        """Add candidates of a ``trickle-ice-sdpfrag``; `etag` is unquoted If-Match, or ``*``.

        Raises:
            UnknownSession: there is no such speaker or listener.
            EtagMismatch: `etag` names another ICE session.
            IceRestartRefused, BadOffer: what the fragment asks for cannot be done.
        """

    def owner(self, room: str, peer: str) -> Owner:
        """Return the owner of this speaker or listener. Raises `UnknownSession`."""

    async def hang_up(self, room: str, peer: str) -> None:
        """End a speaker or a listener. Raises `UnknownSession`."""

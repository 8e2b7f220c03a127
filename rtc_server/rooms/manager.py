"""Registry of a server's rooms, the rules for opening one, and the tasks they live in."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from rtc_server.config import RoomSettings
from rtc_server.errors import (
    AdmissionRefused,
    EtagMismatch,
    NotReady,
    RateLimited,
    RoomTaken,
    UnknownRoom,
    UnknownSession,
    UnsupportedPair,
)
from rtc_server.rooms.captions import CaptionReader
from rtc_server.rooms.peer import Peer
from rtc_server.rooms.room import Room
from rtc_server.rooms.room_api import AcceptPeer, RoomState, SpeakerRequest
from rtc_server.session.admission import Admission, Kind, most_of_one_key
from rtc_server.session.services import Services
from rtc_server.session.session_api import Claimant, OpenedCall, Owner, Readiness, check_headroom

RETRY_ROOMS_FULL_S = 30
"""Seconds after which to try again when all rooms are taken."""
RETRY_NOT_READY_S = 2
"""Seconds after which to try again while the engines warm up."""


class RoomManager:
    """Implements `Rooms`. Use it inside ``async with manager.open()``."""

    def __init__(
        self,
        services: Services,
        accept: AcceptPeer,
        readiness: Readiness,
        settings: RoomSettings,
        admission: Admission,
    ) -> None:
        """`admission` is the sessions' own: a speaker counts as a session of the key."""
        self._services, self._accept, self._readiness = services, accept, readiness
        self._settings, self._admission = settings, admission
        self._rooms: dict[tuple[str, str], Room] = {}
        """By the id of their key and their name: each key has names of its own."""
        self._lives: set[asyncio.Task[None]] = set()
        self._is_open = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator["RoomManager"]:
        """Own the rooms' tasks; on leaving every room is closed and freed."""
        self._is_open = True
        try:
            yield self
        finally:
            self._is_open = False
            for room in self._rooms.values():
                room.close()
            await asyncio.gather(*self._lives)

    async def drain(self, within_s: float) -> None:
        """Let every room finish its sentence; return when all have closed, or the time is over."""
        for room in list(self._rooms.values()):
            room.restart(within_s)
        if self._lives:
            await asyncio.wait(self._lives, timeout=within_s)

    async def speak(self, room: str, offer_sdp: str, request: SpeakerRequest) -> OpenedCall:
        """See `Rooms.speak`."""
        if not self._readiness.ready:
            raise NotReady(self._readiness.reason, RETRY_NOT_READY_S)
        if not self._is_open:
            raise NotReady("The server is stopping.", RETRY_NOT_READY_S)
        source, targets = self._languages(request)
        claimant = request.claimant
        known = self._rooms.get((claimant.owner.key, room))
        if known is not None:
            self._check_return(known, source, claimant.owner)
            if known.live:
                return await known.replace_speaker(offer_sdp, claimant.owner)
        else:
            self._check_number(claimant)
            check_headroom(self._readiness)
        now_s, wall_s = self._services.clock(), self._services.wall()
        place = self._admission.admit(Kind.SPEAKER, claimant, now_s, wall_s)
        opened = known or self._begin(room, source, targets, claimant.owner)
        try:
            return await opened.speak(offer_sdp, place)
        except BaseException:
            if known is None and not opened.live:
                opened.close()
            raise

    async def listen(
        self, room: str, offer_sdp: str, language: str | None, claimant: Claimant
    ) -> OpenedCall:
        """See `Rooms.listen`."""
        found = self._room(room, claimant.owner)
        code = self._choice(found, language)
        now_s, wall_s = self._services.clock(), self._services.wall()
        place = self._admission.admit(Kind.LISTENER, claimant, now_s, wall_s)
        return await found.listen(offer_sdp, code, place)

    @contextmanager
    def read(
        self, room: str, language: str | None, last_id: str | None, owner: Owner
    ) -> Iterator[CaptionReader]:
        """See `Rooms.read`."""
        place = self._room(room, owner)
        code = self._choice(place, language)
        reader = place.read(code, last_id)
        try:
            yield reader
        finally:
            place.left(reader, code)

    def state(self, room: str, owner: Owner) -> RoomState:
        """See `Rooms.state`."""
        return self._room(room, owner).state()

    def may_invite(self, room: str, owner: Owner) -> bool:
        """See `Rooms.may_invite`."""
        known = self._rooms.get((owner.key, room))
        return known is None or known.is_over or owner.may_touch(known.owner)

    async def trickle(self, room: str, peer: str, fragment: str, etag: str) -> None:
        """See `Rooms.trickle`."""
        found = self._peer(room, peer)
        if etag not in ("*", found.etag):
            raise EtagMismatch("If-Match names another ICE session. Use the ETag of the answer.")
        await found.trickle(fragment)

    def owner(self, room: str, peer: str) -> Owner:
        """See `Rooms.owner`."""
        return self._peer(room, peer).owner

    async def hang_up(self, room: str, peer: str) -> None:
        """See `Rooms.hang_up`."""
        await self._peer(room, peer).close()

    # ---------------------------------------------------------------- rules

    def _languages(self, request: SpeakerRequest) -> tuple[str, tuple[str, ...]]:
        """Return the source and the targets that can be translated and spoken, the
        usual one first.
        """
        source = request.source or self._services.interpreter.source
        pairs, voices = (
            self._services.ast.capabilities.pairs,
            self._services.tts.capabilities.voices,
        )
        there = sorted({into for spoken, into in pairs if spoken == source and into in voices})
        if not there:
            sources = ", ".join(sorted({spoken for spoken, _ in pairs}))
            raise UnsupportedPair(
                f"Speech in {source!a} is not translated here. These languages are: {sources}."
            )
        if unknown := sorted(request.languages - {source, *there}):
            raise UnsupportedPair(
                f"Speech in {source} is not translated to {unknown[0]!a} here. "
                f"It is to: {', '.join(there)}."
            )
        if request.languages:
            there = [each for each in there if each in request.languages]
        usual = self._services.interpreter.target
        return source, tuple(sorted(there, key=lambda code: (code != usual, code)))

    def _check_number(self, claimant: Claimant) -> None:
        """Raise `AdmissionRefused` when there is no place for another room of that key."""
        most, key = self._settings.max_rooms, claimant.owner.key
        if len(self._rooms) >= most:
            raise AdmissionRefused(
                f"All {most} rooms of this server are taken.", RETRY_ROOMS_FULL_S
            )
        own = sum(room.owner.key == key for room in self._rooms.values())
        if claimant.has_rivals and own >= most_of_one_key(most):
            raise RateLimited(
                f"This key holds {own} of the {most} rooms of this server; the others are kept "
                "for other keys.",
                RETRY_ROOMS_FULL_S,
            )

    @staticmethod
    def _check_return(room: Room, source: str, owner: Owner) -> None:
        # Without keys everybody is the same owner, and nobody may push the speaker away.
        taken = room.live and not (owner.key and room.speaks_for(owner))
        if not owner.may_touch(room.owner) or taken or room.is_closing:
            raise RoomTaken("Somebody has this room already. Choose another name, or try later.")
        if source != room.source:
            raise UnsupportedPair(
                f"This room is interpreted from {room.source}. Go on in that language, or open "
                "another room."
            )

    @staticmethod
    def _choice(room: Room, language: str | None) -> str:
        every = (room.source, *room.targets)
        if language is None:
            return (*room.targets, room.source)[0]
        if language not in every:
            raise UnsupportedPair(
                f"This room has no language {language!a}. It has: {', '.join(every)}."
            )
        return language

    def _room(self, name: str, owner: Owner) -> Room:
        """Return the room of that name which belongs to the owner's key."""
        room = self._rooms.get((owner.key, name))
        if room is None or room.is_over:
            raise UnknownRoom("There is no such room, or it has closed.")
        return room

    def _peer(self, name: str, peer_id: str) -> Peer:
        """Return a speaker or a listener, whose id nobody guesses, of whichever key's room."""
        for room in self._rooms.values():
            if room.name == name and not room.is_over:
                with suppress(UnknownSession):
                    return room.peer(peer_id)
        raise UnknownSession("There is no such session; it may have ended.")

    # ---------------------------------------------------------------- lives

    def _begin(self, name: str, source: str, targets: tuple[str, ...], owner: Owner) -> Room:
        room = Room(
            name,
            source,
            targets,
            owner,
            services=self._services,
            settings=self._settings,
            accept=self._accept,
        )
        self._rooms[owner.key, name] = room
        self._services.metrics.rooms.set(len(self._rooms))
        life = asyncio.create_task(self._live(room), name="room")
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)
        return room

    async def _live(self, room: Room) -> None:
        try:
            await room.run()
        except Exception:
            room.log.exception("failed")
        finally:
            del self._rooms[room.owner.key, room.name]
            self._services.metrics.rooms.set(len(self._rooms))

"""Registry of a server's rooms, with the rules for opening one and the tasks that run them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from rtc_server.errors import (
    EtagMismatch,
    NotReady,
    RoomTaken,
    UnknownRoom,
    UnknownSession,
    UnsupportedPair,
)
from rtc_server.rooms.caption_tape import CaptionReader
from rtc_server.rooms.peer import Peer
from rtc_server.rooms.room import Room
from rtc_server.rooms.room_api import AcceptPeer, RoomState, SpeakerRequest
from rtc_server.rooms.room_settings import RoomSettings
from rtc_server.session.admission_desk import AdmissionDesk
from rtc_server.session.places import Kind, Place, RoomPlace
from rtc_server.session.services import Services
from rtc_server.session.session_api import Claimant, OpenedCall, Owner, Readiness, check_headroom

RETRY_NOT_READY_S = 2
"""Seconds after which to try again while the engines warm up."""


class RoomManager:
    """Implementation of `Rooms`. Use it inside ``async with manager.open()``."""

    def __init__(
        self,
        services: Services,
        accept: AcceptPeer,
        readiness: Readiness,
        settings: RoomSettings,
        admission: AdmissionDesk,
    ) -> None:
        """`admission`: shared with the sessions, because a speaker counts as a session of its
        key.
        """
        self._services, self._accept, self._readiness = services, accept, readiness
        self._settings, self._admission = settings, admission
        self._rooms: dict[tuple[str, str], Room] = {}
        """Rooms by key id and name. Different keys may use the same name."""
        self._lives: set[asyncio.Task[None]] = set()
        self._is_open = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator["RoomManager"]:
        """Accept rooms while the block runs; at its end every room is closed and freed."""
        self._is_open = True
        try:
            yield self
        finally:
            self._is_open = False
            for room in self._rooms.values():
                room.close()
            await asyncio.gather(*self._lives)

    @property
    def names(self) -> set[str]:
        """Names of the rooms that are open."""
        return {name for _, name in self._rooms}

    async def drain(self, within_s: float) -> None:
        """Let every room finish its sentence; return when all are closed, or after `within_s`."""
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
        address = claimant.owner.key, room
        known = self._rooms.get(address)
        if known is not None:
            self._check_return(known, source, claimant.owner)
            if known.live:
                return await known.replace_speaker(offer_sdp, claimant.owner)
        room_place = await self._claim_room(claimant) if known is None else None
        try:
            place = await self._claim(Kind.SPEAKER, claimant)
        except BaseException:
            if room_place is not None:
                room_place.end()
            raise
        # During the claims somebody else may have joined, or the room may have closed.
        if self._rooms.get(address) is not known or (known is not None and known.live):
            place.end(*self._services.now())
            if room_place is not None:
                room_place.end()
            return await self.speak(room, offer_sdp, request)
        opened = known
        if opened is None:
            assert room_place is not None
            opened = self._begin(room, source, targets, claimant.owner, room_place)
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
        place = await self._claim(Kind.LISTENER, claimant)
        return await found.audience.listen(offer_sdp, code, place)

    @contextmanager
    def read(
        self, room: str, language: str | None, last_id: str | None, claimant: Claimant
    ) -> Iterator[CaptionReader]:
        """See `Rooms.read`."""
        found = self._room(room, claimant.owner)
        code = self._choice(found, language)
        reader = found.audience.read(code, last_id, claimant.source)
        try:
            yield reader
        finally:
            found.audience.left(reader, code)

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
        """Return the source language, and the targets with a translation and a voice, the default
        first.
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

    async def _claim_room(self, claimant: Claimant) -> RoomPlace:
        """Return the place of another room, if the engines can carry it."""
        place = await self._admission.claim_room(claimant, self._settings.max_rooms)
        try:
            check_headroom(self._readiness)
        except BaseException:
            place.end()
            raise
        return place

    async def _claim(self, kind: Kind, claimant: Claimant) -> Place:
        return await self._admission.claim(kind, claimant, *self._services.now())

    @staticmethod
    def _check_return(room: Room, source: str, owner: Owner) -> None:
        # Without keys everybody is the same owner, and must not replace the speaker.
        taken = room.live and not (owner.key and room.speaks_for(owner))
        if not owner.may_touch(room.owner) or taken or room.is_closing:
            raise RoomTaken("This room is in use already. Choose another name, or try later.")
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
        """Return a speaker or a listener, of any key's room of that name: ids are unguessable."""
        for room in self._rooms.values():
            if room.name == name and not room.is_over:
                with suppress(UnknownSession):
                    return room.peer(peer_id)
        raise UnknownSession("There is no such session; it may have ended.")

    # ---------------------------------------------------------------- lives

    def _begin(
        self, name: str, source: str, targets: tuple[str, ...], owner: Owner, place: RoomPlace
    ) -> Room:
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
        life = asyncio.create_task(self._live(room, place), name="room")
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)
        return room

    async def _live(self, room: Room, place: RoomPlace) -> None:
        try:
            await room.run()
        except Exception:
            room.log.exception("failed")
        finally:
            del self._rooms[room.owner.key, room.name]
            place.end()
            self._services.metrics.rooms.set(len(self._rooms))

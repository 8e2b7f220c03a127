"""Manager of a server's sessions: admission, transports, resuming and closing."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rtc_server.errors import EtagMismatch, NotReady, UnknownSession
from rtc_server.events.client import SessionPatch
from rtc_server.interpreter.captions import Direction
from rtc_server.session.admission_desk import AdmissionDesk
from rtc_server.session.call_transport import AnyTransport, CallTransport, Negotiate
from rtc_server.session.journal import SessionRecord
from rtc_server.session.places import Kind, Place
from rtc_server.session.registry import OpenCall, SessionRegistry
from rtc_server.session.services import Services
from rtc_server.session.session import Session
from rtc_server.session.session_api import (
    Connect,
    LastSeen,
    OpenedCall,
    Owner,
    Readiness,
    SessionRequest,
    TranscriptEntry,
)
from rtc_server.session.transport_binding import TransportBinding
from rtc_server.transport.transport_api import Transport, TransportObserver

RETRY_NOT_READY_S = 2
"""Seconds after which to try again while the engines warm up."""
RETRY_STOPPING_S = 5
"""Seconds after which to try again when the server has begun to stop."""


@dataclass(frozen=True, slots=True)
class _Admitted:
    session: Session
    binding: TransportBinding
    """Binding to its first transport."""
    place: Place


class SessionManager:
    """Implementation of `Calls`. Use it inside ``async with manager.open()``."""

    def __init__(
        self,
        services: Services,
        negotiate: Negotiate,
        readiness: Readiness,
        admission: AdmissionDesk,
        *,
        id_prefix: str = "sess_",
    ) -> None:
        """`admission`: shared with the rooms. `id_prefix`: beginning of the sessions' ids."""
        self._id_prefix = id_prefix
        self._services, self._negotiate, self._readiness = services, negotiate, readiness
        self._admission = admission
        self._registry = SessionRegistry(services, admission.limits.sessions)
        self._opening = 0
        self._is_open = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator["SessionManager"]:
        """Accept sessions while the block runs; at its end every session is closed and freed."""
        self._is_open = True
        try:
            yield self
        finally:
            self._is_open = False
            await self._registry.close()

    @property
    def sessions(self) -> int:
        """Number of sessions, those being opened included."""
        return len(self._registry) + self._opening

    async def open_call(self, offer_sdp: str, request: SessionRequest) -> OpenedCall:
        """See `Calls.open_call`."""
        async with self._place(request) as place:
            self._services.direction(request.settings)  # is refused first, before a bad offer
            connect = self._negotiate(offer_sdp)
            admitted = self._make_session(request, place)
            transport = await self._first_transport(admitted, connect)
        call = self._begin(admitted, transport, negotiated=transport)
        return OpenedCall(call.session.id, transport.answer_sdp, call.etag)

    async def run_stream(self, connect: Connect, request: SessionRequest) -> None:
        """See `Calls.run_stream`."""
        async with self._place(request) as place:
            admitted = self._make_session(request, place)
            transport = await self._first_transport(admitted, connect)
        self._begin(admitted, transport)
        await self._stream(admitted.session, admitted.binding)

    async def resume_call(self, session_id: str, offer_sdp: str, seen: LastSeen) -> OpenedCall:
        """See `Calls.resume_call`."""
        self._registry.resumable(session_id)
        _, transport = await self._resumed(session_id, self._negotiate(offer_sdp), seen)
        call = self._registry.moved(session_id, transport)
        return OpenedCall(session_id, transport.answer_sdp, call.etag)

    async def resume_stream(self, session_id: str, connect: Connect, seen: LastSeen) -> None:
        """See `Calls.resume_stream`."""
        binding, _ = await self._resumed(session_id, connect, seen)
        call = self._registry.moved(session_id, None)
        await self._stream(call.session, binding)

    async def _resumed(
        self,
        session_id: str,
        connect: Callable[[TransportObserver], Awaitable[AnyTransport]],
        seen: LastSeen,
    ) -> tuple[TransportBinding, AnyTransport]:
        """Continue a session on a new transport; return its binding and the transport. The session
        still has its place.
        """
        session = self._registry.resumable(session_id)
        binding = session.binding()
        transport = await connect(binding)
        # Nothing is awaited from here on, so a cancelled caller cannot leave a half-made state.
        try:
            self._registry.resumable(session_id)  # it may have ended in the meantime
        except UnknownSession:
            await transport.close()
            raise
        session.resume(binding, transport, seen)
        return binding, transport

    async def _stream(self, session: Session, binding: TransportBinding) -> None:
        """Wait until the transport has closed. When cancelled, end the session."""
        try:
            await binding.over.wait()
        except asyncio.CancelledError:
            await session.close()
            raise
        if session.is_ending:
            await session.over()

    async def trickle(self, session_id: str, fragment: str, etag: str | None) -> None:
        """See `Calls.trickle`."""
        call = self._registry.call(session_id)
        if etag is not None and etag not in ("*", call.etag):
            raise EtagMismatch("If-Match names another ICE session. Use the ETag of the answer.")
        if call.negotiated is None:
            raise UnknownSession("This session came over a WebSocket; it has no ICE candidates.")
        await call.negotiated.add_ice_fragment(fragment)

    def check(self, settings: SessionPatch) -> Direction:
        """See `Calls.check`."""
        if not self._readiness.ready:
            raise NotReady(self._readiness.reason, RETRY_NOT_READY_S)
        return self._services.direction(settings)

    async def check_admission(self, request: SessionRequest) -> None:
        """See `Calls.check_admission`."""
        self.check(request.settings)
        self._check_open()
        await self._admission.check_claim(
            Kind.SESSION,
            request.claimant,
            *self._services.now(),
            busy_s=self._readiness.retry_after_s,
        )

    def owner(self, session_id: str) -> Owner:
        """See `Calls.owner`."""
        return self._registry.owner(session_id)

    def transcript(self, session_id: str) -> Sequence[TranscriptEntry]:
        """See `Calls.transcript`."""
        return self._registry.transcript(session_id)

    def revoke(self, key: str) -> None:
        """See `Calls.revoke`."""
        self._admission.revoke(key)

    async def drain(self, within_s: float) -> None:
        """See `SessionRegistry.drain`."""
        await self._registry.drain(within_s)

    async def close_call(self, session_id: str, *, drain: bool) -> None:
        """See `Calls.close_call`."""
        if not self._registry.is_archived(session_id):
            await self._registry.call(session_id).session.close(drain=drain)

    def _check_open(self) -> None:
        if not self._readiness.ready:
            raise NotReady(self._readiness.reason, RETRY_NOT_READY_S)
        if not self._is_open:
            raise NotReady("The server is stopping.", RETRY_STOPPING_S)

    @asynccontextmanager
    async def _place(self, request: SessionRequest) -> AsyncIterator[Place]:
        """Claim a place for a session before anything is built; free it if the block raises."""
        self._check_open()
        place = await self._admission.claim(
            Kind.SESSION,
            request.claimant,
            *self._services.now(),
            busy_s=self._readiness.retry_after_s,
        )
        try:
            yield place
        except BaseException:
            place.end(*self._services.now())
            raise

    def _make_session(self, request: SessionRequest, place: Place) -> _Admitted:
        session_id = self._id_prefix + secrets.token_urlsafe(16)
        session = Session(session_id, request, self._services, place)
        place.give_up = session.give_up
        return _Admitted(session, session.binding(), place)

    async def _first_transport(
        self, admitted: _Admitted, connect: Callable[[TransportObserver], Awaitable[AnyTransport]]
    ) -> AnyTransport:
        try:
            return await self._while_open(connect(admitted.binding))
        except BaseException:
            self._services.forget(admitted.session.id)  # the engines have counted it
            raise

    async def _while_open(self, connecting: Awaitable[AnyTransport]) -> AnyTransport:
        self._opening += 1
        try:
            transport = await connecting
        finally:
            self._opening -= 1
        if not self._is_open:
            await transport.close()
            raise NotReady("The server is stopping.", RETRY_STOPPING_S)
        return transport

    def _begin(
        self, admitted: _Admitted, transport: Transport, negotiated: CallTransport | None = None
    ) -> OpenCall:
        # Nothing is awaited here, so a cancelled caller cannot leave a half-made session.
        session = admitted.session
        call = self._registry.add(session, admitted.place, negotiated)
        session.attach(admitted.binding, transport)
        self._registry.start(session)
        return call

    def take_over(self, record: SessionRecord, place: Place) -> None:
        """Continue a session of a killed process, with its place; it waits for its client."""
        try:
            session = Session(record.session_id, record.request, self._services, place)
            place.give_up = session.give_up
            session.take_over(record)
        except BaseException:
            place.end(*self._services.now())
            raise
        self._registry.add(session, place)
        self._registry.start(session)

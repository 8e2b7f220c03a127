"""Registry of the open sessions with their tasks, and of the transcripts of sessions that ended
recently.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rtc_server.errors import RemoteError, UnknownSession
from rtc_server.session.call_transport import CallTransport
from rtc_server.session.places import Place
from rtc_server.session.services import Services
from rtc_server.session.session import Session
from rtc_server.session.session_api import Owner, TranscriptEntry
from rtc_server.session.transcript import Archive

SPEAKING_SHARE = 0.4
"""Share of the time for stopping in which sentences that were cut off are translated and spoken."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """One session with its place, and its transport as HTTP sees it."""

    session: Session
    negotiated: CallTransport | None
    """Transport for which candidates may come; None for a WebSocket."""
    etag: str
    """Tag of its ICE session."""
    place: Place

    @property
    def owner(self) -> Owner:
        """Owner of the session."""
        return self.place.claimant.owner


class SessionRegistry:
    """Owner of the sessions' tasks. However a session ends, its place is freed here."""

    def __init__(self, services: Services, most: int) -> None:
        """`most`: transcripts of ended sessions that are kept."""
        self._services = services
        self._calls: dict[str, OpenCall] = {}
        self._archive = Archive(most)
        self._lives: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def ids(self) -> list[str]:
        """Ids of the open sessions, oldest first."""
        return list(self._calls)

    def call(self, session_id: str) -> OpenCall:
        """Return an open session.

        Raises:
            UnknownSession: there is none.
        """
        try:
            return self._calls[session_id]
        except KeyError:
            raise UnknownSession("There is no such session; it may have ended.") from None

    def resumable(self, session_id: str) -> Session:
        """Return a session to which its client can come back.

        Raises:
            UnknownSession: there is none, or it is ending.
        """
        session = self.call(session_id).session
        if session.is_ending:
            raise UnknownSession("There is no such session; it may have ended.")
        return session

    def is_archived(self, session_id: str) -> bool:
        """Return whether a session has ended recently, and its transcript is kept."""
        return self._archive.find(session_id) is not None

    def owner(self, session_id: str) -> Owner:
        """Return the owner of a session, open or ended recently. Raises as `call`."""
        ended = self._archive.find(session_id)
        return ended[0] if ended else self.call(session_id).owner

    def transcript(self, session_id: str) -> Sequence[TranscriptEntry]:
        """Return the transcript of a session, open or ended recently. Raises as `call`."""
        ended = self._archive.find(session_id)
        transcript = ended[1] if ended else self.call(session_id).session.transcript
        return transcript.segments

    def add(
        self, session: Session, place: Place, negotiated: CallTransport | None = None
    ) -> OpenCall:
        """Add a session that is about to be started."""
        call = OpenCall(session, negotiated, secrets.token_hex(8), place)
        self._calls[session.id] = call
        self._services.metrics.sessions.set(len(self._calls))
        return call

    def start(self, session: Session) -> None:
        """Start the task of a session, which runs until the session is over."""
        life = asyncio.create_task(self._live(session), name=f"session {session.id}")
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)

    def moved(self, session_id: str, negotiated: CallTransport | None) -> OpenCall:
        """Note the new transport of a session that was resumed. A negotiated one has a new tag."""
        call = replace(self.call(session_id), negotiated=negotiated)
        if negotiated is not None:
            call = replace(call, etag=secrets.token_hex(8))
        self._calls[session_id] = call
        return call

    async def drain(self, within_s: float) -> None:
        """Let every session finish its sentence; return when all are over, or after `within_s`.

        A speaker who does not pause is cut off while there is time to speak the translation.
        """
        sessions = [call.session for call in self._calls.values()]
        for session in sessions:
            session.restart(within_s)
        if self._lives:
            await asyncio.wait(self._lives, timeout=within_s * (1 - SPEAKING_SHARE))
        for session in sessions:
            session.finish_for_restart()
        if self._lives:
            await asyncio.wait(self._lives, timeout=within_s * SPEAKING_SHARE)

    async def close(self) -> None:
        """Close every session, and wait until all are freed."""
        await asyncio.gather(*(call.session.close() for call in self._calls.values()))
        await asyncio.gather(*self._lives)

    async def _live(self, session: Session) -> None:
        reason = "error"
        try:
            await session.run()
            reason = session.reason.value
        except* RemoteError as group:
            session.log.info("ended by its peer: %s", group.exceptions[0])
        except* Exception:
            session.log.exception("failed")
        finally:
            call = self._calls.pop(session.id)
            call.place.end(*self._services.now())
            self._archive_for_a_while(call)
            self._services.metrics.sessions.set(len(self._calls))
            self._services.metrics.sessions_closed.labels(reason).inc()
            self._services.record_usage(session.usage.record(reason, *self._services.now()))
            session.log.info("closed: %s", reason)

    def _archive_for_a_while(self, call: OpenCall) -> None:
        keep_s = self._services.resume_s
        if keep_s:
            session = call.session
            self._archive.keep(session.id, call.owner, session.transcript)
            asyncio.get_running_loop().call_later(keep_s, self._archive.forget, session.id)

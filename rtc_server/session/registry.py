"""The sessions that are there: each by its id, with the task it lives in, and for a while the
transcript of those that have ended.
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

LAST_WORDS_SHARE = 0.4
"""Share of the time for stopping that is left to translate and speak what nobody paused after."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """One session, and its way to the client."""

    session: Session
    negotiated: CallTransport | None
    """Transport that more candidates may come for, if any."""
    etag: str
    """Tag of its ICE session."""
    place: Place

    @property
    def owner(self) -> Owner:
        """Caller it belongs to."""
        return self.place.claimant.owner


class SessionRegistry:
    """Owns the sessions' tasks; whatever ends a session, its place is given back here."""

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
        """Return a session that its client can come back to.

        Raises:
            UnknownSession: there is none, or it is ending.
        """
        session = self.call(session_id).session
        if session.is_ending:
            raise UnknownSession("There is no such session; it may have ended.")
        return session

    def is_archived(self, session_id: str) -> bool:
        """Return whether it has ended, a short while ago."""
        return self._archive.find(session_id) is not None

    def owner(self, session_id: str) -> Owner:
        """Return who asked for a session, ended or not. Raises as `call`."""
        ended = self._archive.find(session_id)
        return ended[0] if ended else self.call(session_id).owner

    def transcript(self, session_id: str) -> Sequence[TranscriptEntry]:
        """Return what was said in a session, ended or not. Raises as `call`."""
        ended = self._archive.find(session_id)
        transcript = ended[1] if ended else self.call(session_id).session.transcript
        return transcript.segments

    def add(
        self, session: Session, place: Place, negotiated: CallTransport | None = None
    ) -> OpenCall:
        """Take in a session that is about to be started."""
        call = OpenCall(session, negotiated, secrets.token_hex(8), place)
        self._calls[session.id] = call
        self._services.metrics.sessions.set(len(self._calls))
        return call

    def start(self, session: Session) -> None:
        """Let a session live until it is over."""
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
        """Let every session finish its sentence; return when all are over, or the time is.

        Who does not pause in time is cut off while what was said can still be spoken.
        """
        sessions = [call.session for call in self._calls.values()]
        for session in sessions:
            session.restart(within_s)
        if self._lives:
            await asyncio.wait(self._lives, timeout=within_s * (1 - LAST_WORDS_SHARE))
        for session in sessions:
            session.finish_for_restart()
        if self._lives:
            await asyncio.wait(self._lives, timeout=within_s * LAST_WORDS_SHARE)

    async def close(self) -> None:
        """Close every session; return when all are freed."""
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

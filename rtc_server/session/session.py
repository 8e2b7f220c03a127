"""Session: one speaker's stream, from admission to close. Joins a transport to an interpreter.

It owns every task that it starts. `Session.run` returns when the session is over, whichever side
ended it, and everything is freed by then. A session outlives its transport: a client whose
connection was lost comes back on another one, and captions and speech continue.
"""

import asyncio
import logging
from collections.abc import Sequence

from rtc_server.audio.playout import Playout
from rtc_server.errors import AudioAhead, BadEvent, SlowReader
from rtc_server.events.client import Ping, SessionClose, parse_client_event
from rtc_server.events.server import ExpiringEvent, ExpiringReason
from rtc_server.events.session_events import SessionClosed, SessionCreated, SessionUpdated
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.interpreter.segments import SegmenterEvent, SpeechEnded, SpeechStarted
from rtc_server.session.client_connection import ClientConnection
from rtc_server.session.client_requests import ClientRequests
from rtc_server.session.event_stream import EventStream
from rtc_server.session.expiry import Expiry
from rtc_server.session.journal import SessionRecord, lost_caption
from rtc_server.session.places import Place
from rtc_server.session.preferences import Preferences
from rtc_server.session.reports import ClientReports
from rtc_server.session.services import Services
from rtc_server.session.session_api import LastSeen, SessionRequest
from rtc_server.session.session_settings import SessionSettings
from rtc_server.session.time_limit import spoken_in_time, time_is_up
from rtc_server.session.transcript import SessionTranscript
from rtc_server.session.transport_binding import TransportBinding
from rtc_server.session.unbroken import UnbrokenSpeech
from rtc_server.session.usage import UsageMeter
from rtc_server.subject_log import Subject, SubjectLog
from rtc_server.tracing import Attribute
from rtc_server.transport.transport_api import CloseReason, Transport
from rtc_server.transport.websocket.inbox import AUDIO_AHEAD

logger = logging.getLogger(__name__)


class Session:
    """One speaker's stream: the receiver of the callbacks of `TransportBinding` and `AudioInput`.

    The manager makes it, and gives it its transports.
    """

    def __init__(
        self, session_id: str, request: SessionRequest, services: Services, place: Place
    ) -> None:
        """Make a session. Raises `UnsupportedPair` if the engines lack its languages or voice."""
        self.id = session_id
        self.log = SubjectLog(logger, Subject.SESSION, session_id)
        self._services = services
        self._drain, self._over, self._freed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        direction = services.direction(request.settings)
        preferences = Preferences(request.settings, services, request.model)
        self.usage = UsageMeter(session_id, request.owner.key, services.clock())
        self._audio = services.make_audio_input()
        self._journal = services.journal(
            session_id, request, place, lambda: self._audio.position_samples
        )
        self._events = EventStream(
            preferences,
            self.usage,
            services.metrics,
            over=self._over,
            clock=services.clock,
            wall=services.wall,
            journal=self._journal,
        )
        self._span = services.tracer.start("call")
        self._span.note(Attribute.SESSION, session_id)
        self._interpreter = Interpreter(
            session_id=session_id,
            direction=direction,
            ast=services.ast,
            tts=services.tts,
            audio=self._audio,
            playout=Playout(services.interpreter.max_playout_s * 1000),
            emit=self._events.emit,
            settings=services.interpreter,
            metrics=services.metrics,
            clock=services.clock,
            call=self._span,
        )
        self._settings = SessionSettings(
            session_id,
            preferences,
            self._interpreter,
            services,
            place.lease,
            journal=self._journal,
        )
        self._settings.begin(request.settings)
        self._connection = ClientConnection(
            self._interpreter,
            self._events,
            place,
            resume_s=services.resume_s,
            clock=services.clock,
            on_given_up=self._over.set,
        )
        parts = self._interpreter, self._connection, self._events, self._settings
        self._reports = ClientReports(
            *parts, wants_stats=request.stats, sleep=services.scheduler.sleep
        )
        self._requests = ClientRequests(self._interpreter, self._events, self._settings, services)
        self._unbroken = UnbrokenSpeech()
        self._expiry = Expiry(place.lease, place.claimant.limits.idle_minutes, services.clock())
        self._speaking = False
        """True while a segment is open."""
        self._restarting = False
        """True once the server is stopping: the session ends at the next pause."""
        self._closing = False
        self.reason = CloseReason.LOCAL
        """Reason of the end; valid once `run` has returned."""

    # ---------------------------------------------------------------- transports

    def binding(self) -> TransportBinding:
        """Return the binding for a new transport, to be given to `attach` or `resume`."""
        return TransportBinding(self, self._audio, self._interpreter, self._services.metrics)

    def attach(self, binding: TransportBinding, transport: Transport) -> None:
        """Use the first transport. Called once, before `run`."""
        self._connection.take(binding, transport)
        self._events.emit(SessionCreated(self._settings.info()))

    def resume(self, binding: TransportBinding, transport: Transport, seen: LastSeen) -> None:
        """Use another transport: send the events that the client missed, and continue."""
        self._connection.replace()
        missed = self._events.missed(seen, self._connection.last_seen_s)
        self._connection.take(binding, transport)
        self.reason = CloseReason.LOCAL  # instead of the reason of the transport before
        self._events.emit(SessionUpdated(self._settings.info()))
        self._events.replay(missed)
        self.log.info("its client is back")

    def take_over(self, record: SessionRecord) -> None:
        """Continue the session of a killed process, and wait for its client. Called instead of
        `attach`.
        """
        self._events.take_over(record)
        self.usage.take_over(record.began_s, record.entries)
        self._interpreter.go_on(record.position_samples, record.segments)
        for unfinished in record.unfinished:
            self._events.emit(lost_caption(unfinished))
        self._connection.take_over(record.last_seen_s)

    @property
    def transcript(self) -> SessionTranscript:
        """Transcript of the segments that were understood."""
        return self._events.transcript

    @property
    def is_ending(self) -> bool:
        """True once the session can no longer be resumed."""
        return self._closing or self._over.is_set()

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Run until closed by either side, then free everything."""
        self._audio.open(self)
        try:
            async with asyncio.TaskGroup() as tasks:
                work = [
                    tasks.create_task(self._interpreter.run(), name=f"interpret {self.id}"),
                    tasks.create_task(self._reports.run(), name=f"report {self.id}"),
                    tasks.create_task(self._drain_when_asked(), name=f"drain {self.id}"),
                    tasks.create_task(self._close_in_time(), name=f"lease {self.id}"),
                ]
                await self._over.wait()
                for task in work:
                    task.cancel()
        finally:
            self._closing = True
            self._audio.close()
            self._requests.close()
            self._services.forget(self.id)  # the interpreter does it only if it has run
            try:
                await self._connection.close(self.reason)
            finally:
                self._span.note(Attribute.REASON, self.reason.value)
                self._span.end()
                self._journal.closed()
                self._freed.set()  # even if closing failed: `over` waits for it

    async def close(self, *, drain: bool = False) -> None:
        """End the session, at once or after speaking what is pending; return when it is freed."""
        self._finish_soon(drain=drain)
        await self.over()

    def give_up(self) -> None:
        """End the session soon: its own client needs the place for another one."""
        self.log.info("its place is needed by its own client")
        self._finish_soon(drain=False)

    def restart(self, within_s: float) -> None:
        """End the session at the next pause: the server stops in `within_s` seconds."""
        if self.is_ending:
            return
        self._restarting = True
        self._events.emit(ExpiringEvent(round(within_s * 1000), ExpiringReason.RESTART))
        if not self._speaking:
            self.finish_for_restart()

    def finish_for_restart(self) -> None:
        """Take no more speech; end when all that was said is translated and spoken."""
        if not self.is_ending:
            self._events.emit(ExpiringEvent(0, ExpiringReason.RESTART))
            self._finish_soon(drain=True)

    async def over(self) -> None:
        """Wait until the session has ended and everything is freed."""
        await self._freed.wait()

    def _finish_soon(self, *, drain: bool) -> None:
        self._closing = True
        self._audio.end()
        if drain and self._connection.binding is not None:
            self._drain.set()
        else:
            self._finish()

    def _finish(self) -> None:
        if not self._over.is_set():
            self._events.emit(SessionClosed())
        self._over.set()

    async def _drain_when_asked(self) -> None:
        await self._drain.wait()
        self._audio.flush()
        if not await spoken_in_time(self._interpreter):
            self.log.warning("closed with speech still waiting")
        self._finish()

    async def _close_in_time(self) -> None:
        reason = await time_is_up(self._expiry, self._services, self._events, self._settings)
        self.log.info("its time is up (%s)", reason.value)
        self._finish_soon(drain=True)

    # ---------------------------------------------------------------- from the transport

    def on_connected(self) -> None:
        self._connection.connected()

    def on_bad_message(self, reason: str, event_id: str | None = None) -> None:
        self._events.refuse(BadEvent(reason), event_id)

    def on_slow_reader(self) -> None:
        reason = "You read too slowly; audio or partial captions were dropped."
        self._events.refuse(SlowReader(reason))

    def on_audio_ahead(self) -> None:
        self._events.caution(AudioAhead(AUDIO_AHEAD))

    def on_closed(self, reason: CloseReason) -> None:
        if self._over.is_set() or self._connection.binding is None:
            return
        self.reason = reason
        if not self._closing and self._connection.waits_after(reason):
            self.log.info("its client is gone (%s); waiting", reason.value)
        else:
            self._over.set()

    def on_message(self, text: str) -> None:
        try:
            event = parse_client_event(text)
        except BadEvent as error:
            self._events.refuse(error, error.event_id)
            return
        if self._closing:
            return
        if not isinstance(event, Ping):
            self._expiry.active(self._services.clock())
        if isinstance(event, SessionClose):
            self._finish_soon(drain=True)
        else:
            self._requests.carry_out(event, in_order=self._connection.is_in_order)

    # ---------------------------------------------------------------- from the audio input

    def on_detected(self, events: Sequence[SegmenterEvent]) -> None:
        """See `AudioOwner.on_detected`."""
        self._expiry.active(self._services.clock())
        if self._settings.waits_for_pauses and (notice := self._unbroken.feed(events)) is not None:
            self._events.emit(notice)
        for event in events:
            if isinstance(event, SpeechStarted | SpeechEnded):
                self._speaking = isinstance(event, SpeechStarted)
        if self._restarting and not self._speaking:
            self.finish_for_restart()

    def on_detection_failed(self) -> None:
        """End the session, which cannot go on; see `AudioOwner.on_detection_failed`."""
        self.reason = CloseReason.FAILED
        self._over.set()

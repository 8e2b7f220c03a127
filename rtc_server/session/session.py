"""One speaker's stream, from admission to close: joins a transport to an interpreter.

Owns every task it starts. `Session.run` returns when the session is over, whoever ended it, and
everything of it is freed by then. A session outlives its transport: a client that the network took
away comes back with another one and finds captions and speech where they were.
"""

import asyncio
import logging
from collections.abc import Sequence

from rtc_server.audio.playout import Playout
from rtc_server.errors import BadEvent, RemoteError, SlowReader, UnsupportedPair
from rtc_server.events import client as asked
from rtc_server.events.segment_events import SegmentEvent
from rtc_server.events.server import (
    ErrorDetail,
    ErrorEvent,
    ExpiringEvent,
    ExpiringReason,
    PongEvent,
    ServerEvent,
    WarningEvent,
    encode,
    is_droppable,
)
from rtc_server.events.session_events import (
    SessionClosed,
    SessionCreated,
    SessionInfo,
    SessionUpdated,
)
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.interpreter.modes import Mode
from rtc_server.interpreter.segments import SegmenterEvent, SpeechPaused, SpeechStarted, VadMode
from rtc_server.session.admission import Place, PlaceState
from rtc_server.session.event_log import EventLog, SentEvent
from rtc_server.session.expiry import Expiry
from rtc_server.session.preferences import Preferences
from rtc_server.session.push_to_talk import PushToTalk
from rtc_server.session.reports import metrics_event, stats_event
from rtc_server.session.services import Services
from rtc_server.session.session_api import LastSeen, SessionRequest
from rtc_server.session.transcript import SessionTranscript
from rtc_server.session.transport_binding import TransportBinding
from rtc_server.session.unbroken import UnbrokenSpeech
from rtc_server.session.usage import UsageMeter
from rtc_server.standstill import standstills
from rtc_server.subject_log import Subject, SubjectLog
from rtc_server.transport.transport_api import CloseReason, Transport

METRICS_INTERVAL_S = 1.0
"""``x.metrics`` comes at most this often."""
LEASE_CHECK_S = 1.0
"""Interval at which a session checks its lease: a key may be revoked at any moment."""
DRAIN_MARGIN_S = 10.0
"""Time for translating and speaking the last sentence beyond the playout that waits."""
AUDIO_AHEAD = (
    "Audio comes faster than it is spoken: ten seconds are taken at once, then 1.1 each second. "
    "The rest waits. Send it as it is spoken, or let the connection hold you back."
)
"""Warning to a client that sends a recording faster than real time."""
LOST = (CloseReason.PEER_LOST, CloseReason.CONNECT_TIMEOUT, CloseReason.FAILED)
"""Ends of a transport that the client may not have wanted."""

logger = logging.getLogger(__name__)


class Session:
    """One speaker's stream: takes the calls of its `TransportBinding`.

    Made and given its transports by the manager.
    """

    def __init__(
        self, session_id: str, request: SessionRequest, services: Services, place: Place
    ) -> None:
        """Raises `UnsupportedPair` when the engines in use cannot do what is asked."""
        self.id = session_id
        self.log = SubjectLog(logger, Subject.SESSION, session_id)
        self._place, self._lease = place, place.lease
        self._services = services
        self._preferences = Preferences(request.settings, services, request.model)
        self._stats = request.stats
        self._audio = services.make_audio_input()
        self._interpreter = Interpreter(
            session_id=session_id,
            direction=services.direction(request.settings),
            ast=services.ast,
            tts=services.tts,
            audio=self._audio,
            playout=Playout(services.interpreter.max_playout_s * 1000),
            emit=self._emit,
            settings=services.interpreter,
            metrics=services.metrics,
            clock=services.clock,
        )
        self._unbroken = UnbrokenSpeech()
        self._push_to_talk = PushToTalk(self._audio)
        self._set_vad()
        self._set_mode(request.settings)
        self._binding: TransportBinding | None = None
        self._events = self._seq = 0
        self._log = EventLog()
        self.transcript = SessionTranscript()
        """Segments said and understood."""
        self.usage = UsageMeter(session_id, request.owner.key, services.clock())
        self._heard_s = services.clock()
        """Time of the client's last sign of life."""
        self._expiry = Expiry(place.lease, place.claimant.limits.idle_minutes, services.clock())
        self._was_connected = False
        self._messages_dropped = 0
        """Messages dropped on transports it has no more."""
        self._transports_closing: set[asyncio.Task[None]] = set()
        self._abandoned: asyncio.TimerHandle | None = None
        """Timer that ends the session unless its client comes back."""
        self._speaking = False
        """True while somebody is in the middle of a sentence."""
        self._restarting = False
        """True once the server stops: the next pause is the end."""
        self._closing = False
        self._drain = asyncio.Event()
        self._over = asyncio.Event()
        self._freed = asyncio.Event()
        self.reason = CloseReason.LOCAL
        """Reason of the end; meaningful once `run` has returned."""

    # ---------------------------------------------------------------- transports

    def binding(self) -> TransportBinding:
        """Return the binding for a new transport; `attach` or `resume` takes it into use."""
        return TransportBinding(self, self._audio, self._interpreter, self._services.metrics)

    def attach(self, binding: TransportBinding, transport: Transport) -> None:
        """Join the first transport. Called once, before `run`."""
        self._take(binding, transport)
        self._emit(SessionCreated(self.info()))

    def resume(self, binding: TransportBinding, transport: Transport, seen: LastSeen) -> None:
        """Join another transport: what the client has missed is sent, and speech goes on."""
        if (old := self._binding) is not None:
            self._leave(old)
            closing = asyncio.create_task(old.transport.close(), name=f"old transport {self.id}")
            self._transports_closing.add(closing)
            closing.add_done_callback(self._transports_closing.discard)
        self._place.state = PlaceState.CONNECTED
        missed = self._log.since(seen, self._heard_s)
        self._take(binding, transport)
        self._emit(SessionUpdated(self.info()))
        for text in missed.texts:
            transport.send_message(text)
        if missed.missing:
            self._services.metrics.queue_drops.labels("replay").inc()
            self._emit(
                WarningEvent(
                    "replay_incomplete",
                    "You were away for so long that some captions are not sent again. "
                    "The transcript has them.",
                )
            )
        self.log.info("its client is back")

    def _take(self, binding: TransportBinding, transport: Transport) -> None:
        if self._abandoned is not None:
            self._abandoned.cancel()
        binding.attach(transport, self._audio.position_samples)
        self._binding = binding
        self.reason = CloseReason.LOCAL  # that of a transport before it no longer counts

    def _leave(self, binding: TransportBinding) -> None:
        """Leave this transport. Speech that it lost is played on the next."""
        self._binding = None
        if binding.connected:
            self._note_sign_of_life(binding)
            self._interpreter.take_back()
            self._audio.interrupt()
            self._messages_dropped += binding.stats.messages_dropped
        binding.detach()

    def _note_sign_of_life(self, binding: TransportBinding) -> None:
        """Note a sign of life: speech from before it has arrived, or nothing has."""
        heard_s = binding.stats.last_seen_s
        self._heard_s = self._services.clock() if heard_s is None else heard_s
        self._interpreter.arrived(self._heard_s)

    @property
    def is_ending(self) -> bool:
        """True when it is too late to resume."""
        return self._closing or self._over.is_set()

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Run until closed by either side, then free everything."""
        self._audio.open(self)
        try:
            async with asyncio.TaskGroup() as tasks:
                work = [
                    tasks.create_task(self._interpreter.run(), name=f"interpret {self.id}"),
                    tasks.create_task(self._report(), name=f"report {self.id}"),
                    tasks.create_task(self._drain_when_asked(), name=f"drain {self.id}"),
                    tasks.create_task(self._close_in_time(), name=f"lease {self.id}"),
                ]
                await self._over.wait()
                for task in work:
                    task.cancel()
        finally:
            self._closing = True
            self._audio.close()
            self._push_to_talk.close()
            if self._abandoned is not None:
                self._abandoned.cancel()
            try:
                if (binding := self._binding) is not None:
                    await binding.transport.close(self.reason)
                    binding.detach()
                await asyncio.gather(*self._transports_closing)
            finally:
                self._freed.set()  # others wait for it, whatever went wrong

    async def close(self, *, drain: bool = False) -> None:
        """End it: at once, or after speaking what is pending. Returns when all is freed."""
        self._finish_soon(drain=drain)
        await self.over()

    def give_up(self) -> None:
        """End it soon: its own client needs the place for another session."""
        self.log.info("its place is needed by its own client")
        self._finish_soon(drain=False)

    def restart(self, within_s: float) -> None:
        """End it at the next pause, for the server stops in `within_s` seconds."""
        if self.is_ending:
            return
        self._restarting = True
        self._emit(ExpiringEvent(round(within_s * 1000), ExpiringReason.RESTART))
        if not self._speaking:
            self.finish_for_restart()

    def finish_for_restart(self) -> None:
        """Take no more speech; end when what was said has been translated and spoken."""
        if not self.is_ending:
            self._emit(ExpiringEvent(0, ExpiringReason.RESTART))
            self._finish_soon(drain=True)

    async def over(self) -> None:
        """Wait until it has ended and all is freed."""
        await self._freed.wait()

    def _finish_soon(self, *, drain: bool) -> None:
        self._closing = True
        self._audio.end()
        if drain and self._binding is not None:
            self._drain.set()
        else:
            self._finish()

    def _finish(self) -> None:
        if not self._over.is_set():
            self._emit(SessionClosed())
        self._over.set()

    async def _drain_when_asked(self) -> None:
        await self._drain.wait()
        self._audio.flush()
        limit_s = self._interpreter.queue_ms / 1000 + DRAIN_MARGIN_S
        drained = asyncio.create_task(self._interpreter.drained(), name=f"drained {self.id}")
        try:
            await standstills().wait({drained}, limit_s)
            if not drained.done():
                self.log.warning("closed with speech still waiting")
        finally:
            drained.cancel()
        self._finish()

    async def _close_in_time(self) -> None:
        clock, wall = self._services.clock, self._services.wall
        while (event := self._expiry.news(clock(), wall())) is None or event.in_ms:
            if event is not None:
                self._emit(event)
            if self._lease.renew(wall()):
                self._emit(SessionUpdated(self.info()))
            await asyncio.sleep(LEASE_CHECK_S)
        self.log.info("its time is up (%s)", event.reason.value)
        self._emit(event)
        self._finish_soon(drain=True)

    # ---------------------------------------------------------------- from the transport

    def on_connected(self) -> None:
        self._was_connected = True
        self._place.state = PlaceState.CONNECTED

    def on_bad_message(self, reason: str, event_id: str | None = None) -> None:
        self._refuse(BadEvent(reason), event_id)

    def on_slow_reader(self) -> None:
        self._refuse(SlowReader("You read too slowly; audio or partial captions were dropped."))

    def on_audio_ahead(self) -> None:
        self._emit(WarningEvent("audio_ahead", AUDIO_AHEAD))

    def on_closed(self, reason: CloseReason) -> None:
        if self._over.is_set() or self._binding is None:
            return
        self.reason = reason
        wait_s = self._services.resume_s
        if reason in LOST and self._was_connected and wait_s and not self._closing:
            self.log.info("its client is gone (%s); waiting", reason.value)
            self._leave(self._binding)
            self._place.state = PlaceState.LOST
            self._wait_for_client(wait_s)
        else:
            self._over.set()

    def _wait_for_client(self, wait_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._abandoned = loop.call_later(wait_s, self._give_up, loop.time())

    def _give_up(self, since_s: float) -> None:
        """End the session: nobody came back since then. Time in which the loop stood still does not
        count.
        """
        if still_s := standstills().since(since_s):
            self._wait_for_client(still_s)
        else:
            self._over.set()

    def on_message(self, text: str) -> None:
        try:
            event = asked.parse_client_event(text)
        except BadEvent as error:
            self._refuse(error, error.event_id)
            return
        if self._closing:
            return
        if not isinstance(event, asked.Ping):
            self._expiry.active(self._services.clock())
        match event:
            case asked.SessionUpdate(patch, event_id):
                self._update(patch, event_id)
            case asked.SessionClose():
                self._finish_soon(drain=True)
            case asked.InputStart():
                self._push_to_talk.press()
            case asked.InputCommit(tail_ms):
                in_order = self._binding is None or self._binding.transport.in_order
                self._push_to_talk.release(tail_ms, in_order=in_order)
            case asked.OutputClear():
                self._interpreter.clear()
            case asked.Say(text, event_id):
                self._say(text, event_id)
            case asked.Ping(event_id):
                self._emit(PongEvent(event_id))

    # ---------------------------------------------------------------- from the audio input

    def on_detected(self, events: Sequence[SegmenterEvent]) -> None:
        """See `AudioOwner.on_detected`."""
        self._expiry.active(self._services.clock())
        if self._waits_for_pauses and (notice := self._unbroken.feed(events)) is not None:
            self._emit(notice)
        for event in events:
            if not isinstance(event, SpeechPaused):
                self._speaking = isinstance(event, SpeechStarted)
        if self._restarting and not self._speaking:
            self.finish_for_restart()

    def on_detection_failed(self) -> None:
        """See `AudioOwner.on_detection_failed`. A session whose audio is not detected is over."""
        self.reason = CloseReason.FAILED
        self._over.set()

    def _say(self, text: str, event_id: str | None) -> None:
        try:
            phrase = self._services.phrase(text, self._interpreter.direction)
        except BadEvent as error:
            self._refuse(error, event_id)
            return
        self._interpreter.say(phrase.text, phrase.translation)

    # ---------------------------------------------------------------- settings

    def _update(self, patch: asked.SessionPatch, event_id: str | None) -> None:
        try:
            direction = self._services.direction(patch, self._interpreter.direction)
        except UnsupportedPair as error:
            self._refuse(error, event_id)
            return
        self._interpreter.direction = direction
        self._preferences.apply(patch)
        self._set_vad()
        self._set_mode(patch)
        self._emit(SessionUpdated(self.info()))

    @property
    def _waits_for_pauses(self) -> bool:
        """True if a pause, and nothing else, is to end a segment."""
        by_pause = self._preferences.vad_mode == VadMode.AUTO
        return by_pause and self._interpreter.mode is Mode.CONSECUTIVE

    def _set_vad(self) -> None:
        mode = VadMode(self._preferences.vad_mode)
        self._audio.set_vad(mode, self._preferences.hangover_ms)

    def _set_mode(self, patch: asked.SessionPatch) -> None:
        if patch.mode is not None:
            self._interpreter.set_mode(Mode(patch.mode))

    def info(self) -> SessionInfo:
        """Return the session as the client sees it."""
        interpreter = self._interpreter
        return self._preferences.info(
            self.id, interpreter.direction, interpreter.mode, self._lease.expires_at
        )

    # ---------------------------------------------------------------- to the client

    def _emit(self, event: ServerEvent) -> None:
        if isinstance(event, SegmentEvent):
            dropped = self.transcript.add(event, self._services.wall())
            self._services.metrics.queue_drops.labels("transcript").inc(dropped)
            self.usage.add(event)
        if self._over.is_set() or not self._preferences.wants(event):
            return  # nothing follows session.closed
        droppable = is_droppable(event)
        if droppable and self._binding is None:
            return
        self._events += 1
        seq = None
        if event.type.startswith("x."):
            self._seq += 1
            seq = self._seq
        text = encode(event, event_id=f"event_{self._events}", seq=seq)
        if not droppable:
            self._log.keep(SentEvent(self._events, seq, self._services.clock(), text))
        if self._binding is not None:
            self._binding.transport.send_message(text, droppable=droppable)

    def _refuse(self, error: RemoteError, event_id: str | None = None) -> None:
        detail = ErrorDetail("invalid_request_error", error.code, str(error), event_id)
        self._emit(ErrorEvent(detail))

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(METRICS_INTERVAL_S)
            binding = self._binding
            if binding is None or not binding.connected:
                continue
            binding.sample()
            self._note_sign_of_life(binding)
            delays, drops = self._interpreter.last_delays, self._drops(binding)
            if "metrics" in self._preferences.groups:
                queue_ms = self._interpreter.queue_ms
                event = metrics_event(delays, binding.stats, queue_ms=queue_ms, queue_drops=drops)
                self._emit(event)
            if self._stats:
                depth = self._interpreter.queue_depth
                self._emit(stats_event(delays, queue_depth=depth, queue_drops=drops))

    def _drops(self, binding: TransportBinding) -> int:
        dropped = self._messages_dropped + binding.stats.messages_dropped
        return self._interpreter.queue_drops + dropped

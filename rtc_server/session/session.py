"""One speaker's stream, from admission to close: wires a transport to an interpreter.

Owns every task it starts. `Session.run` returns when the session is over, whoever ended it, and
everything of it is freed by then.
"""

import asyncio
import logging

from rtc_server.audio.playout import Playout
from rtc_server.errors import BadEvent, RemoteError, SlowReader, UnsupportedPair
from rtc_server.events import client as asked
from rtc_server.events.server import (
    Audio,
    AudioInput,
    AudioOutput,
    ErrorDetail,
    ErrorEvent,
    ExpiringEvent,
    InputTranscriptDelta,
    MetricsEvent,
    PongEvent,
    ServerEvent,
    SessionClosed,
    SessionCreated,
    SessionExtension,
    SessionInfo,
    SessionUpdated,
    StatsEvent,
    Vad,
    encode,
    is_droppable,
)
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.interpreter.listener import ListenMode
from rtc_server.pcm import Pcm, Samples
from rtc_server.session.base import SessionRequest
from rtc_server.session.quota import Lease
from rtc_server.session.services import Services
from rtc_server.session.wire_report import WireReport
from rtc_server.transport.base import CloseReason, Transport

METRICS_INTERVAL_S = 1.0
"""``x.metrics`` comes at most this often."""
EXPIRING_S = 60.0
"""How long before its end a session is told of it."""
LEASE_CHECK_S = 1.0
"""How often a session asks whether its time is up: a key may be revoked at any moment."""
DRAIN_MARGIN_S = 10.0
"""What translating and speaking the last sentence may take beyond the playout that waits."""

logger = logging.getLogger(__name__)


class Session:
    """Implements `TransportListener`. Made by the manager, then given its transport."""

    def __init__(
        self, session_id: str, request: SessionRequest, services: Services, lease: Lease
    ) -> None:
        """Raises `UnsupportedPair` when the engines in use cannot do what is asked."""
        self.id = session_id
        self._lease = lease
        patch = request.settings
        self._services = services
        self._model = request.model
        self._groups = patch.x_events or frozenset()
        self._transcribes = bool(patch.transcription)
        self._stats = request.stats
        self._hangover_ms = patch.hangover_ms or services.listener.hangover_ms
        self._vad_mode = patch.vad_mode or "auto"
        listener = services.make_listener()
        self._interpreter = Interpreter(
            session_id=session_id,
            direction=services.direction(patch),
            ast=services.ast,
            tts=services.tts,
            listener=listener,
            playout=Playout(services.interpreter.max_playout_s * 1000),
            emit=self._emit,
            settings=services.interpreter,
            metrics=services.metrics,
            clock=services.clock,
        )
        self._set_listener()
        self._transport: Transport | None = None
        self._wire = WireReport(services.metrics)
        self._events = self._seq = 0
        self._closing = False
        self._connected = False
        self._drain = asyncio.Event()
        self._over = asyncio.Event()
        self._freed = asyncio.Event()
        self.reason = CloseReason.LOCAL
        """Why it ended; meaningful once `run` has returned."""

    def attach(self, transport: Transport) -> None:
        """Give it its wire. Called once, before `run`."""
        self._transport = transport
        self._emit(SessionCreated(self.info()))

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Live until closed by either side, then free everything."""
        assert self._transport is not None
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
            try:
                await self._transport.close(self.reason)
                if self._connected:
                    self._wire.finish(self._transport.stats)
            finally:
                self._freed.set()  # others wait for it, whatever went wrong

    async def close(self, *, drain: bool = False) -> None:
        """End it: at once, or after speaking what is pending. Returns when all is freed."""
        self._finish_soon(drain=drain)
        await self.over()

    async def over(self) -> None:
        """Wait until it has ended and all is freed."""
        await self._freed.wait()

    def _finish_soon(self, *, drain: bool) -> None:
        self._closing = True
        if drain:
            self._drain.set()
        else:
            self._finish()

    def _finish(self) -> None:
        if not self._over.is_set():
            self._emit(SessionClosed())
        self._over.set()

    async def _drain_when_asked(self) -> None:
        await self._drain.wait()
        self._interpreter.flush_input()
        try:
            async with asyncio.timeout(self._interpreter.queue_ms / 1000 + DRAIN_MARGIN_S):
                await self._interpreter.drained()
        except TimeoutError:
            logger.warning("session %s: closed with speech still waiting", self.id)
        self._finish()

    async def _close_in_time(self) -> None:
        told = False
        clock, wall = self._services.clock, self._services.wall
        while (left_s := self._lease.left_s(clock(), wall())) > 0:
            if left_s <= EXPIRING_S and not told:
                told = True
                self._emit(ExpiringEvent(in_ms=round(left_s * 1000)))
            await asyncio.sleep(min(left_s, LEASE_CHECK_S))
        logger.info("session %s: its time is up", self.id)
        self._finish_soon(drain=True)

    # ---------------------------------------------------------------- from the transport

    def on_connected(self) -> None:
        self._connected = True

    def on_channel_open(self) -> None:
        """Nothing to do: the transport kept what was sent before."""

    def on_pcm(self, pcm: Pcm) -> None:
        if not self._closing:
            self._interpreter.feed(pcm)

    def next_frame(self) -> Samples | None:
        return self._interpreter.next_frame()

    def on_bad_message(self, reason: str, event_id: str | None = None) -> None:
        self._refuse(BadEvent(reason), event_id)

    def on_slow_reader(self) -> None:
        self._refuse(SlowReader("You read too slowly; audio or partial captions were dropped."))

    def on_closed(self, reason: CloseReason) -> None:
        if not self._over.is_set():
            self.reason = reason
            self._over.set()

    def on_message(self, text: str) -> None:
        try:
            event = asked.parse_client_event(text)
        except BadEvent as error:
            self._refuse(error, error.event_id)
            return
        if self._closing:
            return
        match event:
            case asked.SessionUpdate(patch, event_id):
                self._update(patch, event_id)
            case asked.SessionClose():
                self._finish_soon(drain=True)
            case asked.InputStart():
                self._interpreter.start_input()
            case asked.InputCommit():
                self._interpreter.commit_input()
            case asked.OutputClear():
                self._interpreter.clear()
            case asked.Ping(event_id):
                self._emit(PongEvent(event_id))

    # ---------------------------------------------------------------- settings

    def _update(self, patch: asked.SessionPatch, event_id: str | None) -> None:
        try:
            direction = self._services.direction(patch, self._interpreter.direction)
        except UnsupportedPair as error:
            self._refuse(error, event_id)
            return
        self._interpreter.direction = direction
        if patch.x_events is not None:
            self._groups = patch.x_events
        if patch.transcription is not None:
            self._transcribes = patch.transcription
        self._hangover_ms = patch.hangover_ms or self._hangover_ms
        self._vad_mode = patch.vad_mode or self._vad_mode
        self._set_listener()
        self._emit(SessionUpdated(self.info()))

    def _set_listener(self) -> None:
        self._interpreter.set_listening(ListenMode(self._vad_mode), self._hangover_ms)

    def info(self) -> SessionInfo:
        """The session as the client sees it."""
        direction = self._interpreter.direction
        ast, tts = self._services.ast.capabilities, self._services.tts.capabilities
        transcription = {"model": ast.name, "language": direction.source}
        return SessionInfo(
            id=self.id,
            model=self._model or ast.name,
            expires_at=self._lease.expires_at,
            audio=Audio(
                AudioInput(transcription if self._transcribes else None),
                AudioOutput(direction.target),
            ),
            x=SessionExtension(
                source_language=direction.source,
                target_language=direction.target,
                voice=direction.voice,
                vad=Vad(self._vad_mode, self._hangover_ms),
                ast=ast.title,
                tts=tts.title,
                events=tuple(sorted(self._groups)),
            ),
        )

    # ---------------------------------------------------------------- to the client

    def _emit(self, event: ServerEvent) -> None:
        ended = self._over.is_set()  # nothing follows session.closed
        if self._transport is None or ended or not self._is_wanted(event):
            return
        self._events += 1
        seq = None
        if event.type.startswith("x."):
            self._seq += 1
            seq = self._seq
        text = encode(event, event_id=f"event_{self._events}", seq=seq)
        self._transport.send_message(text, droppable=is_droppable(event))

    def _is_wanted(self, event: ServerEvent) -> bool:
        if isinstance(event, InputTranscriptDelta):
            return self._transcribes
        if isinstance(event, ErrorEvent) and event.error.type == "server_error":
            return "segment" not in self._groups  # else it stands in the segment's caption
        return event.group is None or event.group in self._groups

    def _refuse(self, error: RemoteError, event_id: str | None = None) -> None:
        detail = ErrorDetail("invalid_request_error", error.code, str(error), event_id)
        self._emit(ErrorEvent(detail))

    async def _report(self) -> None:
        assert self._transport is not None
        while True:
            await asyncio.sleep(METRICS_INTERVAL_S)
            if self._connected:
                self._wire.sample(self._transport.stats)
                if "metrics" in self._groups:
                    self._emit(self._measured())
                if self._stats:
                    self._emit(self._summary())

    def _measured(self) -> MetricsEvent:
        assert self._transport is not None
        delays, wire = self._interpreter.last_delays, self._transport.stats
        packets = wire.packets_received + wire.packets_lost
        return MetricsEvent(
            endpoint_ms=delays.endpoint_ms if delays else None,
            ast_ms=delays.ast_ms if delays else None,
            tts_ms=delays.tts_ms if delays else None,
            first_audio_ms=delays.first_audio_ms if delays else None,
            queue_ms=self._interpreter.queue_ms,
            queue_drops=self._drops,
            loss=wire.packets_lost / packets if packets else 0.0,
            jitter_ms=wire.jitter_ms,
            packets_received=wire.packets_received,
            packets_sent=wire.packets_sent,
            recovered_ms=wire.recovered_ms,
            concealed_ms=wire.concealed_ms,
            buffer_target_ms=wire.buffer_target_ms,
            drift_ppm=wire.drift_ppm,
        )

    def _summary(self) -> StatsEvent:
        delays = self._interpreter.last_delays
        return StatsEvent(
            latency_ms=delays.first_audio_ms if delays else None,
            queue_depth=self._interpreter.queue_depth,
            queue_drops=self._drops,
        )

    @property
    def _drops(self) -> int:
        assert self._transport is not None
        return self._interpreter.queue_drops + self._transport.stats.messages_dropped

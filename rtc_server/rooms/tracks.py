"""Audio tracks of a room: each language is spoken and encoded once for all its listeners."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

from rtc_server.audio.playout import Playout
from rtc_server.events.segment_events import SegmentEvent
from rtc_server.events.server import ServerEvent
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.captions import Direction
from rtc_server.interpreter.echo import EchoGuard
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.interpreter.modes import Preset
from rtc_server.interpreter.simultaneous import PassPacing
from rtc_server.metrics import Metrics
from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, PLAYOUT_RATE, SPEECH_RATE, Pcm, Samples
from rtc_server.resample import Resampler
from rtc_server.rooms.caption_tape import Caption
from rtc_server.rooms.shared_engines import RoomAst, RoomTts, SharedPartials
from rtc_server.rooms.shared_segmenter import SegmenterView, SharedSegmenter
from rtc_server.session.services import Services
from rtc_server.tracing import Attribute
from rtc_server.transport.media.sender import FrameEncoder
from rtc_server.transport.transport_api import EncodedFrame

EXPECTED_LOSS_PERCENT = 10
"""Loss for which every packet has FEC of the one before it. Among many listeners some always lose
packets, and one encoder cannot follow all their reports. Encoded once, it costs little."""
ORIGINAL_AHEAD_SAMPLES = 2 * PLAYOUT_FRAME_SAMPLES
"""Audio of the original that is collected before the first frame is sent, against jitter."""
ORIGINAL_SAMPLES = 20 * PLAYOUT_FRAME_SAMPLES
"""Bound of the original's queue. The oldest is dropped, because the voice must not lag."""
INAUDIBLE = 1e-4
"""Peak below which a frame of the original is silence: -80 dB."""


class Member(Protocol):
    """Listener or reader of a language."""

    @property
    def hears(self) -> bool:
        """True for a listener; False for a reader, who needs no speech."""

    @property
    def source(self) -> str:
        """Client address that is counted; empty if many people may share it."""

    @property
    def is_connected(self) -> bool:
        """False while captions would be lost, so that a warning must wait."""

    def caption(self, caption: Caption) -> None:
        """Take a caption of the language. Must not block."""


class Broadcast:
    """Encoder that encodes each tick's frame once, for any number of callers."""

    def __init__(self, next_frame: Callable[[], Samples | None], metrics: Metrics) -> None:
        self._next_frame, self._metrics = next_frame, metrics
        self._encoder = FrameEncoder(loss_percent=EXPECTED_LOSS_PERCENT)
        self._tick = -1
        self._packet: EncodedFrame | None = None
        self._closed = False

    def packet(self, tick: int) -> EncodedFrame | None:
        """Return the packet of that tick, the last one or a later one; see `NextPacket`."""
        if tick > self._tick and not self._closed:
            self._tick = tick
            self._packet = self._encoder.encode(self._next_frame(), tick)
            if self._packet is not None:
                self._metrics.room_frames_encoded.inc()
        return None if self._closed else self._packet

    def close(self) -> None:
        """Free the encoder. Idempotent; `packet` returns None from now on."""
        self._closed = True
        self._encoder.close()


class TranslationTrack:
    """Track of a translation: one interpreter of the speaker's audio."""

    def __init__(
        self,
        session_id: str,
        direction: Direction,
        services: Services,
        segmenter: SharedSegmenter,
        partials: SharedPartials,
        *,
        make_pacing: Callable[[Preset], PassPacing],
        is_heard: Callable[[], bool],
        publish: Callable[[SegmentEvent], None],
    ) -> None:
        """`make_pacing` returns one pacing for all languages; `publish` takes each caption;
        `is_heard` returns whether the language has listeners."""
        self._publish, self._clock = publish, services.clock
        guard = EchoGuard(on=services.interpreter.own_voice_guard)
        self._audio = AudioInput(SegmenterView(segmenter), guard)
        self._span = services.tracer.start("room language")
        self._span.note(Attribute.SESSION, session_id)
        self._voice = RoomTts(services.tts, is_heard)
        self._interpreter = Interpreter(
            session_id=session_id,
            direction=direction,
            ast=RoomAst(services.ast, partials, services.metrics),
            tts=self._voice,
            audio=self._audio,
            playout=Playout(services.interpreter.max_playout_s * 1000),
            emit=self._emitted,
            settings=services.interpreter,
            metrics=services.metrics,
            clock=services.clock,
            make_pacing=make_pacing,
            call=self._span,
        )
        self._broadcast = Broadcast(self._next_frame, services.metrics)

    def feed(self, pcm: Pcm) -> None:
        """Take the audio that the shared segmenter has just taken."""
        self._audio.feed(pcm)

    def announce_voice(self) -> None:
        """Announce the language to the synthesis: its first listener has come."""
        self._voice.announce()

    def interrupt(self) -> None:
        """Note that the speaker's transport has ended. Call it after that of the segmenter."""
        self._audio.interrupt()

    def packet(self, tick: int) -> EncodedFrame | None:
        """See `Broadcast.packet`."""
        return self._broadcast.packet(tick)

    @property
    def pending(self) -> int:
        """Number of segments that were spoken and are not yet played to their end."""
        return self._interpreter.queue_depth

    @property
    def queue_ms(self) -> float:
        """Length of the translated speech that waits to be played, in ms."""
        return self._interpreter.queue_ms

    async def drained(self) -> None:
        """Wait until everything said so far was played, dropped or has failed."""
        await self._interpreter.drained()

    async def run(self) -> None:
        """Interpret until cancelled, then free everything."""
        try:
            await self._interpreter.run()
        finally:
            self._span.end()
            self._broadcast.close()

    def _next_frame(self) -> Samples | None:
        frame = self._interpreter.next_frame()
        # A room plays nothing again for a listener who missed it.
        self._interpreter.arrived(self._clock())
        return frame

    def _emitted(self, event: ServerEvent) -> None:
        if isinstance(event, SegmentEvent):
            self._publish(event)


class OriginalTrack:
    """Track of the original: the speaker's own voice."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._resampler = Resampler(SPEECH_RATE, PLAYOUT_RATE)
        self._chunks: deque[Samples] = deque()
        self._waiting = 0
        self._flowing = False
        self._broadcast = Broadcast(self._next_frame, metrics)

    def feed(self, pcm: Pcm) -> None:
        """Take the speaker's audio."""
        samples = self._resampler.push(pcm.samples)
        if samples.size:
            self._chunks.append(samples)
            self._waiting += samples.size
        while self._waiting > ORIGINAL_SAMPLES:
            self._waiting -= self._chunks.popleft().size
            self._metrics.queue_drops.labels("original").inc()

    def packet(self, tick: int) -> EncodedFrame | None:
        """See `Broadcast.packet`."""
        return self._broadcast.packet(tick)

    def close(self) -> None:
        """Free everything. Idempotent."""
        self._broadcast.close()
        self._resampler.close()

    def _next_frame(self) -> Samples | None:
        needed = PLAYOUT_FRAME_SAMPLES if self._flowing else ORIGINAL_AHEAD_SAMPLES
        self._flowing = self._waiting >= max(needed, PLAYOUT_FRAME_SAMPLES)
        if not self._flowing:
            return None
        parts, wanted = [], PLAYOUT_FRAME_SAMPLES
        while wanted:
            chunk = self._chunks.popleft()
            if chunk.size > wanted:
                self._chunks.appendleft(chunk[wanted:])
            parts.append(chunk[:wanted])
            wanted -= parts[-1].size
        self._waiting -= PLAYOUT_FRAME_SAMPLES
        frame = np.concatenate(parts)
        return frame if np.abs(frame).max() > INAUDIBLE else None

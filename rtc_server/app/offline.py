"""The whole pipeline on a recording, without a network: ``rtc-server translate``.

Audio moves in steps of 20 ms, and each step waits for the engines. The result is that of an
infinitely fast machine: each translation begins right behind the speech that it translates.
"""

import asyncio
from dataclasses import dataclass, replace

import numpy as np

from rtc_server.app.engines import Engines
from rtc_server.audio.playout import Playout
from rtc_server.audio.vad import make_vad_factory
from rtc_server.config import Settings
from rtc_server.events.client import SessionPatch
from rtc_server.events.segment_events import SegmentEvent
from rtc_server.events.server import ServerEvent
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.echo import EchoGuard
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.metrics import Metrics
from rtc_server.pcm import FRAME_MS, PLAYOUT_FRAME_SAMPLES, SPEECH_RATE, Pcm, Samples
from rtc_server.session.services import Services

STEP_SAMPLES = SPEECH_RATE * FRAME_MS // 1000
NEVER_MS = 10**9
"""Interval of partial captions that never passes: only final captions are needed."""


@dataclass(frozen=True, slots=True)
class RecordingTranslation:
    """Result of translating a recording."""

    segments: tuple[SegmentEvent, ...]
    """Final captions, in order."""
    speech: Samples
    """Translated speech, 48 kHz, at least as long as the recording."""


async def translate(
    samples: Samples, settings: Settings, patch: SessionPatch
) -> RecordingTranslation:
    """Translate a recording: mono float32 at 16 kHz, shape (n,).

    Raises:
        EngineUnavailable: an engine cannot be started.
        UnsupportedPair: the engines do not support what `patch` requests.
    """
    metrics = Metrics()
    events: list[ServerEvent] = []
    frames: list[Samples] = []
    audio_s = 0.0
    async with Engines(settings.engines, metrics, settings.plugins).running() as engines:
        services = Services(
            ast=engines.ast_service,
            tts=engines.tts_service,
            make_vad=make_vad_factory(settings.segmenter.vad),
            segmenter=settings.segmenter,
            interpreter=replace(settings.interpreter, partial_interval_ms=NEVER_MS),
            metrics=metrics,
            clock=lambda: audio_s,
        )
        guard = EchoGuard(on=services.interpreter.own_voice_guard)
        audio = AudioInput(services.make_segmenter(), guard)
        interpreter = Interpreter(
            session_id="offline",
            direction=services.direction(patch),
            ast=services.ast,
            tts=services.tts,
            audio=audio,
            playout=Playout(max_ms=NEVER_MS),
            emit=events.append,
            settings=services.interpreter,
            metrics=metrics,
            clock=services.clock,
        )
        silence = np.zeros(PLAYOUT_FRAME_SAMPLES, np.float32)

        def play() -> None:
            frame = interpreter.next_frame()
            frames.append(silence if frame is None else frame)

        work = asyncio.create_task(interpreter.run())
        try:
            for start in range(0, len(samples), STEP_SAMPLES):
                step = samples[start : start + STEP_SAMPLES]
                audio.feed(Pcm(step, start))
                await interpreter.computed()
                audio_s += len(step) / SPEECH_RATE
                play()
            audio.flush()
            await interpreter.computed()
            while interpreter.queue_ms:  # a frame of None may be the pause between two segments
                play()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
    final = tuple(e for e in events if isinstance(e, SegmentEvent) and e.final)
    return RecordingTranslation(final, np.concatenate(frames) if frames else silence)

"""The speaking half of an interpreter: from translated text to what the client hears.

Texts wait in a bounded queue and are synthesized one after the other; their speech waits in the
playout until the wire asks for it.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing

from rtc_server.audio.playout import Playout, PlayoutChange, PlayoutState, speech_rate
from rtc_server.audio.spoken import Spoken
from rtc_server.clock import Clock
from rtc_server.engines.base import AstResult, TtsRequest
from rtc_server.errors import EngineError
from rtc_server.events.server import ErrorDetail, ErrorEvent, PlayoutEvent, ServerEvent
from rtc_server.interpreter.captions import SegmentCaptions
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.patience import Patience
from rtc_server.interpreter.ports import TtsPort
from rtc_server.interpreter.utterance import Utterance
from rtc_server.metrics import Metrics
from rtc_server.pcm import PLAYOUT_RATE, Samples
from rtc_server.resample import Resampler

SPEECH = 16
"""Translations of one session that may wait to be spoken."""

logger = logging.getLogger(__name__)


class Speaker:
    """Speaks the translations of one session, in order."""

    def __init__(
        self,
        *,
        session_id: str,
        tts: TtsPort,
        playout: Playout,
        emit: Callable[[ServerEvent], None],
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self.generation = 0
        """Counts `clear`: what is of an older one stays unspoken."""
        self.drops = 0
        """Segments whose speech was dropped for want of room."""
        self.last_delays: Delays | None = None
        """Of the segment heard last."""
        self._session_id, self._tts = session_id, tts
        self._playout, self._emit = playout, emit
        self._metrics, self._clock = metrics, clock
        self._patience = Patience("The voice is late. It comes when it is ready.", emit, clock)
        self._speech: asyncio.Queue[Utterance] = asyncio.Queue(SPEECH)
        self._unspoken: dict[str, Utterance] = {}
        self._spoken = Spoken()
        self._silent = asyncio.Event()
        self._silent.set()

    def expect(self, utterance: Utterance) -> None:
        """A segment is closed: sooner or later it is put, fails or is settled."""
        self._unspoken[utterance.captions.segment_id] = utterance
        self._silent.clear()

    async def put(self, utterance: Utterance) -> None:
        """Its translation is there; waits while too many do."""
        await self._speech.put(utterance)

    def next_frame(self) -> Samples | None:
        """The next 20 ms to play: float32, (960,), 48 kHz; None in silence."""
        frame = self._playout.pull()
        self._played(frame.changes)
        if frame.samples is not None:
            self._spoken.add(frame.samples, self._clock())
        elif not self._silent.is_set():
            self._notice_silence()
        return frame.samples

    def arrived(self, until_s: float) -> None:
        """What was played up to then, on the server's clock, has reached the client."""
        self._spoken.heard(until_s)

    def take_back(self) -> None:
        """What was played and has not reached the client is played again, first of all."""
        self._playout.put_back(self._spoken.take_unheard())
        self._notice_silence()

    def clear(self) -> None:
        """Stop speaking now: all that was said until now stays unspoken, captions stay."""
        self.generation += 1
        self._played(self._playout.clear())
        self._spoken.take_unheard()

    @property
    def queue_ms(self) -> float:
        """Translated speech that waits to be heard."""
        return self._playout.queue_ms

    @property
    def queue_depth(self) -> int:
        """Segments that were said and not yet heard to their end."""
        return len(self._unspoken)

    async def drained(self) -> None:
        """Wait until everything said so far was heard, dropped or has failed."""
        await self._silent.wait()

    async def computed(self) -> None:
        """Wait until everything put so far is synthesized, heard or not."""
        await self._speech.join()

    async def run(self) -> None:
        """Speak until cancelled."""
        while True:
            utterance = await self._speech.get()
            try:
                await self._synthesize(utterance)
            except EngineError as error:
                self._played(self._playout.finish(utterance.captions.segment_id))
                self.fail(utterance.captions, utterance.end_ms, error, utterance.result)
            finally:
                self._speech.task_done()

    async def _synthesize(self, utterance: Utterance) -> None:
        result, captions = utterance.result, utterance.captions
        assert result is not None
        utterance.tempo = speech_rate(self._playout.queue_ms)
        asked_s = utterance.delays.asked_s = self._clock()
        direction = captions.direction
        request = TtsRequest(
            result.target_text, direction.target, direction.voice, rate=utterance.tempo
        )
        resampler = Resampler(self._tts.capabilities.sample_rate, PLAYOUT_RATE)
        speech = self._tts.synthesize(request, session_id=self._session_id)
        with self._patience.waiting(asked_s) as came:
            async with aclosing(speech):
                if not self._is_cleared(utterance):
                    async for chunk in speech:
                        if self._is_cleared(utterance):
                            break
                        if utterance.delays.synthesized_s is None:
                            utterance.delays.synthesized_s = self._clock()
                            came()
                        self._play(utterance, resampler.push(chunk))
        if not self._is_cleared(utterance):
            self._play(utterance, resampler.flush())
        self._played(self._playout.finish(captions.segment_id))
        if self._is_cleared(utterance):
            self._playout_event(captions.segment_id, PlayoutState.DROPPED)
        elif utterance.delays.synthesized_s is None:  # nothing in the text could be spoken
            self.settle(captions.segment_id)

    def _play(self, utterance: Utterance, samples: Samples) -> None:
        if len(samples):
            self._played(self._playout.push(utterance.captions.segment_id, samples))

    def _is_cleared(self, utterance: Utterance) -> bool:
        return utterance.generation != self.generation

    def _played(self, changes: tuple[PlayoutChange, ...]) -> None:
        for change in changes:
            self._playout_event(change.segment_id, change.state, change.queue_ms)

    def _playout_event(
        self, segment_id: str, state: PlayoutState, queue_ms: float | None = None
    ) -> None:
        utterance = self._unspoken.get(segment_id)
        if utterance is None:  # settled before: cleared while its last chunks were under way
            return
        if state is PlayoutState.STARTED:
            utterance.delays.heard_s = self._clock()
            self.last_delays = utterance.delays
            self._metrics.first_audio_seconds.observe(
                utterance.delays.heard_s - utterance.delays.speech_end_s
            )
        if state is PlayoutState.DROPPED and not self._is_cleared(utterance):
            self._drop()
        waits_ms = self._playout.queue_ms if queue_ms is None else queue_ms
        self._emit(PlayoutEvent(segment_id, state.value, round(waits_ms), utterance.tempo))
        if state in (PlayoutState.FINISHED, PlayoutState.DROPPED):
            self.settle(segment_id)

    # ---------------------------------------------------------------- endings

    def fail(
        self,
        captions: SegmentCaptions,
        end_ms: int,
        error: EngineError,
        result: AstResult | None = None,
    ) -> None:
        """Say in a segment's caption that it failed; texts of `result` stay."""
        logger.warning("segment failed: %s", error.code)
        event = captions.failed(str(error), end_ms, result, code=error.code)
        self._metrics.segments.labels(event.status.value).inc()
        self._emit(event)
        self._emit(ErrorEvent(ErrorDetail("server_error", error.code, str(error))))
        self.settle(captions.segment_id)

    def settle(self, segment_id: str) -> None:
        """Nothing more will be heard of this segment."""
        self._unspoken.pop(segment_id, None)
        self._notice_silence()

    def _notice_silence(self) -> None:
        if self._unspoken or self._playout.queue_ms:
            self._silent.clear()
        else:
            self._silent.set()

    def _drop(self) -> None:
        self.drops += 1
        self._metrics.queue_drops.labels("playout").inc()

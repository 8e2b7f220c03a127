"""Speech output of an interpreter: translated text in, frames for the client out.

Texts wait in a bounded queue and are synthesized one after the other; their speech waits in the
playout until the transport takes it. A segment that was translated as a whole is one text; one that
is translated while it is spoken is several.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing

from rtc_server.audio.playout import Playout, PlayoutChange, PlayoutState
from rtc_server.audio.unconfirmed import UnconfirmedSpeech
from rtc_server.clock import Clock
from rtc_server.engines.base import AstResult
from rtc_server.errors import EngineError
from rtc_server.events.server import ErrorDetail, ErrorEvent, PlayoutEvent, ServerEvent
from rtc_server.interpreter.backlog import BacklogRules
from rtc_server.interpreter.captions import SegmentCaptions
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.failures import voice_failure
from rtc_server.interpreter.ports import TtsPort
from rtc_server.interpreter.queued_speech import QueuedSpeech
from rtc_server.interpreter.segment_output import Saying, SegmentOutput
from rtc_server.interpreter.segment_spans import SegmentSpans
from rtc_server.interpreter.synthesis import Synthesis
from rtc_server.metrics import Metrics
from rtc_server.pcm import Samples

SPEECH = 16
"""Texts of one session that may wait for the synthesis."""

_CHAR_MS = 65.0
"""Estimated length of the speech for one written character."""

logger = logging.getLogger(__name__)


class SpeechOutput:
    """Speech output of one session: synthesizes and plays its translations in order."""

    def __init__(
        self,
        *,
        session_id: str,
        tts: TtsPort,
        playout: Playout,
        emit: Callable[[ServerEvent], None],
        metrics: Metrics,
        clock: Clock,
        spans: SegmentSpans,
    ) -> None:
        self.generation = 0
        """Number of calls of `clear`. Texts of an older generation are not spoken."""
        self.drops = 0
        """Number of texts whose speech was dropped because too much waited."""
        self.last_delays: Delays | None = None
        """Delays of the segment or clause played last."""
        self._synthesis = Synthesis(session_id, tts, emit, clock, spans)
        self._queued = QueuedSpeech(playout, self._synthesis.backlog)
        self._playout, self._emit = playout, emit
        self._metrics, self._clock, self._spans = metrics, clock, spans
        self._speech: asyncio.Queue[Saying] = asyncio.Queue(SPEECH)
        self._sayings: dict[str, Saying] = {}
        """Texts that are not yet played to their end, by their keys in the playout."""
        self._unspoken: dict[str, SegmentOutput] = {}
        """Segments that are not yet played to their end, by id."""
        self._unconfirmed = UnconfirmedSpeech()
        self._silent = asyncio.Event()
        self._silent.set()

    def expect(self, output: SegmentOutput) -> None:
        """Note a segment whose texts will come. It must be put, fail or be forgotten later."""
        self._unspoken[output.captions.segment_id] = output
        self._silent.clear()

    async def put(self, saying: Saying) -> None:
        """Queue a text; wait while the queue is full."""
        self._sayings[saying.key] = saying
        await self._speech.put(saying)

    def offer(self, saying: Saying) -> None:
        """Queue one clause of an open segment; leave it out if the queue is full."""
        self._sayings[saying.key] = saying
        if self._speech.full():
            self._playout_event(saying.key, PlayoutState.DROPPED)
        else:
            self._speech.put_nowait(saying)

    def complete(self, output: SegmentOutput) -> None:
        """End a segment: its newest text is its last."""
        segment_id = output.captions.segment_id
        mine = [each for each in self._sayings.values() if each.output is output]
        if mine:
            mine[-1].is_last = True
            return
        if output.sounded and not output.over:
            output.over = True
            state, waits_ms = PlayoutState.FINISHED.value, round(self._playout.queue_ms)
            self._emit(PlayoutEvent(segment_id, state, waits_ms, output.tempo))
        self.forget(segment_id)

    def next_frame(self) -> Samples | None:
        """Return the next 20 ms to play: float32, (960,), 48 kHz; None in silence."""
        frame = self._playout.pull()
        self._played(frame.changes)
        if frame.samples is not None:
            self._unconfirmed.add(frame.samples, self._clock())
        elif not self._silent.is_set():
            self._notice_silence()
        return frame.samples

    def arrived(self, until_s: float) -> None:
        """Note that the client has received all frames sent until `until_s` (server's clock)."""
        self._unconfirmed.confirm(until_s)

    def take_back(self) -> None:
        """Play the frames that have not reached the client again, before all else."""
        self._playout.put_back(self._unconfirmed.take_unconfirmed())
        self._notice_silence()

    def clear(self) -> None:
        """Stop speaking now, and drop the speech of all that was said until now; captions stay."""
        self.generation += 1
        self._played(self._playout.clear())
        self._unconfirmed.take_unconfirmed()

    @property
    def queue_ms(self) -> float:
        """Length of the translated speech that waits to be played, in ms."""
        return self._playout.queue_ms

    @property
    def expected_ms(self) -> float:
        """The same, with the estimated speech of the texts that wait for the synthesis."""
        waiting = (s for s in self._sayings.values() if s.delays.synthesized_s is None)
        return self._playout.queue_ms + sum(len(s.text) for s in waiting) * _CHAR_MS

    def catch_up_by(self, rules: BacklogRules, bound_ms: float) -> None:
        """Set the rules of tempo and pauses; `bound_ms`: most speech that may wait."""
        self._synthesis.catch_up_by(rules)
        self._playout.set_bound(bound_ms)

    @property
    def queue_depth(self) -> int:
        """Number of segments that were spoken and are not yet played to their end."""
        return len(self._unspoken)

    async def drained(self) -> None:
        """Wait until everything said so far was played, dropped or has failed."""
        await self._silent.wait()

    async def computed(self) -> None:
        """Wait until everything put so far is synthesized, played or not."""
        await self._speech.join()

    async def run(self) -> None:
        """Speak until cancelled."""
        while True:
            saying = await self._speech.get()
            try:
                await self._speak(saying)
                await self._queued.catch_up(self._sayings.values())
            except EngineError as error:
                self._fail_saying(saying, error)
            finally:
                self._speech.task_done()

    async def _speak(self, saying: Saying) -> None:
        queue_ms, segment_id = self._playout.queue_ms, saying.output.captions.segment_id
        chunks = self._synthesis.chunks(saying, queue_ms, lambda: self._is_cleared(saying))
        async with aclosing(chunks):
            async for samples in chunks:
                if len(samples):
                    self._played(self._playout.push(saying.key, samples, segment_id))
        # `has_gap` may change: that a segment ends with this text may become known later.
        has_gap, pause_ms = saying.has_gap, saying.pause_ms
        self._played(self._playout.finish(saying.key, pause=has_gap, pause_ms=pause_ms))
        if self._is_cleared(saying):
            self._playout_event(saying.key, PlayoutState.DROPPED)
        elif saying.delays.synthesized_s is None:  # nothing in the text could be spoken
            self._forget(saying)

    def _is_cleared(self, saying: Saying) -> bool:
        return saying.generation != self.generation

    def _played(self, changes: tuple[PlayoutChange, ...]) -> None:
        for change in changes:
            self._playout_event(change.segment_id, change.state, change.queue_ms)

    def _playout_event(self, key: str, state: PlayoutState, queue_ms: float | None = None) -> None:
        saying = self._sayings.get(key)
        if saying is None:  # it was cleared while its last chunks were under way
            return
        waits_ms = self._playout.queue_ms if queue_ms is None else queue_ms
        match state:
            case PlayoutState.QUEUED:
                if saying.number == 0:
                    self._report(saying, state, waits_ms)
            case PlayoutState.STARTED:
                self._begin(saying, waits_ms)
            case PlayoutState.FINISHED:
                self._leave(saying, state, waits_ms)
            case PlayoutState.DROPPED:
                if not self._is_cleared(saying):
                    self._drop(saying, waits_ms)
                self._leave(saying, state, waits_ms)

    def _report(self, saying: Saying, state: PlayoutState, queue_ms: float) -> None:
        segment_id = saying.output.captions.segment_id
        self._emit(PlayoutEvent(segment_id, state.value, round(queue_ms), saying.tempo))

    def _begin(self, saying: Saying, queue_ms: float) -> None:
        delays = self.last_delays = saying.delays
        delays.first_audio_s = self._clock()
        self._metrics.first_audio_seconds.observe(delays.first_audio_s - delays.speech_end_s)
        self._metrics.ear_voice_seconds.observe(delays.first_audio_s - delays.speech_start_s)
        self._spans.first_audio(saying.output.captions.segment_id, delays)
        if not saying.output.sounded:
            saying.output.sounded = True
            self._report(saying, PlayoutState.STARTED, queue_ms)

    def _drop(self, saying: Saying, queue_ms: float) -> None:
        """Count speech that was dropped because too much waited; report which clause it was."""
        self.drops += 1
        self._metrics.queue_drops.labels("playout").inc()
        if saying.is_clause:
            part = (saying.start_char, saying.start_char + len(saying.text))
            segment_id, tempo = saying.output.captions.segment_id, saying.tempo
            self._emit(PlayoutEvent(segment_id, "skipped", round(queue_ms), tempo, part))

    def _leave(self, saying: Saying, state: PlayoutState, queue_ms: float) -> None:
        """Forget a text that was played, or never will be; report the end of its segment."""
        del self._sayings[saying.key]
        output = saying.output
        cleared = self._is_cleared(saying)
        if not output.over and (saying.is_last or cleared):
            output.over = True
            heard = saying.is_clause and output.sounded and not cleared
            self._report(saying, PlayoutState.FINISHED if heard else state, queue_ms)
        if saying.is_last:
            self.forget(output.captions.segment_id)

    # ---------------------------------------------------------------- endings

    def _fail_saying(self, saying: Saying, error: EngineError) -> None:
        """Report that the synthesis failed. The caption of a clause stays, and the clause is
        reported as not spoken; that of a whole segment is marked as failed.
        """
        output, message = saying.output, voice_failure(error)
        self._spans.fail(output.captions.segment_id, error)
        self._played(self._playout.finish(saying.key))
        if saying.is_clause:
            self._report_failure(error, message)
            if saying.key in self._sayings:
                self._playout_event(saying.key, PlayoutState.DROPPED)
        else:
            self.fail(output.captions, output.end_ms, error, message, output.result)
            self._sayings.pop(saying.key, None)

    def _forget(self, saying: Saying) -> None:
        """Forget a text that has no speech."""
        self._sayings.pop(saying.key, None)
        if saying.is_last:
            self.complete(saying.output)

    def fail(
        self,
        captions: SegmentCaptions,
        end_ms: int,
        error: EngineError,
        message: str,
        result: AstResult | None = None,
    ) -> None:
        """Mark a segment's caption as failed, with `message`; the texts of `result` stay."""
        event = captions.failed(message, end_ms, result, code=error.code)
        self._spans.note_status(captions.segment_id, event.status.value)
        self._spans.fail(captions.segment_id, error)
        self._metrics.segments.labels(event.status.value).inc()
        self._emit(event)
        self._report_failure(error, message)
        self.forget(captions.segment_id)

    def _report_failure(self, error: EngineError, message: str) -> None:
        """Report a failure. The error's own text goes to the log only: it names the engine."""
        logger.warning("%s: %s", error.code, error)
        self._emit(ErrorEvent(ErrorDetail("server_error", error.code, message)))

    def forget(self, segment_id: str) -> None:
        """Forget a segment: nothing more of it will be played."""
        self._unspoken.pop(segment_id, None)
        self._spans.end(segment_id)
        self._notice_silence()

    def _notice_silence(self) -> None:
        if self._unspoken or self._playout.queue_ms:
            self._silent.clear()
        else:
            self._silent.set()

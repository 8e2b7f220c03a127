"""From what is heard to what is said: one speaker's stream of segments.

``feed`` hears audio, asks for partial captions and submits closed segments at once. Two tasks then
wait for the answers in the order the segments were spoken: one turns translations into captions,
one turns captions into speech. They are joined by bounded queues:

=============  ==  ======================================================
translations    8  refuse: the segment fails in its caption and is counted
speech         16  wait: translation holds back until speech catches up
playout       30s  drop the oldest segment that waits, counted
=============  ==  ======================================================

Captions may be revised until they are final; what was given to the synthesis never is.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from rtc_server.audio.own_voice import OwnVoice
from rtc_server.audio.playout import Playout, PlayoutChange, PlayoutState, speech_rate
from rtc_server.audio.spoken import Spoken
from rtc_server.clock import Clock
from rtc_server.config import InterpreterSettings
from rtc_server.engines.base import AstRequest, AstResult, AstStatus, TtsRequest
from rtc_server.errors import EngineError, EngineOverloaded
from rtc_server.events.server import (
    ErrorDetail,
    ErrorEvent,
    InputTranscriptDelta,
    OutputTranscriptDelta,
    PlayoutEvent,
    ServerEvent,
    VadEvent,
    WarningEvent,
    elapsed_steps,
)
from rtc_server.interpreter.captions import Direction, SegmentCaptions, Transcript
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.listener import (
    ListenerEvent,
    ListenMode,
    Segment,
    SpeechPaused,
    SpeechStarted,
)
from rtc_server.interpreter.ports import AstPort, ListenerPort, TtsPort
from rtc_server.metrics import Metrics
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE, Pcm, Samples, samples_to_ms
from rtc_server.resample import Resampler

TRANSLATIONS = 8
"""Segments of one session that may be under translation."""
SPEECH = 16
"""Translations of one session that may wait to be spoken."""
OWN_VOICE_WARNING_S = 300.0
"""A client that hears our speech is told so no more often than this."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Utterance:
    """A closed segment on its way to the ear."""

    captions: SegmentCaptions
    end_ms: int
    delays: Delays
    generation: int
    """Speech of an older generation than the interpreter's was cleared by the user."""
    answer: asyncio.Future[AstResult]
    result: AstResult | None = None
    tempo: float = 1.0


@dataclass(frozen=True, slots=True)
class _Guess:
    """A translation begun before the hangover was over."""

    segment: Segment
    request: AstRequest
    answer: asyncio.Future[AstResult | None]


class _OpenSegment:
    """What is known of the segment being spoken."""

    def __init__(self, captions: SegmentCaptions, position_samples: int) -> None:
        self.captions = captions
        self.start_samples = position_samples
        self.asked_samples = position_samples
        self.answer: asyncio.Future[AstResult | None] | None = None
        """A partial that was asked for."""
        self.guess: _Guess | None = None
        """What the whole segment would mean if the pause going on ended it."""

    def drop_questions(self) -> None:
        """Nobody wants the answers any more."""
        for question in (self.answer, self.guess.answer if self.guess else None):
            if question is not None:
                question.cancel()


class Interpreter:
    """One direction of one session. All calls come on the event loop; none blocks."""

    def __init__(
        self,
        *,
        session_id: str,
        direction: Direction,
        ast: AstPort,
        tts: TtsPort,
        listener: ListenerPort,
        playout: Playout,
        emit: Callable[[ServerEvent], None],
        settings: InterpreterSettings,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self.direction = direction
        """In force for segments that begin from now on."""
        self.queue_drops = 0
        """Segments and speech dropped from bounded queues so far."""
        self.last_delays: Delays | None = None
        """Of the segment heard last."""
        self._session_id = session_id
        self._listener = listener
        self._ast, self._tts = ast, tts
        self._playout, self._emit = playout, emit
        self._metrics, self._clock = metrics, clock
        self._partial_samples = settings.partial_interval_ms * SPEECH_RATE // 1000
        self._own_voice = OwnVoice() if settings.own_voice_guard else None
        self._warned_s: float | None = None
        """When the client was last told that it hears our speech."""
        self._position_samples = 0
        self._segments = 0
        self._open: _OpenSegment | None = None
        self._generation = 0
        self._translations: asyncio.Queue[_Utterance] = asyncio.Queue(TRANSLATIONS)
        self._speech: asyncio.Queue[_Utterance] = asyncio.Queue(SPEECH)
        self._unspoken: dict[str, _Utterance] = {}
        self._spoken = Spoken()
        self._silent = asyncio.Event()
        self._silent.set()
        self._source_transcript, self._target_transcript = Transcript(), Transcript()

    # ---------------------------------------------------------------- from the wire

    def feed(self, pcm: Pcm) -> None:
        """Hear received audio."""
        self._position_samples = pcm.start_samples + len(pcm.samples)
        if self._own_voice is not None:
            self._own_voice.heard(pcm.samples, pcm.start_samples)
        self._heard(self._listener.feed(pcm))
        self._ask_partial()

    def start_input(self) -> None:
        """Push-to-talk was pressed."""
        self._heard(self._listener.start_input())

    def commit_input(self) -> None:
        """Push-to-talk was released."""
        self._heard(self._listener.commit_input())

    def set_listening(self, mode: ListenMode, hangover_ms: int) -> None:
        """Change what ends a segment; one that is open when the mode changes ends here."""
        self._listener.set_hangover_ms(hangover_ms)
        self._heard(self._listener.set_mode(mode))

    def flush_input(self) -> None:
        """Close the segment being spoken, whatever the mode."""
        self._heard(self._listener.flush())

    def interrupt_input(self) -> None:
        """The wire broke: the segment being spoken ends here, and what comes is another stream."""
        self._heard(self._listener.interrupt())

    def next_frame(self) -> Samples | None:
        """The next 20 ms to play: float32, (960,), 48 kHz; None in silence."""
        frame = self._playout.pull()
        self._played(frame.changes)
        if self._own_voice is not None:
            self._own_voice.played(frame.samples, self._position_samples)
        if frame.samples is not None:
            self._spoken.add(frame.samples, self._clock())
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
        self._generation += 1
        self._played(self._playout.clear())
        self._spoken.take_unheard()

    @property
    def position_samples(self) -> int:
        """Where the next audio to `feed` begins, on the session's audio clock."""
        return self._position_samples

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
        """Wait until everything said so far is translated and synthesized, heard or not."""
        await self._translations.join()
        await self._speech.join()

    async def run(self) -> None:
        """Translate and speak until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._translate(), name="translate")
                tasks.create_task(self._speak(), name="speak")
        finally:
            self._ast.forget(self._session_id)
            self._tts.forget(self._session_id)

    # ---------------------------------------------------------------- listening

    def _heard(self, events: list[ListenerEvent]) -> None:
        for event in events:
            if isinstance(event, SpeechStarted):
                self._emit(VadEvent("speech", _ms(event.start_samples)))
                self._begin(event.start_samples)
            elif isinstance(event, SpeechPaused):
                self._guess(event.segment)
            else:
                self._emit(VadEvent("silence", _ms(event.at_samples)))
                self._end(event.segment, event.at_samples)

    def _begin(self, start_samples: int) -> None:
        self._segments += 1
        captions = SegmentCaptions(f"seg_{self._segments}", self.direction, _ms(start_samples))
        self._open = _OpenSegment(captions, start_samples)

    def _ask_partial(self) -> None:
        """Ask for the text so far, if there is new audio and no question is under way."""
        segment = self._open
        if segment is None or not self._ast.capabilities.partials or segment.answer is not None:
            return
        if self._position_samples - segment.asked_samples < self._partial_samples:
            return
        heard = self._listener.open_segment()
        if heard is None or self._is_own_voice(segment.start_samples, self._position_samples):
            return
        direction, end_ms = segment.captions.direction, _ms(self._position_samples)
        request = AstRequest(heard, direction.source, direction.target, partial=True)
        segment.asked_samples = self._position_samples
        try:
            segment.answer = self._ast.submit_partial(request, session_id=self._session_id)
        except EngineError:  # the segment will say so if it lasts
            return
        segment.answer.add_done_callback(lambda done: self._partial_came(segment, done, end_ms))

    def _guess(self, pause: Segment) -> None:
        """Translate while the hangover runs; the answer is there when it is over."""
        segment = self._open
        assert segment is not None, "a pause in a segment that never began"
        segment.drop_questions()
        if self._is_own_voice(pause.start_samples, pause.end_samples):
            return
        direction, end_ms = segment.captions.direction, _ms(pause.end_samples)
        request = AstRequest(pause.samples, direction.source, direction.target)
        try:
            answer = self._ast.submit_early(request, session_id=self._session_id)
        except EngineError:  # the segment will say so if it lasts
            return
        segment.asked_samples = self._position_samples
        segment.guess = _Guess(pause, request, answer)
        answer.add_done_callback(lambda done: self._partial_came(segment, done, end_ms))

    def _partial_came(
        self, segment: _OpenSegment, done: asyncio.Future[AstResult | None], end_ms: int
    ) -> None:
        if done is segment.answer:
            segment.answer = None
        if done.cancelled() or segment is not self._open:
            return
        if done.exception() is not None:  # the final will say so if it lasts
            return
        result = done.result()
        if result is not None and result.source_text:
            event = segment.captions.partial(result.source_text, end_ms)
            if event is not None:
                self._emit(event)

    def _end(self, segment: Segment | None, at_samples: int) -> None:
        opened, self._open = self._open, None
        assert opened is not None, "a segment ended that never began"
        if segment is not None and self._is_own_voice(segment.start_samples, segment.end_samples):
            self._pass_over(opened, segment)
        elif segment is not None:
            self._submit(segment, opened)
        elif opened.captions.shown:  # what looked like words was none
            nothing = AstResult(AstStatus.NOT_UNDERSTOOD)
            self._emit(opened.captions.final(nothing, _ms(at_samples)))

    def _is_own_voice(self, start_samples: int, end_samples: int) -> bool:
        guard = self._own_voice
        return guard is not None and guard.judge(start_samples, end_samples).is_own_voice

    def _pass_over(self, opened: _OpenSegment, segment: Segment) -> None:
        """Our own speech came back: nobody said anything."""
        opened.drop_questions()
        self._metrics.segments.labels("own_voice").inc()
        if opened.captions.shown:
            nothing = AstResult(AstStatus.NOT_UNDERSTOOD)
            self._emit(opened.captions.final(nothing, _ms(segment.end_samples)))
        now_s = self._clock()
        if self._warned_s is None or now_s - self._warned_s > OWN_VOICE_WARNING_S:
            self._warned_s = now_s
            self._emit(
                WarningEvent(
                    "own_voice",
                    "The microphone hears the translation. Use headphones, or turn it down.",
                )
            )

    def _submit(self, segment: Segment, opened: _OpenSegment) -> None:
        now, captions = self._clock(), opened.captions
        behind_s = (self._position_samples - segment.speech_end_samples) / SPEECH_RATE
        end_ms = _ms(segment.speech_end_samples)
        try:
            if self._translations.full():
                self._drop("translations")
                raise EngineOverloaded("Translation cannot keep up; this sentence was skipped.")
            answer = self._ask(segment, opened)
        except EngineError as error:
            opened.drop_questions()
            self._fail(captions, end_ms, error)
            return
        utterance = _Utterance(
            captions, end_ms, Delays(now - max(behind_s, 0.0), now), self._generation, answer
        )
        self._unspoken[captions.segment_id] = utterance
        self._silent.clear()
        self._translations.put_nowait(utterance)

    def _ask(self, segment: Segment, opened: _OpenSegment) -> asyncio.Future[AstResult]:
        """The translation of a closed segment: the one begun in its pause, if that is the same."""
        guess, direction = opened.guess, opened.captions.direction
        bounds = (segment.start_samples, segment.end_samples)
        if guess and bounds == (guess.segment.start_samples, guess.segment.end_samples):
            return self._ast.confirm(guess.request, guess.answer, session_id=self._session_id)
        opened.drop_questions()
        request = AstRequest(segment.samples, direction.source, direction.target)
        return self._ast.submit(request, session_id=self._session_id)

    # ---------------------------------------------------------------- translating

    async def _translate(self) -> None:
        while True:
            utterance = await self._translations.get()
            try:
                result = await utterance.answer
                utterance.delays.translated_s = self._clock()
                utterance.result = result
                self._publish(utterance, result)
                if result.status is AstStatus.OK and result.target_text:
                    await self._speech.put(utterance)
                else:
                    self._settle(utterance.captions.segment_id)
            except EngineError as error:
                self._fail(utterance.captions, utterance.end_ms, error)
            finally:
                self._translations.task_done()

    def _publish(self, utterance: _Utterance, result: AstResult) -> None:
        event = utterance.captions.final(result, utterance.end_ms)
        self._metrics.segments.labels(event.status.value).inc()
        self._emit(event)
        elapsed_ms = elapsed_steps(utterance.end_ms)
        if result.status is AstStatus.OK:
            delta = self._source_transcript.delta(result.source_text)
            self._emit(InputTranscriptDelta(delta, elapsed_ms))
            delta = self._target_transcript.delta(result.target_text)
            self._emit(OutputTranscriptDelta(delta, elapsed_ms))

    # ---------------------------------------------------------------- speaking

    async def _speak(self) -> None:
        while True:
            utterance = await self._speech.get()
            try:
                await self._synthesize(utterance)
            except EngineError as error:
                self._played(self._playout.finish(utterance.captions.segment_id))
                self._fail(utterance.captions, utterance.end_ms, error, utterance.result)
            finally:
                self._speech.task_done()

    async def _synthesize(self, utterance: _Utterance) -> None:
        result, captions = utterance.result, utterance.captions
        assert result is not None
        utterance.tempo = speech_rate(self._playout.queue_ms)
        utterance.delays.asked_s = self._clock()
        direction = captions.direction
        request = TtsRequest(
            result.target_text, direction.target, direction.voice, rate=utterance.tempo
        )
        resampler = Resampler(self._tts.capabilities.sample_rate, PLAYOUT_RATE)
        speech = self._tts.synthesize(request, session_id=self._session_id)
        async with aclosing(speech):
            if not self._is_cleared(utterance):
                async for chunk in speech:
                    if self._is_cleared(utterance):
                        break
                    if utterance.delays.synthesized_s is None:
                        utterance.delays.synthesized_s = self._clock()
                    self._play(utterance, resampler.push(chunk))
        if not self._is_cleared(utterance):
            self._play(utterance, resampler.flush())
        self._played(self._playout.finish(captions.segment_id))
        if self._is_cleared(utterance):
            self._playout_event(captions.segment_id, PlayoutState.DROPPED)
        elif utterance.delays.synthesized_s is None:  # nothing in the text could be spoken
            self._settle(captions.segment_id)

    def _play(self, utterance: _Utterance, samples: Samples) -> None:
        if len(samples):
            self._played(self._playout.push(utterance.captions.segment_id, samples))

    def _is_cleared(self, utterance: _Utterance) -> bool:
        return utterance.generation != self._generation

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
            self._drop("playout")
        waits_ms = self._playout.queue_ms if queue_ms is None else queue_ms
        self._emit(PlayoutEvent(segment_id, state.value, round(waits_ms), utterance.tempo))
        if state in (PlayoutState.FINISHED, PlayoutState.DROPPED):
            self._settle(segment_id)

    # ---------------------------------------------------------------- endings

    def _fail(
        self,
        captions: SegmentCaptions,
        end_ms: int,
        error: EngineError,
        result: AstResult | None = None,
    ) -> None:
        logger.warning("segment failed: %s", error.code)
        event = captions.failed(str(error), end_ms, result)
        self._metrics.segments.labels(event.status.value).inc()
        self._emit(event)
        self._emit(ErrorEvent(ErrorDetail("server_error", error.code, str(error))))
        self._settle(captions.segment_id)

    def _settle(self, segment_id: str) -> None:
        self._unspoken.pop(segment_id, None)
        self._notice_silence()

    def _notice_silence(self) -> None:
        if self._unspoken or self._playout.queue_ms:
            self._silent.clear()
        else:
            self._silent.set()

    def _drop(self, queue: str) -> None:
        self.queue_drops += 1
        self._metrics.queue_drops.labels(queue).inc()


def _ms(samples: int) -> int:
    return round(samples_to_ms(samples, SPEECH_RATE))

"""From what is heard to what is said: one speaker's stream of segments.

``feed`` hears audio, asks for partial captions and submits closed segments at once. Two tasks then
wait for the answers in the order the segments were spoken: one turns translations into captions,
one turns captions into speech (`Speaker`). They are joined by bounded queues:

=============  ==  ======================================================
translations    8  refuse: the segment fails in its caption and is counted
speech         16  wait: translation holds back until speech catches up
playout       30s  drop the oldest segment that waits, counted
=============  ==  ======================================================

Captions may be revised until they are final; what was given to the synthesis never is.
"""

import asyncio
from collections.abc import Callable

from rtc_server.audio.own_voice import OwnVoice
from rtc_server.audio.playout import Playout
from rtc_server.clock import Clock
from rtc_server.config import InterpreterSettings
from rtc_server.engines.base import AstRequest, AstResult, AstStatus
from rtc_server.errors import EngineError, EngineOverloaded
from rtc_server.events.server import (
    InputTranscriptDelta,
    OutputTranscriptDelta,
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
from rtc_server.interpreter.patience import Patience
from rtc_server.interpreter.ports import AstPort, ListenerPort, TtsPort
from rtc_server.interpreter.speaker import Speaker
from rtc_server.interpreter.utterance import Guess, OpenSegment, Utterance
from rtc_server.metrics import Metrics
from rtc_server.pcm import SPEECH_RATE, Pcm, Samples, samples_to_ms

TRANSLATIONS = 8
"""Segments of one session that may be under translation."""
OWN_VOICE_WARNING_S = 300.0
"""A client that hears our speech is told so no more often than this."""


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
        self._session_id = session_id
        self._listener = listener
        self._ast, self._tts = ast, tts
        self._emit, self._metrics, self._clock = emit, metrics, clock
        self._speaker = Speaker(
            session_id=session_id,
            tts=tts,
            playout=playout,
            emit=emit,
            metrics=metrics,
            clock=clock,
        )
        late = "The translation is late. It comes when it is ready."
        self._patience = Patience(late, emit, clock)
        self._partial_samples = settings.partial_interval_ms * SPEECH_RATE // 1000
        self._own_voice = OwnVoice() if settings.own_voice_guard else None
        self._commits_only = False
        """Push-to-talk alone decides what a segment is."""
        self._warned_s: float | None = None
        """When the client was last told that it hears our speech."""
        self._position_samples = 0
        self._segments = 0
        self._open: OpenSegment | None = None
        self._refused = 0
        """Segments for which there was no room."""
        self._translations: asyncio.Queue[Utterance] = asyncio.Queue(TRANSLATIONS)
        self._source_transcript, self._target_transcript = Transcript(), Transcript()

    # ---------------------------------------------------------------- from the wire

    def feed(self, pcm: Pcm) -> None:
        """Hear received audio."""
        self.heard(pcm, self._listener.feed(pcm))

    def heard(self, pcm: Pcm, events: list[ListenerEvent]) -> None:
        """As `feed`, when the listener has heard it already."""
        self._position_samples = pcm.start_samples + len(pcm.samples)
        if self._own_voice is not None:
            self._own_voice.heard(pcm.samples, pcm.start_samples)
        self._take(events)
        self._ask_partial()

    def start_input(self) -> None:
        """Push-to-talk was pressed."""
        self._take(self._listener.start_input())

    def commit_input(self) -> None:
        """Push-to-talk was released."""
        self._take(self._listener.commit_input())

    def say(self, source_text: str, target_text: str) -> None:
        """Speak a phrase whose translation is known, after what was said before it.

        It is a segment like any other, and refused like one when too many wait.
        """
        self._segments += 1
        now, end_ms = self._clock(), _ms(self._position_samples)
        captions = SegmentCaptions(f"seg_{self._segments}", self.direction, end_ms)
        if self._translations.full():
            self._refused += 1
            self._metrics.queue_drops.labels("translations").inc()
            error = EngineOverloaded("Too much waits to be spoken; this phrase was skipped.")
            self._speaker.fail(captions, end_ms, error)
            return
        answer: asyncio.Future[AstResult] = asyncio.get_running_loop().create_future()
        answer.set_result(AstResult(AstStatus.OK, source_text, target_text))
        utterance = Utterance(captions, end_ms, Delays(now, now), self._speaker.generation, answer)
        self._speaker.expect(utterance)
        self._translations.put_nowait(utterance)

    def set_listening(self, mode: ListenMode, hangover_ms: int) -> None:
        """Change what ends a segment; one that is open when the mode changes ends here."""
        self._listener.set_hangover_ms(hangover_ms)
        self._take(self._listener.set_mode(mode))
        self._commits_only = mode is ListenMode.OFF
        self._rest()

    def flush_input(self) -> None:
        """Close the segment being spoken, whatever the mode."""
        self._take(self._listener.flush())

    def interrupt_input(self) -> None:
        """The wire broke: the segment being spoken ends here, and what comes is another stream."""
        self._take(self._listener.interrupt())

    def next_frame(self) -> Samples | None:
        """The next 20 ms to play: float32, (960,), 48 kHz; None in silence."""
        frame = self._speaker.next_frame()
        if self._own_voice is not None:
            self._own_voice.played(frame, self._position_samples)
        return frame

    def arrived(self, until_s: float) -> None:
        """What was played up to then, on the server's clock, has reached the client."""
        self._speaker.arrived(until_s)

    def take_back(self) -> None:
        """What was played and has not reached the client is played again, first of all."""
        self._speaker.take_back()

    def clear(self) -> None:
        """Stop speaking now: all that was said until now stays unspoken, captions stay."""
        self._speaker.clear()

    @property
    def position_samples(self) -> int:
        """Where the next audio to `feed` begins, on the session's audio clock."""
        return self._position_samples

    @property
    def last_delays(self) -> Delays | None:
        """Of the segment heard last."""
        return self._speaker.last_delays

    @property
    def queue_drops(self) -> int:
        """Segments and speech dropped from bounded queues so far."""
        return self._refused + self._speaker.drops

    @property
    def queue_ms(self) -> float:
        """Translated speech that waits to be heard."""
        return self._speaker.queue_ms

    @property
    def queue_depth(self) -> int:
        """Segments that were said and not yet heard to their end."""
        return self._speaker.queue_depth

    async def drained(self) -> None:
        """Wait until everything said so far was heard, dropped or has failed."""
        await self._speaker.drained()

    async def computed(self) -> None:
        """Wait until everything said so far is translated and synthesized, heard or not."""
        await self._translations.join()
        await self._speaker.computed()

    async def run(self) -> None:
        """Translate and speak until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._translate(), name="translate")
                tasks.create_task(self._speaker.run(), name="speak")
        finally:
            self._ast.forget(self._session_id)
            self._tts.forget(self._session_id)

    # ---------------------------------------------------------------- listening

    def _take(self, events: list[ListenerEvent]) -> None:
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
        self._open = OpenSegment(captions, start_samples)
        if self._own_voice is not None:
            self._own_voice.attend(start_samples)

    def _ask_partial(self) -> None:
        """Ask for the text so far, if there is new audio and no question is under way."""
        segment = self._open
        if segment is None or not self._ast.capabilities.partials or segment.answer is not None:
            return
        if self._position_samples - segment.asked_samples < self._partial_samples:
            return
        heard = self._listener.open_segment()
        if heard is None:
            return
        segment.asked_samples = self._position_samples
        if self._is_own_voice(segment.start_samples, self._position_samples):
            return  # until it is time to ask again: judging is work
        direction, end_ms = segment.captions.direction, _ms(self._position_samples)
        request = AstRequest(heard, direction.source, direction.target, partial=True)
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
        segment.guess = Guess(pause, request, answer)
        answer.add_done_callback(lambda done: self._partial_came(segment, done, end_ms))

    def _partial_came(
        self, segment: OpenSegment, done: asyncio.Future[AstResult | None], end_ms: int
    ) -> None:
        if done is segment.answer:
            segment.answer = None
        if done.cancelled() or segment is not self._open:
            return
        if done.exception() is not None:  # the final will say so if it lasts
            return
        result = done.result()
        if result is not None and result.source_text:
            event = segment.captions.partial(result.source_text, end_ms, result.open_chars)
            if event is not None:
                self._emit(event)

    def _end(self, segment: Segment | None, at_samples: int) -> None:
        opened, self._open = self._open, None
        self._rest()
        assert opened is not None, "a segment ended that never began"
        if segment is not None and self._is_own_voice(segment.start_samples, segment.end_samples):
            self._pass_over(opened, segment)
        elif segment is not None:
            self._submit(segment, opened)
        elif opened.captions.shown:  # what looked like words was none
            nothing = AstResult(AstStatus.NOT_UNDERSTOOD)
            self._emit(opened.captions.final(nothing, _ms(at_samples)))

    def _rest(self) -> None:
        """The guard may rest between segments, unless a commit can be of what was said before."""
        if self._own_voice is None:
            return
        if self._commits_only:
            self._own_voice.attend(0)
        elif self._open is None:
            self._own_voice.rest()

    def _is_own_voice(self, start_samples: int, end_samples: int) -> bool:
        guard = self._own_voice
        return guard is not None and guard.judge(start_samples, end_samples).is_own_voice

    def _pass_over(self, opened: OpenSegment, segment: Segment) -> None:
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

    def _submit(self, segment: Segment, opened: OpenSegment) -> None:
        now, captions = self._clock(), opened.captions
        behind_s = (self._position_samples - segment.speech_end_samples) / SPEECH_RATE
        end_ms = _ms(segment.speech_end_samples)
        try:
            if self._translations.full():
                self._refused += 1
                self._metrics.queue_drops.labels("translations").inc()
                raise EngineOverloaded("Translation cannot keep up; this sentence was skipped.")
            answer = self._ask(segment, opened)
        except EngineError as error:
            opened.drop_questions()
            self._speaker.fail(captions, end_ms, error)
            return
        delays = Delays(now - max(behind_s, 0.0), now)
        utterance = Utterance(captions, end_ms, delays, self._speaker.generation, answer)
        self._speaker.expect(utterance)
        self._translations.put_nowait(utterance)

    def _ask(self, segment: Segment, opened: OpenSegment) -> asyncio.Future[AstResult]:
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
                with self._patience.waiting(utterance.delays.speech_end_s) as came:
                    result = await utterance.answer
                    came()
                utterance.delays.translated_s = self._clock()
                utterance.result = result
                self._publish(utterance, result)
                if result.status is AstStatus.OK and result.target_text:
                    await self._speaker.put(utterance)
                else:
                    self._speaker.settle(utterance.captions.segment_id)
            except EngineError as error:
                self._speaker.fail(utterance.captions, utterance.end_ms, error)
            finally:
                self._translations.task_done()

    def _publish(self, utterance: Utterance, result: AstResult) -> None:
        event = utterance.captions.final(result, utterance.end_ms)
        self._metrics.segments.labels(event.status.value).inc()
        self._emit(event)
        elapsed_ms = elapsed_steps(utterance.end_ms)
        if result.status is AstStatus.OK:
            delta = self._source_transcript.delta(result.source_text)
            self._emit(InputTranscriptDelta(delta, elapsed_ms))
            delta = self._target_transcript.delta(result.target_text)
            self._emit(OutputTranscriptDelta(delta, elapsed_ms))


def _ms(samples: int) -> int:
    return round(samples_to_ms(samples, SPEECH_RATE))

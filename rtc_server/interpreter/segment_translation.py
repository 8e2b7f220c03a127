"""Translation of a stream, segment by segment: events of the audio input in; requests to the engine
and closed segments out.
"""

from collections.abc import Callable

from rtc_server.clock import Clock
from rtc_server.engines.base import AstResult, AstStatus, Texts
from rtc_server.errors import EngineError
from rtc_server.events.server import ServerEvent, VadEvent
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.captions import Direction, SegmentCaptions
from rtc_server.interpreter.conclusion import Conclusions, answered
from rtc_server.interpreter.echo import OwnVoiceNotice
from rtc_server.interpreter.modes import Preset
from rtc_server.interpreter.open_segment import OpenSegment
from rtc_server.interpreter.passes import Passes
from rtc_server.interpreter.ports import AstPort
from rtc_server.interpreter.publisher import Publisher
from rtc_server.interpreter.segment_spans import SegmentSpans
from rtc_server.interpreter.segments import (
    ClosedSegment,
    HangoverPassed,
    SegmenterEvent,
    SpeechPaused,
    SpeechStarted,
)
from rtc_server.interpreter.simultaneous import PassPacing, SimultaneousText
from rtc_server.interpreter.simultaneous_translation import SimultaneousTranslation
from rtc_server.interpreter.unfinished import extend_unfinished
from rtc_server.metrics import Metrics
from rtc_server.pcm import SPEECH_RATE, speech_ms


class SegmentTranslation:
    """Translator of one stream's segments; an `AudioObserver`. It opens a segment when speech
    begins, requests passes while it is open, and gives it to `Conclusions` when it has ended.
    """

    def __init__(
        self,
        *,
        session_id: str,
        direction: Direction,
        ast: AstPort,
        audio: AudioInput,
        publisher: Publisher,
        conclusions: Conclusions,
        emit: Callable[[ServerEvent], None],
        partial_interval_ms: int,
        metrics: Metrics,
        clock: Clock,
        spans: SegmentSpans,
    ) -> None:
        """`partial_interval_ms`: audio between two passes over a segment that is translated as a
        whole. In the simultaneous modes `PassPacing` decides."""
        self.direction = direction
        """Direction of segments that begin from now on."""
        self._ast, self._audio, self._conclusions = ast, audio, conclusions
        self._emit, self._metrics, self._spans = emit, metrics, spans
        self._partial_interval_ms = partial_interval_ms
        self._own_voice_notice = OwnVoiceNotice(emit, clock)
        self._passes = Passes(ast, session_id, clock, self._take_pass, self._note_pass, spans=spans)
        self._simultaneous = SimultaneousTranslation(
            audio, self._passes, publisher, conclusions, metrics=metrics, go_on=self._go_on
        )
        self._preset: Preset | None = None
        self._pacing: PassPacing | None = None
        self._segments = 0
        self._open: OpenSegment | None = None

    def set_preset(self, preset: Preset | None, pacing: PassPacing | None) -> None:
        """Set how segments that begin from now on are translated; None: as a whole, when they are
        over. `pacing` decides when passes are requested.
        """
        self._preset, self._pacing = preset, pacing

    def say(self, source_text: str, target_text: str) -> None:
        """Add a phrase whose translation is known, as a segment of its own. Like any segment it
        fails when too many wait.
        """
        end_ms = speech_ms(self._audio.position_samples)
        captions = self._next_captions(self.direction, end_ms)
        self._spans.begin(captions)
        output = self._conclusions.output(captions, end_ms)
        output.answer = answered(AstResult(AstStatus.OK, source_text, target_text))
        try:
            self._conclusions.check_room()
        except EngineError as error:
            self._conclusions.fail(output, error)
        else:
            self._conclusions.add(output)

    def speak(self) -> None:
        """Give clauses of the open segment that have become due to the voice."""
        if self._open is not None and self._open.is_live:
            self._simultaneous.speak(self._open)

    def silence(self, generation: int) -> None:
        """Drop the speech of the open segment so far; it goes on with that generation."""
        if self._open is not None and self._open.is_live:
            output, text = self._open.live()
            output.silence(generation)
            text.silence()

    # ---------------------------------------------------------------- from the audio input

    @property
    def wants_new_segment(self) -> bool:
        """See `AudioObserver.wants_new_segment`: a segment has one direction."""
        return self._open is not None and self._open.captions.direction != self.direction

    def on_speech(self, event: SegmenterEvent) -> None:
        """See `AudioObserver.on_speech`."""
        if isinstance(event, SpeechStarted):
            self._emit(VadEvent("speech", speech_ms(event.start_samples)))
            self._begin(event.start_samples)
        elif isinstance(event, SpeechPaused):
            self._speculate(event.segment)
        elif isinstance(event, HangoverPassed):
            self._outlast()
        else:
            self._emit(VadEvent("silence", speech_ms(event.at_samples)))
            self._end(event.segment, event.at_samples)

    def on_audio(self) -> None:
        """Request a pass over the open segment, if one is due and none is under way."""
        opened = self._open
        if opened is None or not self._ast.capabilities.partials or opened.answer is not None:
            return
        if opened.is_live and self._conclusions.pending:
            return
        if not self._is_due(opened):
            return
        samples = self._audio.open_segment(opened.start_samples)
        if samples is None or not samples.size:
            return
        if self._audio.is_own_voice(opened.start_samples):
            # Judging takes time: wait for the next interval before judging again.
            opened.asked_samples = self._audio.position_samples
            return
        self._passes.submit_partial(opened, samples, self._audio.position_samples)

    def _is_due(self, opened: OpenSegment) -> bool:
        now_ms = speech_ms(self._audio.position_samples)
        asked_ms = speech_ms(opened.asked_samples)
        if opened.is_live and self._pacing is not None:
            return self._pacing.is_due(now_ms, asked_ms)
        return now_ms - asked_ms >= self._partial_interval_ms

    # ---------------------------------------------------------------- the open segment

    def _begin(self, start_samples: int, text: SimultaneousText | None = None) -> None:
        """Open a segment. `text`: its text so far, if it continues another one after a cut."""
        before, self._open = self._open, None
        direction = before.captions.direction if before and text else self.direction
        captions = self._next_captions(direction, speech_ms(start_samples))
        opened = self._open = OpenSegment(captions, start_samples)
        ago = self._audio.position_samples - start_samples
        self._spans.begin(captions, max(ago, 0) / SPEECH_RATE)
        if text is None and self._preset is not None:
            engine = self._ast.capabilities
            text = SimultaneousText(self._preset, engine, direction.target, Texts())
        if text is not None:
            opened.output = self._conclusions.output(captions, captions.start_ms, text)

    def number_from(self, segments: int) -> None:
        """Number the next segments after `segments` others, which another process translated."""
        self._segments = segments

    def _next_captions(self, direction: Direction, start_ms: int) -> SegmentCaptions:
        self._segments += 1
        return SegmentCaptions(f"seg_{self._segments}", direction, start_ms)

    def _go_on(self, opened: OpenSegment, at_samples: int, text: SimultaneousText) -> None:
        """See `GoOn`."""
        opened.close()
        self._audio.release(at_samples)
        self._begin(at_samples, text)
        assert self._open is not None
        self._open.asked_samples = opened.asked_samples

    def _speculate(self, pause: ClosedSegment) -> None:
        opened = self._open
        assert opened is not None, "a pause in a segment that never began"
        opened.drop_questions()
        opened.is_pause_long = False
        if not pause.is_own_voice:
            self._passes.speculate(opened, pause, self._audio.position_samples)
            extend_unfinished(opened, self._audio, punctuates=self._ast.capabilities.punctuates)

    def _outlast(self) -> None:
        """Commit the text before a pause that is longer than the hangover, without ending the
        segment. Not for an engine that punctuates: its text showed that the sentence goes on."""
        opened = self._open
        assert opened is not None, "a pause in a segment that never began"
        if not opened.is_live or self._ast.capabilities.punctuates:
            return
        if opened.speculative is None:  # a cut has ended the stretch before the pause
            self._audio.extend_hangover(0)
        opened.is_pause_long = True
        self.speak()

    def _note_pass(self, took_ms: float) -> None:
        if self._pacing is not None:
            self._pacing.answered(took_ms)

    def _take_pass(
        self,
        opened: OpenSegment,
        result: AstResult,
        start_samples: int,
        end_samples: int,
        *,
        is_pause: bool,
    ) -> None:
        if opened.is_live:
            self._simultaneous.take(opened, result, start_samples, end_samples, is_pause=is_pause)
        elif result.source_text:
            end_ms = speech_ms(end_samples)
            event = opened.captions.partial(result.source_text, end_ms, result.open_chars)
            if event is not None:
                self._emit(event)

    # ---------------------------------------------------------------- the end of a segment

    def _end(self, segment: ClosedSegment | None, at_samples: int) -> None:
        opened, self._open = self._open, None
        assert opened is not None, "a segment ended that never began"
        opened.is_closed = True
        if segment is not None and not segment.is_own_voice:
            self._submit(segment, opened)
            return
        opened.drop_questions()
        if segment is not None:
            self._metrics.segments.labels("own_voice").inc()
            self._own_voice_notice.warn()
        nothing = AstResult(AstStatus.NOT_UNDERSTOOD)
        if opened.output is not None and (opened.captions.shown or opened.has_committed):
            now_samples = self._audio.position_samples
            self._conclusions.close(opened.output, at_samples, now_samples, answered(nothing))
            return
        self._spans.drop(opened.captions.segment_id)
        if opened.captions.shown:  # its caption is corrected: there were no words
            end_samples = at_samples if segment is None else segment.end_samples
            self._emit(opened.captions.final(nothing, speech_ms(end_samples)))

    def _submit(self, segment: ClosedSegment, opened: OpenSegment) -> None:
        end_samples = segment.speech_end_samples
        end_ms = speech_ms(end_samples)
        output = opened.output or self._conclusions.output(opened.captions, end_ms)
        try:
            self._conclusions.check_room()
            answer = self._passes.final(opened, segment)
        except EngineError as error:
            opened.drop_questions()
            output.end_ms = end_ms
            self._conclusions.fail(output, error)
            return
        self._conclusions.close(output, end_samples, self._audio.position_samples, answer)

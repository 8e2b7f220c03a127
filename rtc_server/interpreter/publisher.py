"""Publication of committed text: in captions, in the append-only transcripts, and by the voice."""

from collections.abc import Callable

from rtc_server.clock import Clock
from rtc_server.engines.base import AstResult, AstStatus
from rtc_server.events.segment_events import SegmentEvent
from rtc_server.events.server import (
    InputTranscriptDelta,
    OutputTranscriptDelta,
    ServerEvent,
    elapsed_steps,
)
from rtc_server.interpreter.captions import DeltaTranscript
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.open_segment import OpenSegment
from rtc_server.interpreter.segment_output import Saying, SegmentOutput
from rtc_server.interpreter.segment_spans import SegmentSpans
from rtc_server.interpreter.simultaneous import Clause, News, SimultaneousText
from rtc_server.interpreter.speech_output import SpeechOutput
from rtc_server.metrics import Metrics


class Publisher:
    """Outgoing side of one interpreter: emits captions and transcripts, and feeds the voice."""

    def __init__(
        self,
        speech_output: SpeechOutput,
        emit: Callable[[ServerEvent], None],
        metrics: Metrics,
        clock: Clock,
        spans: SegmentSpans,
    ) -> None:
        self._speech_output, self._emit = speech_output, emit
        self._metrics, self._clock, self._spans = metrics, clock, spans
        self._source_transcript, self._target_transcript = DeltaTranscript(), DeltaTranscript()

    async def whole(self, output: SegmentOutput, result: AstResult) -> None:
        """Publish the translation of a segment that was translated as a whole."""
        event = output.captions.final(result, output.end_ms)
        self._publish(event)
        if result.status is AstStatus.OK:
            self._append(result.source_text, result.target_text, output.end_ms)
        if result.status is AstStatus.OK and result.target_text.strip():
            delays, generation = output.delays, output.generation
            await self._speech_output.put(Saying(output, result.target_text, delays, generation))
        else:
            self._speech_output.forget(output.captions.segment_id)

    def hypothesis(
        self, opened: OpenSegment, result: AstResult, heard_ms: int, offset_ms: int, now_ms: int
    ) -> News:
        """Publish a hypothesis of the open segment; return what it committed.

        Args:
            heard_ms: end of the hypothesis' audio in the segment.
            offset_ms: start of that audio in the segment.
            now_ms: length of the segment so far.
        """
        _, text = opened.live()
        news = text.feed(heard_ms, result, offset_ms)
        self._show(opened, news, heard_ms)
        self.speak(opened, now_ms)
        return news

    def pause(self, opened: OpenSegment, result: AstResult, heard_ms: int, now_ms: int) -> None:
        """Publish the translation of all that was said before a long pause in the open segment.
        `heard_ms`, `now_ms`: see `hypothesis`.
        """
        output, text = opened.live()
        self._show(opened, text.finish(heard_ms, result), heard_ms)
        if clause := text.rest():
            self._offer(output, clause, now_ms)

    def _show(self, opened: OpenSegment, news: News, heard_ms: int) -> None:
        """Publish in caption and transcripts what the first `heard_ms` of the segment brought."""
        output, text = opened.live()
        output.end_ms = opened.captions.start_ms + heard_ms
        self._append(news.source, news.target, output.end_ms)
        event = opened.captions.hypothesis(text.shown, text.fixed, output.end_ms)
        if event is not None:
            self._emit(event)

    def speak(self, opened: OpenSegment, now_ms: int) -> None:
        """Give the clauses of an open segment that are due to the voice. `now_ms`: see
        `hypothesis`.
        """
        output, text = opened.live()
        for clause in text.clauses(self._speech_output.expected_ms):
            self._offer(output, clause, now_ms)

    def _offer(self, output: SegmentOutput, clause: Clause, now_ms: int) -> None:
        self._speech_output.expect(output)
        self._speech_output.offer(self._saying(output, clause, now_ms))

    async def conclude(
        self, output: SegmentOutput, text: SimultaneousText, result: AstResult
    ) -> None:
        """Publish the rest of a segment that was translated while it was spoken."""
        length_ms = output.end_ms - output.captions.start_ms
        news = text.finish(length_ms, result)
        if news.fault is not None:
            self._metrics.mended.labels(news.fault.value).inc()
        committed = text.committed
        if committed.source or committed.target:
            # Source words were committed from incomplete audio, for people who read along. The
            # final caption has the engine's text of the whole audio, and as translation the words
            # that the voice says.
            heard = result.source_text if news.fault is None else ""
            result = AstResult(AstStatus.OK, heard or committed.source, committed.target)
        event = output.captions.final(result, output.end_ms)
        self._publish(event)
        self._append(news.source, news.target, output.end_ms)
        if clause := text.rest():
            behind_ms = (self._clock() - output.delays.speech_end_s) * 1000
            await self._speech_output.put(self._saying(output, clause, length_ms + behind_ms))
        self._speech_output.complete(output)

    def _publish(self, event: SegmentEvent) -> None:
        self._metrics.segments.labels(event.status.value).inc()
        self._spans.note_status(event.segment_id, event.status.value)
        self._emit(event)

    def _append(self, source: str, target: str, end_ms: int) -> None:
        elapsed_ms = elapsed_steps(end_ms)
        if source:
            delta = self._source_transcript.delta(source)
            self._emit(InputTranscriptDelta(delta, elapsed_ms))
        if target:
            delta = self._target_transcript.delta(target)
            self._emit(OutputTranscriptDelta(delta, elapsed_ms))

    def _saying(self, output: SegmentOutput, clause: Clause, now_ms: float) -> Saying:
        now_s = self._clock()
        delays = Delays(
            speech_end_s=now_s - (now_ms - clause.last_ms) / 1000,
            closed_s=now_s,
            speech_start_s=now_s - (now_ms - clause.first_ms) / 1000,
        )
        number, output.sayings = output.sayings, output.sayings + 1
        return Saying(
            output,
            clause.text,
            delays,
            output.generation,
            number=number,
            start_char=clause.start_char,
            begins_sentence=clause.begins_sentence,
            is_last=False,
            is_clause=True,
        )

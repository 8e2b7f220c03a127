"""Translation of a segment while it is spoken: hypotheses in; captions, voice and cuts out."""

from typing import Protocol

from rtc_server.background import result_of
from rtc_server.engines.base import AstResult, AstStatus
from rtc_server.errors import EngineError
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.conclusion import Conclusions, answered
from rtc_server.interpreter.open_segment import OpenSegment, SpeculativeTranslation
from rtc_server.interpreter.passes import Passes
from rtc_server.interpreter.publisher import Publisher
from rtc_server.interpreter.simultaneous import SimultaneousText
from rtc_server.interpreter.watchdog import Fault
from rtc_server.interpreter.window import Cut
from rtc_server.metrics import Metrics
from rtc_server.pcm import SPEECH_RATE, ms_to_samples, speech_ms

FRESH_MS = 1000
"""Limit on how far back a fresh stretch of audio may begin when the engine is lost."""


class GoOn(Protocol):
    """Function that opens the segment which follows an open one without a gap."""

    def __call__(self, opened: OpenSegment, at_samples: int, text: SimultaneousText) -> None:
        """Close `opened` at that position, and open the next segment there with `text`."""


class SimultaneousTranslation:
    """Committer of the open segment: publishes what each hypothesis commits, and cuts the segment
    where all of it is committed or where the engine is lost.

    While an earlier segment waits for its answer, hypotheses are ignored, so that everything stays
    in order.
    """

    def __init__(
        self,
        audio: AudioInput,
        passes: Passes,
        publisher: Publisher,
        conclusions: Conclusions,
        *,
        metrics: Metrics,
        go_on: GoOn,
    ) -> None:
        self._audio, self._passes = audio, passes
        self._publisher, self._conclusions = publisher, conclusions
        self._metrics, self._go_on = metrics, go_on

    def take(
        self,
        opened: OpenSegment,
        result: AstResult,
        start_samples: int,
        end_samples: int,
        *,
        is_pause: bool,
    ) -> None:
        """Take a hypothesis for that stretch of the open segment; see `TakePass`."""
        if self._conclusions.pending or result.status is not AstStatus.OK:
            return
        _, text = opened.live()
        heard_ms = speech_ms(end_samples - opened.start_samples)
        offset_ms = speech_ms(start_samples - opened.start_samples)
        if is_pause:
            text.pause(heard_ms, result)
        now_ms = self._length_ms(opened)
        news = self._publisher.hypothesis(opened, result, heard_ms, offset_ms, now_ms)
        if news.fault is not None and news.is_lost:
            self._begin_afresh(opened, news.fault)
        elif (cut := text.cut(heard_ms)) is not None:
            self._cut(opened, cut)

    def speak(self, opened: OpenSegment) -> None:
        """Give clauses that have become due to the voice; commit the text before a long pause."""
        if self._conclusions.pending:
            return
        _, text = opened.live()
        if opened.is_pause_long and opened.speculative and opened.speculative.has_answer:
            self._commit_pause(opened, opened.speculative)
        elif text.has_waiting:
            self._publisher.speak(opened, self._length_ms(opened))

    def _commit_pause(self, opened: OpenSegment, pause: SpeculativeTranslation) -> None:
        """Commit all that was said before a long pause, though the segment may go on."""
        opened.is_pause_long = False
        result = result_of(pause.answer)
        if result is None or result.status is not AstStatus.OK:
            return
        heard_ms = speech_ms(pause.segment.end_samples - opened.start_samples)
        self._publisher.pause(opened, result, heard_ms, self._length_ms(opened))
        # No pass is needed before the next word.
        opened.asked_samples = self._audio.position_samples

    def _length_ms(self, opened: OpenSegment) -> int:
        return speech_ms(self._audio.position_samples - opened.start_samples)

    def _cut(self, opened: OpenSegment, cut: Cut) -> None:
        """Close the segment where all is committed, and open the next one at exactly that point."""
        start = opened.start_samples
        from_samples = start + ms_to_samples(cut.from_ms, SPEECH_RATE)
        until_samples = start + ms_to_samples(cut.until_ms, SPEECH_RATE)
        at_samples = self._audio.quietest(from_samples, max(from_samples + 1, until_samples))
        output, text = opened.live()
        later = text.split(cut, speech_ms(at_samples - start))
        committed = text.committed
        result = AstResult(AstStatus.OK, committed.source, committed.target)
        self._go_on(opened, at_samples, later)
        now_samples = self._audio.position_samples
        self._conclusions.close(output, at_samples, now_samples, answered(result))

    def _begin_afresh(self, opened: OpenSegment, fault: Fault) -> None:
        """Close the segment, have it translated again as a whole, and open a fresh one: the engine
        is lost, and the audio that follows must not suffer from it.
        """
        self._metrics.mended.labels(fault.value).inc()
        output, text = opened.live()
        end = self._audio.position_samples
        earliest = max(opened.start_samples + 1, end - ms_to_samples(FRESH_MS, SPEECH_RATE))
        at_samples = self._audio.quietest(earliest, end)
        samples = self._audio.open_segment(opened.start_samples)
        if samples is None:
            return
        samples = samples[: at_samples - opened.start_samples]
        self._go_on(opened, at_samples, text.fresh())
        try:
            answer = self._passes.anew(opened, samples)
        except EngineError as error:
            self._conclusions.fail(output, error)
        else:
            self._conclusions.close(output, at_samples, end, answer)

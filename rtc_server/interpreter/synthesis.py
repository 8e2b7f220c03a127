"""Synthesis of one session's texts, at the tempo of the backlog rules, in 48 kHz."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import numpy as np

from rtc_server.audio.pauses import PauseTrimmer
from rtc_server.audio.playout import GAP_MS
from rtc_server.clock import Clock
from rtc_server.engines.base import TtsRequest
from rtc_server.events.server import ServerEvent
from rtc_server.interpreter.backlog import (
    TRIM_FROM_MS,
    Backlog,
    BacklogRules,
    longest_pause_ms,
    trailing_ms,
)
from rtc_server.interpreter.modes import CONSECUTIVE_BACKLOG
from rtc_server.interpreter.ports import TtsPort
from rtc_server.interpreter.segment_output import Saying
from rtc_server.interpreter.segment_spans import SegmentSpans, failing
from rtc_server.interpreter.slow_engine import SlowEngineNotice
from rtc_server.pcm import PLAYOUT_RATE, Samples, samples_to_ms
from rtc_server.resample import Resampler
from rtc_server.tracing import Attribute


class Synthesis:
    """Source of one session's speech, text by text."""

    def __init__(
        self,
        session_id: str,
        tts: TtsPort,
        emit: Callable[[ServerEvent], None],
        clock: Clock,
        spans: SegmentSpans,
    ) -> None:
        self._session_id, self._tts, self._clock, self._spans = session_id, tts, clock, spans
        self.backlog = Backlog(CONSECUTIVE_BACKLOG)
        """Tempo of the voice."""
        late = "The voice is late. It comes when it is ready."
        self._slow_notice = SlowEngineNotice(late, emit, clock)

    def catch_up_by(self, rules: BacklogRules) -> None:
        """Change how tempo and pauses keep the voice near the speaker."""
        self.backlog.rules = rules

    async def chunks(
        self, saying: Saying, queue_ms: float, is_cleared: Callable[[], bool]
    ) -> AsyncGenerator[Samples, None]:
        """Yield the speech of a text as it is made: float32, 48 kHz, shape (n,), n >= 0.

        Sets the tempo and the times of `saying`.

        Args:
            queue_ms: speech that waits to be played before it.
            is_cleared: callback; once it returns True, the generator ends soon.

        Raises:
            EngineError: the engine failed, perhaps after some chunks.
        """
        saying.tempo = saying.output.tempo = self.backlog.tempo(
            queue_ms,
            begins_sentence=saying.begins_sentence,
            said_s=saying.delays.speech_start_s,
        )
        asked_s = saying.delays.asked_s = self._clock()
        direction = saying.output.captions.direction
        span = self._spans.speak(saying.output.captions.segment_id, saying.text)
        request = TtsRequest(
            saying.text, direction.target, direction.voice, rate=saying.tempo, trace=span.context
        )
        resampler = Resampler(self._tts.capabilities.sample_rate, PLAYOUT_RATE)
        trimmer = None
        if saying.is_clause or queue_ms > TRIM_FROM_MS:
            trimmer = PauseTrimmer(longest_pause_ms(queue_ms))
        with self._slow_notice.waiting(asked_s) as came, failing(span):
            speech = self._tts.synthesize(request, session_id=self._session_id)
            async with aclosing(speech):
                if is_cleared():
                    return
                async for chunk in speech:
                    if is_cleared():
                        return
                    if saying.delays.synthesized_s is None:
                        saying.delays.synthesized_s = self._clock()
                        came()
                        span.note(Attribute.FIRST_SAMPLE_MS, round(saying.delays.tts_ms or 0))
                    samples = resampler.push(chunk)
                    yield self._counted(trimmer.push(samples) if trimmer else samples)
        span.end()
        if not is_cleared():
            samples = resampler.flush()
            if trimmer:
                samples = np.concatenate([trimmer.push(samples), _end(saying, trimmer, queue_ms)])
            yield self._counted(samples)

    def _counted(self, samples: Samples) -> Samples:
        if len(samples):
            self.backlog.spoke(samples_to_ms(len(samples), PLAYOUT_RATE))
        return samples


def _end(saying: Saying, trimmer: PauseTrimmer, queue_ms: float) -> Samples:
    """Return the end of a text's speech; set the pause that follows it in `saying`."""
    stays_ms = trailing_ms(queue_ms, has_mark=saying.has_mark, has_gap=saying.has_gap)
    if not saying.has_gap:
        # If this turns out to be the segment's last text, its pause must be as long as any other.
        usual_ms = trailing_ms(queue_ms, has_mark=saying.has_mark, has_gap=True)
        quiet_ms = trimmer.quiet_ms
        saying.pause_ms = GAP_MS + min(usual_ms, quiet_ms) - min(stays_ms, quiet_ms)
    return trimmer.flush(stays_ms)

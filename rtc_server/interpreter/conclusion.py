"""Conclusion of segments: their answers, awaited in the order of speaking."""

import asyncio
from collections.abc import Callable

from rtc_server.clock import Clock
from rtc_server.engines.base import AstResult, AstStatus
from rtc_server.errors import EngineError, EngineOverloaded
from rtc_server.events.server import ServerEvent
from rtc_server.interpreter.captions import SegmentCaptions
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.failures import translation_failure
from rtc_server.interpreter.publisher import Publisher
from rtc_server.interpreter.segment_output import SegmentOutput
from rtc_server.interpreter.simultaneous import SimultaneousText
from rtc_server.interpreter.slow_engine import SlowEngineNotice
from rtc_server.interpreter.speech_output import SpeechOutput
from rtc_server.metrics import Metrics
from rtc_server.pcm import SPEECH_RATE, speech_ms

TRANSLATIONS = 8
"""Closed segments of one session that may wait for their translation."""


class Conclusions:
    """Queue of closed segments, whose answers are awaited one after the other."""

    def __init__(
        self,
        speech_output: SpeechOutput,
        publisher: Publisher,
        emit: Callable[[ServerEvent], None],
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self.refused = 0
        """Segments for which there was no room."""
        self._speech_output, self._publisher = speech_output, publisher
        self._metrics, self._clock = metrics, clock
        late = "The translation is late. It comes when it is ready."
        self._slow_notice = SlowEngineNotice(late, emit, clock)
        self._translations: asyncio.Queue[SegmentOutput] = asyncio.Queue(TRANSLATIONS)
        self._pending = 0

    @property
    def pending(self) -> bool:
        """True while a closed segment is not yet in the captions and given to the voice."""
        return self._pending > 0

    def check_room(self) -> None:
        """Raise `EngineOverloaded` when too many segments wait."""
        if self._translations.full():
            self.refused += 1
            self._metrics.queue_drops.labels("translations").inc()
            raise EngineOverloaded("Too much waits to be spoken; this sentence was skipped.")

    def output(
        self, captions: SegmentCaptions, end_ms: int, text: SimultaneousText | None = None
    ) -> SegmentOutput:
        """Return the output of a new segment. A later `SpeechOutput.clear` drops its speech.

        Args:
            end_ms: end of the segment, as far as it is known.
            text: text of a segment that is translated while it is spoken; None for others.
        """
        now_s = self._clock()
        delays = Delays(now_s, now_s, now_s)
        return SegmentOutput(captions, end_ms, delays, self._speech_output.generation, text=text)

    def close(
        self,
        output: SegmentOutput,
        end_samples: int,
        now_samples: int,
        answer: asyncio.Future[AstResult],
    ) -> None:
        """Add a closed segment.

        Args:
            end_samples: end of its speech, on the audio clock.
            now_samples: position of the audio now, when its end is known.
            answer: future of its translation.
        """
        now_s = self._clock()
        behind_s = max((now_samples - end_samples) / SPEECH_RATE, 0.0)
        start_s = now_s - (speech_ms(now_samples) - output.captions.start_ms) / 1000
        output.end_ms = speech_ms(end_samples)
        output.delays = Delays(now_s - behind_s, now_s, start_s)
        output.answer = answer
        self.add(output)

    def add(self, output: SegmentOutput) -> None:
        """Add a closed segment whose `answer` and times are set."""
        self._speech_output.expect(output)
        self._pending += 1
        self._translations.put_nowait(output)

    async def join(self) -> None:
        """Wait until all answers have come."""
        await self._translations.join()

    async def run(self) -> None:
        """Wait for answers until cancelled."""
        while True:
            output = await self._translations.get()
            try:
                await self._conclude(output)
            except EngineError as error:
                self.fail(output, error)
            finally:
                self._pending -= 1
                self._translations.task_done()

    async def _conclude(self, output: SegmentOutput) -> None:
        assert output.answer is not None
        # Counts from the close, not from the last word, which can be seconds ago after a cut.
        with self._slow_notice.waiting(output.delays.closed_s) as came:
            result = await output.answer
            came()
        output.delays.translated_s = self._clock()
        output.result = result
        if output.text is None:
            await self._publisher.whole(output, result)
        else:
            await self._publisher.conclude(output, output.text, result)

    def fail(self, output: SegmentOutput, error: EngineError) -> None:
        """Report that a segment failed; its committed text stays."""
        result = output.result
        if result is None and output.text is not None:
            committed = output.text.committed
            result = AstResult(AstStatus.OK, committed.source, committed.target)
        message = translation_failure(error)
        self._speech_output.fail(output.captions, output.end_ms, error, message, result)
        if output.text is not None:
            self._speech_output.complete(output)


def answered(result: AstResult) -> asyncio.Future[AstResult]:
    """Return a future that is done, with that result."""
    future: asyncio.Future[AstResult] = asyncio.get_running_loop().create_future()
    future.set_result(result)
    return future

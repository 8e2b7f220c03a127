"""Conclusion of segments: answers are awaited in the order in which things were said."""

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
from rtc_server.interpreter.simultaneous import SimultaneousText
from rtc_server.interpreter.slow_engine import SlowEngineNotice
from rtc_server.interpreter.speech_output import SpeechOutput
from rtc_server.interpreter.utterance import Utterance
from rtc_server.metrics import Metrics
from rtc_server.pcm import SPEECH_RATE, speech_ms

TRANSLATIONS = 8
"""Segments of one session that may be under translation."""


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
        self._translations: asyncio.Queue[Utterance] = asyncio.Queue(TRANSLATIONS)
        self._pending = 0

    @property
    def pending(self) -> bool:
        """True while the end of a segment is not yet in the captions and with the voice."""
        return self._pending > 0

    def check_room(self) -> None:
        """Raise `EngineOverloaded` when too many segments wait."""
        if self._translations.full():
            self.refused += 1
            self._metrics.queue_drops.labels("translations").inc()
            raise EngineOverloaded("Too much waits to be spoken; this sentence was skipped.")

    def utterance(
        self, captions: SegmentCaptions, end_ms: int, text: SimultaneousText | None = None
    ) -> Utterance:
        """Return the record of a segment, whose speech a later `SpeechOutput.clear` silences.

        Args:
            end_ms: its end, as far as that is known.
            text: what is committed of it, if it is translated while it goes on.
        """
        now_s = self._clock()
        delays = Delays(now_s, now_s, now_s)
        return Utterance(captions, end_ms, delays, self._speech_output.generation, text=text)

    def close(
        self,
        utterance: Utterance,
        end_samples: int,
        now_samples: int,
        answer: asyncio.Future[AstResult],
    ) -> None:
        """Add a segment that ended there and whose end is known now, on the audio clock; `answer`
        brings what is not yet known of it.
        """
        now_s = self._clock()
        behind_s = max((now_samples - end_samples) / SPEECH_RATE, 0.0)
        start_s = now_s - (speech_ms(now_samples) - utterance.captions.start_ms) / 1000
        utterance.end_ms = speech_ms(end_samples)
        utterance.delays = Delays(now_s - behind_s, now_s, start_s)
        utterance.answer = answer
        self.add(utterance)

    def add(self, utterance: Utterance) -> None:
        """Add a segment that is over; its answer brings what is not yet known of it."""
        self._speech_output.expect(utterance)
        self._pending += 1
        self._translations.put_nowait(utterance)

    async def join(self) -> None:
        """Wait until all answers have come."""
        await self._translations.join()

    async def run(self) -> None:
        """Wait for answers until cancelled."""
        while True:
            utterance = await self._translations.get()
            try:
                await self._conclude(utterance)
            except EngineError as error:
                self.fail(utterance, error)
            finally:
                self._pending -= 1
                self._translations.task_done()

    async def _conclude(self, utterance: Utterance) -> None:
        assert utterance.answer is not None
        # Not since its last word: of a stretch that is cut by its length that is seconds ago.
        with self._slow_notice.waiting(utterance.delays.closed_s) as came:
            result = await utterance.answer
            came()
        utterance.delays.translated_s = self._clock()
        utterance.result = result
        if utterance.text is None:
            await self._publisher.whole(utterance, result)
        else:
            await self._publisher.conclude(utterance, utterance.text, result)

    def fail(self, utterance: Utterance, error: EngineError) -> None:
        """Report that a segment failed; what was committed of it stays."""
        result = utterance.result
        if result is None and utterance.text is not None:
            committed = utterance.text.committed
            result = AstResult(AstStatus.OK, committed.source, committed.target)
        message = translation_failure(error)
        self._speech_output.fail(utterance.captions, utterance.end_ms, error, message, result)
        if utterance.text is not None:
            self._speech_output.complete(utterance)


def answered(result: AstResult) -> asyncio.Future[AstResult]:
    """Return a future that has its result."""
    future: asyncio.Future[AstResult] = asyncio.get_running_loop().create_future()
    future.set_result(result)
    return future

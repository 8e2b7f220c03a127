"""Speech synthesis: texts of all sessions in, one at a time through the engine, chunks out.

Speech goes from the engine's process into each text's own buffer as fast as it is made, so that a
slow reader of one text never delays the others.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from contextlib import aclosing
from typing import cast

from rtc_server.clock import Clock, monotonic
from rtc_server.engines.base import EngineOptions, TtsCapabilities, TtsRequest
from rtc_server.engines.batcher import FairQueue
from rtc_server.engines.blame import Blame
from rtc_server.engines.engine_settings import EngineSettings
from rtc_server.engines.hang import CallLimits
from rtc_server.engines.host import EngineHost
from rtc_server.engines.process import EngineProcess
from rtc_server.engines.service.first_call import speak_numbers, time_calls, warn_if_slow
from rtc_server.engines.service.headroom import Headroom, ServedRequest
from rtc_server.engines.service.pace import ServicePace
from rtc_server.engines.service.waits import Wait, now_s
from rtc_server.errors import (
    EngineCrashed,
    EngineError,
    EngineOverloaded,
    EngineTimeout,
    SessionRefused,
)
from rtc_server.metrics import Metrics
from rtc_server.pcm import Samples

_log = logging.getLogger(__name__)

_COST_CHARS = 10
"""Fixed work of a request, in characters."""
_CHARACTERS_PER_S = 15
"""Characters of a second of speech, roughly; admission counts work in seconds of speech."""
_MOST_SPEECH_S = 120.0
"""Most seconds of speech in the buffer of one text. No segment (15 s) translates to more."""


class Speech:
    """Speech of one text, as it is made. Iterate once; `aclose` early to stop the synthesis."""

    def __init__(self, request: TtsRequest, session_id: str) -> None:
        self.request = request
        """Request to speak."""
        self.session_id = session_id
        """Session that it belongs to."""
        self.wait: Wait | None = None
        """Limit on the wait for its turn."""
        self._chunks: deque[Samples] = deque()
        self._buffered_samples = 0
        self._over = False
        self._error: EngineError | None = None
        self._news = asyncio.Event()

    def __aiter__(self) -> "Speech":
        return self

    async def __anext__(self) -> Samples:
        """Return the next chunk: mono float32 at the engine's rate, shape (n,), n >= 1.

        Raises:
            EngineCrashed, EngineTimeout, EngineError: after the chunks made before the failure.
        """
        while not self._chunks:
            if self._over:
                error, self._error = self._error, None
                raise error or StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        chunk = self._chunks.popleft()
        self._buffered_samples -= chunk.size
        return chunk

    @property
    def cost(self) -> float:
        """Amount of work: characters, and the fixed work."""
        return _COST_CHARS + len(self.request.text)

    @property
    def waited_s(self) -> float:
        """Time it has been waiting."""
        return self.wait.lasted_s if self.wait is not None else 0.0

    async def aclose(self) -> None:
        """Drop the buffered chunks and stop the synthesis."""
        self.abandon()

    def done(self) -> bool:
        """Return True once the speech is complete, failed or abandoned."""
        return self._over

    def put(self, chunk: Samples) -> int:
        """Add a chunk; return the number of buffered samples."""
        if not self._over:
            self._chunks.append(chunk)
            self._buffered_samples += chunk.size
            self._news.set()
        return self._buffered_samples

    def finish(self, error: EngineError | None = None) -> None:
        """End the speech; after the buffered chunks the reader gets `error`, if any."""
        if not self._over:
            self._over = True
            self._error = error
            self._news.set()
        if self.wait is not None:
            self.wait.end()

    def abandon(self) -> None:
        """End the speech at once, for its reader too, without an error."""
        self.finish()
        self._error = None
        self._chunks.clear()
        self._buffered_samples = 0


class TtsService:
    """Synthesis engine, shared by all sessions."""

    capabilities: TtsCapabilities
    """Capabilities of the engine; set after `start`."""

    def __init__(
        self,
        name: str,
        options: EngineOptions,
        settings: EngineSettings,
        metrics: Metrics,
        clock: Clock = monotonic,
    ) -> None:
        self._name = name
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._queue = FairQueue[Speech](settings.tts_queue)
        self._blame = Blame()
        self._pace = ServicePace(settings.engine_wait_s)
        self._headroom = Headroom(settings.engine_answer_s)
        self._host = EngineHost(
            kind="tts",
            name=name,
            options=options,
            start_s=settings.engine_start_s,
            memory_mb=settings.engine_memory_mb,
            metrics=metrics,
            serve=self._serve_next,
        )

    @property
    def ready(self) -> bool:
        """False before `start` and while the engine's process is being replaced."""
        return self._host.ready

    @property
    def retry_after_s(self) -> int:
        """Whole seconds until another session can be carried; 0 for at once."""
        waits_s = [speech.waited_s for speech in self._queue.oldest()]
        oldest_s = max([self._pace.late_s(now_s()), *waits_s])
        return self._headroom.retry_after_s(len(self._queue), oldest_s, now_s())

    async def start(self) -> None:
        """Load the engine and warm it up.

        Raises:
            EngineUnavailable: it cannot be used here; the text says why.
        """
        self.capabilities = await self._host.start(TtsCapabilities, self._try_out)
        warn_if_slow(self._name, self._headroom)

    def synthesize(self, request: TtsRequest, *, session_id: str) -> Speech:
        """Queue a text at once. Its chunks come from the returned iterator, which may be closed
        early; one that was closed before its turn costs nothing.

        Raises:
            EngineOverloaded: the queue is full, and no session has more waiting than this one.
            EngineError: the engine has no such language or voice.
        """
        self._check(request)
        if refused_s := self._blame.refused_s(session_id, now_s()):
            raise SessionRefused.voice(refused_s)
        speech = Speech(request, session_id)
        gone = self._queue.add(speech)
        if gone is not None:
            self._metrics.queue_drops.labels(queue="tts").inc()
            overloaded = EngineOverloaded("The voice cannot keep up; this sentence was not spoken.")
            if gone is speech:
                raise overloaded
            gone.finish(overloaded)
        speech.wait = Wait(self._settings, self._is_late, lambda: self._expire(speech))
        self._host.wake()
        return speech

    def expect(self, session_id: str) -> None:
        """Count the future load of a session that was just admitted."""
        self._headroom.expect(session_id, now_s())

    def forget(self, session_id: str) -> None:
        """Drop the waiting texts of a session that is over."""
        _abandon(self._queue.forget(session_id))
        self._blame.forget(session_id)
        self._headroom.forget(session_id)

    async def close(self) -> None:
        """Drop everything and end the engine's process. Idempotent."""
        _abandon(self._queue.clear())
        await self._host.close()

    async def _try_out(self, process: EngineProcess) -> None:
        limits = self._limits(cast(TtsCapabilities, process.capabilities))
        await time_calls(
            self._headroom, lambda _number: speak_numbers(process, limits), self._clock
        )

    def _check(self, request: TtsRequest) -> None:
        voices = self.capabilities.voices.get(request.language)
        if voices is None:
            raise EngineError(f"Engine {self._name} does not speak {request.language}.")
        if request.voice is not None and request.voice not in voices:
            raise EngineError(
                f"Engine {self._name} has these voices for {request.language}: {', '.join(voices)}."
            )

    def _expire(self, speech: Speech) -> None:
        if self._queue.remove(speech):
            self._metrics.queue_drops.labels(queue="tts").inc()
            speech.finish(
                EngineTimeout(
                    f"Engine {self._name} did not get to this text within {speech.waited_s:.1f} s."
                )
            )

    async def _serve_next(self, process: EngineProcess) -> bool:
        turn = self._queue.take(1, now_s())
        if not turn:
            return False
        [speech] = turn
        waited_s = speech.waited_s
        if speech.wait is not None:
            speech.wait.end()
        self._metrics.engine_batch_size.labels(kind="tts").observe(1)
        started, limits, completed = self._clock(), self._limits(self.capabilities), False
        self._pace.begin(limits, now_s())
        try:
            await self._speak(process, speech, limits)
        except EngineError as exc:
            _log.warning("A text failed: %s", exc.detail or exc)
            speech.finish(exc)
            if isinstance(exc, EngineCrashed | EngineTimeout):
                self._blame.crashed([speech.session_id], now_s())
        except asyncio.CancelledError:
            speech.abandon()
            raise
        else:
            completed = not speech.done()  # else it was interrupted
            speech.finish()
        finally:
            self._pace.end(now_s())
            took_s = self._clock() - started
            speech_s = len(speech.request.text) / _CHARACTERS_PER_S
            served = ServedRequest(speech.session_id, waited_s, speech_s)
            self._headroom.add([served], took_s, 1, now_s(), completed=completed)
        self._metrics.engine_seconds.labels(kind="tts").observe(took_s)
        return True

    def _is_late(self) -> bool:
        return self._pace.is_slow(now_s()) or not self._host.ready

    def _limits(self, capabilities: TtsCapabilities) -> CallLimits:
        deadline_s = self._settings.tts_deadline_s or capabilities.deadline_s
        return CallLimits(deadline_s, deadline_s, self._settings.engine_patience_s)

    async def _speak(self, process: EngineProcess, speech: Speech, limits: CallLimits) -> None:
        most_samples = _MOST_SPEECH_S * self.capabilities.sample_rate
        async with aclosing(process.synthesize(speech.request, limits)) as chunks:
            async for chunk in chunks:
                self._pace.begin(limits, now_s())  # each chunk has its own time limit
                if speech.put(chunk) > most_samples:
                    raise EngineError(
                        f"The text makes more than {_MOST_SPEECH_S:g} s of speech. Split it."
                    )
                if speech.done():
                    return


def _abandon(speeches: Iterable[Speech]) -> None:
    for speech in speeches:
        speech.abandon()

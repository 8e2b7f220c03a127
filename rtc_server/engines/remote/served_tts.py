"""Connection of an engine server to a media process that requests speech."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Collection
from functools import partial
from typing import Protocol

from rtc_server.engines.base import TtsRequest
from rtc_server.engines.remote.channel import FrameChannel
from rtc_server.engines.remote.messages import (
    Ask,
    EnginePong,
    ServerHello,
    SpeakText,
    SpokenAll,
    SpokenChunk,
)
from rtc_server.engines.remote.served import CallTimers, ServedConnection
from rtc_server.error_location import location_of
from rtc_server.errors import EngineError, EngineTimeout
from rtc_server.pcm import Samples
from rtc_server.tracing import NO_TRACES, Tracer

_log = logging.getLogger(__name__)


class ServableSpeech(Protocol):
    """Speech of one text, as it is made."""

    def __aiter__(self) -> AsyncIterator[Samples]:
        """Return itself."""

    def __anext__(self) -> Awaitable[Samples]:
        """Return the next chunk."""

    def abandon(self) -> None:
        """Stop the synthesis early. Idempotent."""


class ServableTts(Protocol):
    """Synthesis that is put behind connections; `TtsService` is one."""

    @property
    def ready(self) -> bool:
        """False while the engine is being restarted."""

    @property
    def retry_after_s(self) -> int:
        """Whole seconds until another session can be carried; 0 for at once."""

    def synthesize(self, request: TtsRequest, *, session_id: str) -> ServableSpeech:
        """See `TtsService.synthesize`."""

    def expect(self, session_id: str) -> None:
        """See `TtsService.expect`."""

    def forget(self, session_id: str) -> None:
        """See `TtsService.forget`."""


class TtsConnection(ServedConnection):
    """Calls of one media process to the voice; a task for each text sends its chunks."""

    def __init__(
        self,
        channel: FrameChannel,
        client: str,
        hello: ServerHello,
        service: ServableTts,
        tracer: Tracer = NO_TRACES,
    ) -> None:
        super().__init__(channel, client, hello, tracer)
        self._service = service
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._expiry = CallTimers(self._expire)
        self._sessions: set[str] = set()
        """Sessions that are announced or have made calls, and are not over."""

    @property
    def open_calls(self) -> Collection[int]:
        """Numbers of the open calls."""
        return self._calls

    def _take(self, message: Ask | SpeakText) -> None:
        if not isinstance(message, SpeakText):
            raise EngineError("This connection speaks; it does not translate.")
        self._sessions.add(message.session)
        session = self.session_of(message.session)
        speech = self._service.synthesize(message.request, session_id=session)
        task = asyncio.create_task(self._speak(message.n, speech), name="engine client speech")
        self._calls[message.n] = task
        self._expiry.begin(message.n, message.wait_ms)
        task.add_done_callback(partial(self._done, message.n, speech))

    async def _speak(self, n: int, speech: ServableSpeech) -> None:
        async for chunk in speech:
            self._expiry.end(n)  # it has begun
            self._send(SpokenChunk(n, chunk))
            await self._outbox.room()
        self._end_span(n)
        self._send(SpokenAll(n))

    def _done(self, n: int, speech: ServableSpeech, task: asyncio.Task[None]) -> None:
        # Not in the task: one that is cancelled before its first step runs none of its code,
        # and its text would stay in the queue.
        speech.abandon()
        self._calls.pop(n, None)
        self._expiry.end(n)
        if task.cancelled():
            self._drop_span(n)
            return
        if isinstance(error := task.exception(), EngineError):
            self.fail(n, error)
        elif error is not None:
            # Without the error's text, which may quote what is to be said.
            _log.error("Speaking for a media process: %s", location_of(error))
            self.fail(n, EngineError("The engine server has a bug; this text is not spoken."))

    def _expire(self, n: int) -> None:
        self.fail(n, EngineTimeout("The voice did not get to this text in time."))
        self._cancel(n)

    def _cancel(self, n: int) -> None:
        if (task := self._calls.get(n)) is not None:
            task.cancel()

    def _expect(self, session: str) -> None:
        self._sessions.add(session)
        self._service.expect(self.session_of(session))

    def _forget(self, session: str) -> None:
        self._sessions.discard(session)
        self._service.forget(self.session_of(session))

    def _pong(self, n: int) -> EnginePong:
        return EnginePong(n, self._service.ready, self._service.retry_after_s)

    async def _end(self) -> None:
        tasks = list(self._calls.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for session in list(self._sessions):  # they no longer count for admission
            self._forget(session)

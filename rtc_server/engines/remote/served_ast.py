"""Connection of an engine server to a media process that requests translations."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from rtc_server.engines.base import AstRequest, AstResult
from rtc_server.engines.remote.audio_kept import AudioBudget, AudioUnknown, ReceivedAudio
from rtc_server.engines.remote.channel import FrameChannel
from rtc_server.engines.remote.messages import (
    DROPPED,
    NO_AUDIO,
    Ask,
    AskKind,
    AstAnswer,
    CallFailed,
    EnginePong,
    ServerHello,
    SpeakText,
)
from rtc_server.engines.remote.served import CallTimers, ServedConnection
from rtc_server.errors import EngineError, EngineTimeout
from rtc_server.tracing import NO_TRACES, Tracer


class ServableAst(Protocol):
    """Translation that is put behind connections; `AstService` is one."""

    @property
    def ready(self) -> bool:
        """False while the engine is being restarted."""

    @property
    def retry_after_s(self) -> int:
        """Whole seconds until another session can be carried; 0 for at once."""

    def submit(self, request: AstRequest, *, session_id: str) -> asyncio.Future[AstResult]:
        """See `AstService.submit`."""

    def submit_partial(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        """See `AstService.submit_partial`."""

    def submit_speculative(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        """See `AstService.submit_speculative`."""

    def commit(
        self,
        request: AstRequest,
        speculative: asyncio.Future[AstResult | None],
        *,
        session_id: str,
    ) -> asyncio.Future[AstResult]:
        """See `AstService.commit`."""

    def expect(self, session_id: str) -> None:
        """See `AstService.expect`."""

    def forget(self, session_id: str) -> None:
        """See `AstService.forget`."""


class AstConnection(ServedConnection):
    """Calls of one media process to the translation engine."""

    def __init__(
        self,
        channel: FrameChannel,
        client: str,
        hello: ServerHello,
        service: ServableAst,
        budget: AudioBudget,
        *,
        tracer: Tracer = NO_TRACES,
    ) -> None:
        super().__init__(channel, client, hello, tracer)
        self._service = service
        self._audio = ReceivedAudio(budget)
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._unwanted: set[int] = set()
        """Numbers of calls that were cancelled by their caller: nothing is sent about their end."""
        self._expiry = CallTimers(self._expire)
        self._sessions: set[str] = set()
        """Sessions that are announced or have made calls, and are not over."""

    @property
    def open_calls(self) -> Collection[int]:
        """Numbers of the open calls."""
        return self._calls

    def _take(self, message: Ask | SpeakText) -> None:
        if not isinstance(message, Ask):
            raise EngineError("This connection translates; it does not speak.")
        self._sessions.add(message.session)  # before its audio is kept, so that `_end` frees it
        samples = message.request.samples
        try:
            samples = self._audio.receive(message.session, message.n, message.kept, samples)
        except AudioUnknown:
            self._end_span(message.n)  # not a failure: the call is sent again, whole
            self._send(CallFailed(message.n, NO_AUDIO))
            return
        if not samples.size:
            raise EngineError("A segment without audio cannot be translated.")
        request = replace(message.request, samples=samples)
        future = self._submit(message, request)
        self._calls[message.n] = future
        self._expiry.begin(message.n, message.wait_ms)
        future.add_done_callback(partial(self._done, message.n))

    def _submit(self, message: Ask, request: AstRequest) -> asyncio.Future[Any]:
        session = self.session_of(message.session)
        match message.kind:
            case AskKind.PARTIAL:
                return self._service.submit_partial(request, session_id=session)
            case AskKind.SPECULATIVE:
                return self._service.submit_speculative(request, session_id=session)
            case AskKind.COMMIT if (speculative := self._calls.get(message.of)) is not None:
                return self._service.commit(request, speculative, session_id=session)
        return self._service.submit(request, session_id=session)

    def _done(self, n: int, future: asyncio.Future[Any]) -> None:
        self._calls.pop(n, None)
        self._expiry.end(n)
        if n in self._unwanted:
            self._unwanted.discard(n)
            self._drop_span(n)
            if not future.cancelled():
                future.exception()  # retrieved, so that asyncio logs nothing
        elif future.cancelled():
            self._drop_span(n)
            self._send(CallFailed(n, DROPPED))
        elif isinstance(error := future.exception(), EngineError):
            self.fail(n, error)
        elif error is not None:
            self.fail(n, EngineError("The engine server has a bug; the segment is lost."))
        else:
            if future.result() is None:
                self._drop_span(n)
            self._end_span(n)
            self._send(AstAnswer(n, future.result()))

    def _expire(self, n: int) -> None:
        if n in self._calls:
            self.fail(n, EngineTimeout("The engine did not get to this segment in time."))
            self._cancel(n)

    def _cancel(self, n: int) -> None:
        if (future := self._calls.get(n)) is not None:
            self._unwanted.add(n)
            future.cancel()

    def _expect(self, session: str) -> None:
        self._sessions.add(session)
        self._service.expect(self.session_of(session))

    def _forget(self, session: str) -> None:
        self._sessions.discard(session)
        self._audio.forget(session)
        self._service.forget(self.session_of(session))

    def _pong(self, n: int) -> EnginePong:
        return EnginePong(n, self._service.ready, self._service.retry_after_s)

    async def _end(self) -> None:
        for n in list(self._calls):
            self._cancel(n)
        for session in list(self._sessions):  # they no longer count for admission
            self._forget(session)

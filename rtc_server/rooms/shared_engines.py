"""Engines as one language of a room uses them: shared partials, counted translations, and no
synthesis without listeners.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable

from rtc_server.engines.base import (
    AstCapabilities,
    AstRequest,
    AstResult,
    TtsCapabilities,
    TtsRequest,
)
from rtc_server.interpreter.ports import AstPort, SpeechStream, TtsPort
from rtc_server.metrics import Metrics
from rtc_server.pcm import Samples


class SharedPartials:
    """Shared partials: they have only the source text, so one answer serves all languages of a
    room.
    """

    def __init__(self, ast: AstPort, session_id: str) -> None:
        self._ast, self._session_id = ast, session_id
        self._samples: Samples | None = None
        self._answer: asyncio.Future[AstResult | None] | None = None

    def submit(self, request: AstRequest) -> asyncio.Future[AstResult | None]:
        """Return the answer to a request for a partial. Requests for the same audio share one."""
        if self._answer is None or self._samples is not request.samples:
            self._answer = self._ast.submit_partial(request, session_id=self._session_id)
            self._samples = request.samples
        return _copy(self._answer)

    def forget(self) -> None:
        """Drop the requests that wait: the room has closed."""
        self._ast.forget(self._session_id)


class RoomAst:
    """`AstPort` of one language of a room."""

    def __init__(self, ast: AstPort, partials: SharedPartials, metrics: Metrics) -> None:
        self._ast, self._partials, self._metrics = ast, partials, metrics

    @property
    def capabilities(self) -> AstCapabilities:
        """The engine's."""
        return self._ast.capabilities

    def submit(self, request: AstRequest, *, session_id: str) -> asyncio.Future[AstResult]:
        """See `AstPort.submit`; counted."""
        self._count(request)
        return self._ast.submit(request, session_id=session_id)

    def submit_partial(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        """See `AstPort.submit_partial`; without a translation it is shared (`SharedPartials`)."""
        if request.wants_target:
            return self._ast.submit_partial(request, session_id=session_id)
        return self._partials.submit(request)

    def submit_speculative(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        """See `AstPort.submit_speculative`."""
        return self._ast.submit_speculative(request, session_id=session_id)

    def commit(
        self,
        request: AstRequest,
        speculative: asyncio.Future[AstResult | None],
        *,
        session_id: str,
    ) -> asyncio.Future[AstResult]:
        """See `AstPort.commit`; counted."""
        self._count(request)
        return self._ast.commit(request, speculative, session_id=session_id)

    def expect(self, session_id: str) -> None:
        """See `AstPort.expect`."""
        self._ast.expect(session_id)

    def forget(self, session_id: str) -> None:
        """See `AstPort.forget`."""
        self._ast.forget(session_id)

    def _count(self, request: AstRequest) -> None:
        self._metrics.room_translations.labels(request.target_language).inc()


class RoomTts:
    """`TtsPort` of one language of a room: silent while it has readers only."""

    def __init__(self, tts: TtsPort, is_heard: Callable[[], bool]) -> None:
        self._tts, self._is_heard = tts, is_heard
        self._session_id = ""
        """Id under which the language was announced; empty before that."""

    @property
    def capabilities(self) -> TtsCapabilities:
        """The engine's."""
        return self._tts.capabilities

    def synthesize(self, request: TtsRequest, *, session_id: str) -> SpeechStream:
        """See `TtsPort.synthesize`."""
        if not self._is_heard():
            return _nothing()
        return self._tts.synthesize(request, session_id=session_id)

    def expect(self, session_id: str) -> None:
        """See `TtsPort.expect`; a language without listeners counts only from `announce` on."""
        self._session_id = session_id
        self.announce()

    def announce(self) -> None:
        """Announce the language to the synthesis if it has a listener."""
        if self._session_id and self._is_heard():
            self._tts.expect(self._session_id)

    def forget(self, session_id: str) -> None:
        """See `TtsPort.forget`."""
        self._tts.forget(session_id)


async def _nothing() -> AsyncGenerator[Samples, None]:
    silence: tuple[Samples, ...] = ()
    for chunk in silence:
        yield chunk


def _copy(answer: asyncio.Future[AstResult | None]) -> asyncio.Future[AstResult | None]:
    """Return another future with the same outcome, which can be cancelled by itself."""
    copy: asyncio.Future[AstResult | None] = asyncio.get_running_loop().create_future()

    def settle(done: asyncio.Future[AstResult | None]) -> None:
        if copy.done():
            return
        if done.cancelled():
            copy.cancel()
        elif (error := done.exception()) is not None:
            copy.set_exception(error)
            copy.exception()  # marks it as retrieved: a failed partial is not logged
        else:
            copy.set_result(done.result())

    answer.add_done_callback(settle)
    return copy

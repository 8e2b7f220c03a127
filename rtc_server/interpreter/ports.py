"""Interface of the interpreter to the engines; `rtc_server.engines.service` provides it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Protocol

from rtc_server.engines.base import (
    AstCapabilities,
    AstRequest,
    AstResult,
    TtsCapabilities,
    TtsRequest,
)
from rtc_server.interpreter.release import NO_TAIL, Tail
from rtc_server.interpreter.segments import SegmenterEvent, VadMode
from rtc_server.pcm import Pcm, Samples


class AstPort(Protocol):
    """Speech translation that all sessions share."""

    @property
    def capabilities(self) -> AstCapabilities:
        """Languages and abilities of the engine."""

    def submit(self, request: AstRequest, *, session_id: str) -> asyncio.Future[AstResult]:
        """Translate a closed segment. The future gets a result or an `EngineError`.

        Raises:
            EngineOverloaded: the queue is full; the request was not queued.
        """

    def submit_partial(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        """Request the text of an open segment; None if a newer request made this one stale."""

    def submit_speculative(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        """Translate a segment that may be over, after all closed segments; None if stale."""

    def commit(
        self,
        request: AstRequest,
        speculative: asyncio.Future[AstResult | None],
        *,
        session_id: str,
    ) -> asyncio.Future[AstResult]:
        """Do as `submit`; use the answer to `speculative` if it is there or under way."""

    def expect(self, session_id: str) -> None:
        """Count an admitted session before its first request, so that admission includes it."""

    def forget(self, session_id: str) -> None:
        """Drop all requests of this session that wait."""


class SegmenterPort(Protocol):
    """Segmenter of a stream, such as `SpeechSegmenter`, where the methods are described."""

    def feed(self, pcm: Pcm) -> list[SegmenterEvent]:
        """Take what follows."""

    def open_segment(self, since: int = 0) -> Samples | None:
        """Return the audio of the open segment so far, since a position in it."""

    def release(self, before: int) -> None:
        """Release audio of the open segment before that position: it is not needed any more."""

    def quietest(self, start: int, end: int) -> int:
        """Return the best position for a cut between two positions."""

    def set_longest(self, *, simultaneous: bool) -> None:
        """Change the longest length of a segment to that of a mode."""

    def set_mode(self, mode: VadMode) -> list[SegmenterEvent]:
        """Change the mode."""

    def set_hangover_ms(self, hangover_ms: int) -> None:
        """Change the silence that ends a segment."""

    def extend_hangover(self, hangover_ms: int) -> None:
        """Extend the silence that ends the segment, for the present pause alone."""

    def start_input(self, *, anew: bool = False) -> list[SegmenterEvent]:
        """Begin push-to-talk; with `anew` for a segment of its own."""

    def commit_input(self, tail: Tail = NO_TAIL) -> list[SegmenterEvent]:
        """Release push-to-talk."""

    def finish_input(self) -> list[SegmenterEvent]:
        """End a release: no more of its tail comes."""

    def flush(self) -> list[SegmenterEvent]:
        """End the stream."""

    def interrupt(self) -> list[SegmenterEvent]:
        """Break the stream; another follows."""


class SpeechStream(Protocol):
    """Speech of one text at the engine's sample rate, in chunks as they are made.

    An async generator is one. Iterating raises `EngineError` on failure, perhaps after some chunks.
    """

    def __aiter__(self) -> AsyncIterator[Samples]:
        """Return itself."""

    def __anext__(self) -> Awaitable[Samples]:
        """Return the next chunk: float32, shape (n,), n >= 1."""

    def aclose(self) -> Awaitable[object]:
        """Stop the engine early."""


class TtsPort(Protocol):
    """Speech synthesis that all sessions share."""

    @property
    def capabilities(self) -> TtsCapabilities:
        """Languages and voices of the engine."""

    def synthesize(self, request: TtsRequest, *, session_id: str) -> SpeechStream:
        """Queue a text. Raises `EngineOverloaded` if the queue is full."""

    def expect(self, session_id: str) -> None:
        """See `AstPort.expect`."""

    def forget(self, session_id: str) -> None:
        """Drop all that waits for this session."""

"""What the interpreter needs of the engines; `rtc_server.engines.service` provides it."""

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
from rtc_server.interpreter.listener import ListenerEvent, ListenMode
from rtc_server.interpreter.release import NO_TAIL, Tail
from rtc_server.pcm import Pcm, Samples


class AstPort(Protocol):
    """The speech translation that all sessions share."""

    @property
    def capabilities(self) -> AstCapabilities:
        """What it can translate."""

    def submit(self, request: AstRequest, *, session_id: str) -> asyncio.Future[AstResult]:
        """Translate a closed segment. The future ends in a result or an `EngineError`.

        Raises:
            EngineOverloaded: the queue is full; nothing was taken.
        """

    def submit_partial(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        """Ask for the text so far; None when something newer made the question stale."""

    def submit_early(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        """Translate a segment that may be over, when nothing certain waits; None if stale."""

    def confirm(
        self,
        request: AstRequest,
        early: asyncio.Future[AstResult | None],
        *,
        session_id: str,
    ) -> asyncio.Future[AstResult]:
        """`submit`, with the answer to `submit_early` if that is there or on its way."""

    def forget(self, session_id: str) -> None:
        """Drop all that waits for this session."""


class ListenerPort(Protocol):
    """Ears: what finds the segments of a stream. `Listener` is one; see there."""

    def feed(self, pcm: Pcm) -> list[ListenerEvent]:
        """Hear what follows."""

    def open_segment(self, since: int = 0) -> Samples | None:
        """What was heard so far of the segment being spoken, since a position in it."""

    def release(self, before: int) -> None:
        """Audio of the open segment before that position is not needed any more."""

    def quietest(self, start: int, end: int) -> int:
        """Where a cut between two positions hurts least."""

    def set_longest(self, *, simultaneous: bool) -> None:
        """Change the longest length of a segment to that of a mode."""

    def set_mode(self, mode: ListenMode) -> list[ListenerEvent]:
        """Listen in another way from now on."""

    def set_hangover_ms(self, hangover_ms: int) -> None:
        """Change the silence that ends a segment."""

    def start_input(self, *, anew: bool = False) -> list[ListenerEvent]:
        """Push-to-talk pressed; with `anew` for a segment of its own."""

    def commit_input(self, tail: Tail = NO_TAIL) -> list[ListenerEvent]:
        """Push-to-talk released."""

    def finish_input(self) -> list[ListenerEvent]:
        """No more of a release's tail comes."""

    def flush(self) -> list[ListenerEvent]:
        """The stream ended."""

    def interrupt(self) -> list[ListenerEvent]:
        """The stream breaks off here and another follows."""


class SpeechStream(Protocol):
    """The speech of one text, as it is made, at the engine's rate. An async generator is one.

    Iterating raises EngineError when it failed, perhaps after some chunks.
    """

    def __aiter__(self) -> AsyncIterator[Samples]:
        """Itself."""

    def __anext__(self) -> Awaitable[Samples]:
        """The next chunk: float32, shape (n,), n >= 1."""

    def aclose(self) -> Awaitable[object]:
        """Stop the engine early."""


class TtsPort(Protocol):
    """The speech synthesis that all sessions share."""

    @property
    def capabilities(self) -> TtsCapabilities:
        """What it can speak."""

    def synthesize(self, request: TtsRequest, *, session_id: str) -> SpeechStream:
        """Queue a text. Raises EngineOverloaded: the queue is full; nothing was taken."""

    def forget(self, session_id: str) -> None:
        """Drop all that waits for this session."""

"""One connection of an engine server: reads a media process's calls, sends their answers."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection

from rtc_server.engines.remote.channel import FrameChannel, FrameOutbox
from rtc_server.engines.remote.frames import decode_asking, encode
from rtc_server.engines.remote.messages import (
    DRAINING,
    Ask,
    CallFailed,
    CancelCall,
    EnginePing,
    EnginePong,
    ForgetSession,
    FromServer,
    GoAway,
    ServerHello,
    SpeakText,
)
from rtc_server.engines.remote.patience import Patience
from rtc_server.errors import EngineError, EngineOverloaded
from rtc_server.tracing import NO_SPAN, NO_TRACES, Span, Tracer

SILENT_S = 30.0
"""Time without a whole message after which a media process counts as gone: it pings four times a
second."""
MOST_CALLS = 2048
"""Open calls of one connection; the engine's own queue is shorter."""
MOST_WAITING_BYTES = 16 * 1024 * 1024
"""Bytes of answers and speech that may wait for a media process to read them."""


class ServedConnection(ABC):
    """Connection to one media process; a subclass answers its calls."""

    def __init__(
        self,
        channel: FrameChannel,
        client: str,
        hello: ServerHello,
        tracer: Tracer = NO_TRACES,
    ) -> None:
        """Queue `hello`. `client` is the name that the media process gave itself."""
        self._channel, self._client, self._tracer = channel, client, tracer
        self._spans: dict[int, Span] = {}
        """Spans of open traced calls, by number."""
        self._outbox = FrameOutbox(channel, MOST_WAITING_BYTES)
        self.is_draining = False
        """True once no new calls are taken."""
        self._send(hello)

    @property
    @abstractmethod
    def open_calls(self) -> Collection[int]:
        """Numbers of the open calls."""

    @abstractmethod
    def _take(self, message: Ask | SpeakText) -> None:
        """Begin a call. Raises `EngineError` if it cannot be served."""

    @abstractmethod
    def _cancel(self, n: int) -> None:
        """Cancel a call that nothing waits for any more."""

    @abstractmethod
    def _expect(self, session: str) -> None:
        """Count a session that will make calls."""

    @abstractmethod
    def _forget(self, session: str) -> None:
        """Drop the waiting calls of a session that is over."""

    @abstractmethod
    def _pong(self, n: int) -> EnginePong:
        """Return the answer to a ping, with the state of the engine."""

    @abstractmethod
    async def _end(self) -> None:
        """Cancel every call, because the media process is gone."""

    async def run(self) -> None:
        """Serve until the media process disconnects, or is disconnected.

        Raises:
            EngineError: it was disconnected for what it sent; the text says why.
        """
        ends = [
            asyncio.create_task(self._read(), name="engine client reader"),
            asyncio.create_task(self._outbox.run(), name="engine client writer"),
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            came = await asyncio.gather(*ends, return_exceptions=True)
            await self._end()
            await self._channel.close()
        for error in came:
            if isinstance(error, Exception) and not isinstance(error, EOFError):
                raise error

    def drain(self) -> None:
        """Take no new calls, and notify the media process."""
        if not self.is_draining:
            self.is_draining = True
            self._send(GoAway())

    async def close(self) -> None:
        """Close the connection; `run` ends."""
        await self._channel.close()

    def session_of(self, session: str) -> str:
        """Return a session's id, made unique among all media processes."""
        return f"{self._client}/{session}"

    def _send(self, message: FromServer) -> None:
        # The outbox itself disconnects a media process that does not read.
        with contextlib.suppress(EngineError):
            self._outbox.put(encode(message))

    async def _read(self) -> None:
        patience = Patience(SILENT_S)
        try:
            async with patience.limiting():
                while True:
                    patience.begin()
                    self._handle(await self._channel.receive())
        except TimeoutError:
            raise EngineError(f"It sent no whole message for {SILENT_S:g} s.") from None

    def _handle(self, frame: bytes) -> None:
        match decode_asking(frame):
            case EnginePing(n, newcomer):
                if newcomer:
                    self._expect(newcomer)
                self._send(self._pong(n))
            case CancelCall(n):
                self._cancel(n)
            case ForgetSession(session):
                self._forget(session)
            case Ask() | SpeakText() as message:
                self._begin(message)

    def _begin(self, message: Ask | SpeakText) -> None:
        if message.n in self.open_calls:
            raise EngineError("It used the number of an open call again.")
        if self.is_draining:
            self._send(CallFailed(message.n, DRAINING))
            return
        try:
            if len(self.open_calls) >= MOST_CALLS:
                raise EngineOverloaded("The engine server has too many calls of this process.")
            if message.trace:
                name = "engine translate" if isinstance(message, Ask) else "engine speak"
                self._spans[message.n] = self._tracer.start(name, message.trace)
            self._take(message)
        except EngineError as error:
            self.fail(message.n, error)

    def fail(self, n: int, error: EngineError) -> None:
        """Answer a call with an error."""
        self._end_span(n, error.code)
        self._send(CallFailed(n, error.code, str(error)))

    def _end_span(self, n: int, failure: str = "") -> None:
        """End the span of a call, if it is traced and open."""
        span = self._spans.pop(n, NO_SPAN)
        if failure:
            span.fail(failure)
        span.end()

    def _drop_span(self, n: int) -> None:
        """Drop the span of a cancelled call: its parent is not exported either."""
        self._spans.pop(n, None)


class CallTimers:
    """Timers of calls by number: each expires its call once the caller's wait is over."""

    def __init__(self, expire: Callable[[int], None]) -> None:
        self._expire = expire
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def begin(self, n: int, wait_ms: int) -> None:
        """Start the timer of a call."""
        loop = asyncio.get_running_loop()
        self._timers[n] = loop.call_later(wait_ms / 1000, self._over, n)

    def end(self, n: int) -> None:
        """Stop the timer of a call."""
        if (timer := self._timers.pop(n, None)) is not None:
            timer.cancel()

    def _over(self, n: int) -> None:
        self._timers.pop(n, None)
        self._expire(n)

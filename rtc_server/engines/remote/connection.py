"""One connection to an engine server: open calls by number, and what comes for them."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TypeAlias

from rtc_server.engines.remote.audio_kept import SentAudio
from rtc_server.engines.remote.calls import PooledCall
from rtc_server.engines.remote.channel import FrameChannel, FrameOutbox
from rtc_server.engines.remote.directory import ServerAddress
from rtc_server.engines.remote.frames import decode_answering, encode
from rtc_server.engines.remote.messages import (
    DRAINING,
    DROPPED,
    NO_AUDIO,
    CallFailed,
    CancelCall,
    EnginePing,
    EnginePong,
    ForgetSession,
    FromMedia,
    GoAway,
    ServerHello,
    SpokenChunk,
)
from rtc_server.engines.remote.unusable import Cause, UnusableServer
from rtc_server.errors import EngineCrashed

CONNECT_S = 5.0
"""Time that a connection may take to be made, its hello to come, and a ping to be answered."""
MOST_UNSENT_BYTES = 16 * 1024 * 1024
"""Questions that wait for a server to read them."""


Connect: TypeAlias = Callable[[ServerAddress], Awaitable[FrameChannel]]
"""Makes a channel. Raises `OSError`, or `UnusableServer` with the server's refusal."""


class EngineConnection:
    """Calls that one server has, and its signs of life."""

    def __init__(self, channel: FrameChannel, again: Callable[[PooledCall], None]) -> None:
        """`again` takes a call that this server will not answer but another may."""
        self._channel, self._again = channel, again
        self._outbox = FrameOutbox(channel, MOST_UNSENT_BYTES)
        self._audio = SentAudio()
        self._numbers = count(1)
        self._calls: dict[int, PooledCall] = {}
        self._by_call: dict[PooledCall, int] = {}
        self._waits_ms: dict[int, int] = {}
        self.pong = EnginePong(0)
        """Newest sign of life."""
        self.last_seen_s = asyncio.get_running_loop().time()
        """Time at which anything came."""
        self.is_draining = False
        """True once the server said that it takes no new calls."""

    @property
    def calls(self) -> list[PooledCall]:
        """Calls that are open."""
        return list(self._calls.values())

    async def hello(self) -> ServerHello:
        """Return the server's first message.

        Raises:
            UnusableServer: it said something else.
            TimeoutError: it said nothing in time.
            EngineError: it cannot be read.
            EOFError: the server is gone.
        """
        async with asyncio.timeout(CONNECT_S):
            message = decode_answering(await self._channel.receive())
        if not isinstance(message, ServerHello):
            raise UnusableServer(
                Cause.STRANGER, "is not an engine server: it did not begin with a hello"
            )
        return message

    async def round_trip_s(self) -> float:
        """Return the time from a ping to its answer, which `pong` is then. Before `run` only.

        Raises as `hello`.
        """
        n, began_s = next(self._numbers), asyncio.get_running_loop().time()
        async with asyncio.timeout(CONNECT_S):
            await self._channel.send(encode(EnginePing(n)))
            while self.pong.n != n:
                answer = decode_answering(await self._channel.receive())
                self.pong = answer if isinstance(answer, EnginePong) else self.pong
        return asyncio.get_running_loop().time() - began_s

    async def run(self) -> None:
        """Send and receive until the server is gone.

        Raises:
            EOFError: it is gone.
            EngineError: it sent what cannot be read.
        """
        ends = [
            asyncio.create_task(self._read(), name="engine server reader"),
            asyncio.create_task(self._outbox.run(), name="engine server writer"),
        ]
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            done.pop().result()
        finally:
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def close(self) -> None:
        """End it. `run` ends, too."""
        await self._channel.close()

    def ask(self, call: PooledCall, wait_ms: int) -> None:
        """Send a call, which is this server's from now on.

        Raises:
            EngineCrashed: the server does not read what it is sent; the call is not its own.
        """
        n = next(self._numbers)
        self._calls[n], self._by_call[call], self._waits_ms[n] = call, n, wait_ms
        try:
            self._send(call.message(n, self._audio, wait_ms))
        except EngineCrashed:
            # It was not sent: another server gets it, and the loss of this one must not move it
            # once more. Nor is its audio there to be continued.
            self._remove(n)
            self._audio.forget(call.session_id)
            raise

    def drop(self, call: PooledCall) -> bool:
        """Cancel a call; False when it is not open here."""
        n = self._by_call.get(call)
        if n is None:
            return False
        self._remove(n)
        self._send(CancelCall(n))
        return True

    def forget(self, session_id: str) -> None:
        """Say that a session is over."""
        self._audio.forget(session_id)
        self._send(ForgetSession(session_id))

    def ping(self, newcomer: str = "") -> None:
        """Ask for a sign of life. `newcomer`: session that was admitted, and that its answer is to
        reckon with.
        """
        self._send(EnginePing(next(self._numbers), newcomer))

    def _send(self, message: FromMedia) -> None:
        self._outbox.put(encode(message))

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            frame = await self._channel.receive()
            self.last_seen_s = loop.time()
            match decode_answering(frame):
                case EnginePong() as pong:
                    self.pong = pong
                case GoAway():
                    self.is_draining = True
                case ServerHello():
                    pass  # said once more, it changes nothing
                case SpokenChunk(n) as chunk:
                    if (call := self._calls.get(n)) is not None:
                        call.take(chunk)
                case CallFailed(n, code) as failed if code in (DROPPED, DRAINING, NO_AUDIO):
                    self._not_taken(n, failed)
                case answer:
                    if (call := self._remove(answer.n)) is not None:
                        call.take(answer)

    def _not_taken(self, n: int, failed: CallFailed) -> None:
        wait_ms = self._waits_ms.get(n, 0)
        call = self._remove(n)
        if call is None or call.is_over:
            return
        if failed.code == NO_AUDIO:
            self._audio.forget(call.session_id)
            try:
                self.ask(call, wait_ms)
            except EngineCrashed:
                self._again(call)
        elif failed.code == DROPPED and not call.may_move:
            call.give_up()  # something newer came
        else:
            self._again(call)

    def _remove(self, n: int) -> PooledCall | None:
        call = self._calls.pop(n, None)
        self._waits_ms.pop(n, None)
        if call is not None:
            self._by_call.pop(call, None)
        return call

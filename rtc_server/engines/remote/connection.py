"""One connection to an engine server: its open calls by number, and their answers."""

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
"""Time limit for making a connection, for its hello, and for the answer to a ping, each."""
MOST_UNSENT_BYTES = 16 * 1024 * 1024
"""Bytes of messages that may wait for a server to read them."""


Connect: TypeAlias = Callable[[ServerAddress], Awaitable[FrameChannel]]
"""Function that makes a channel. Raises `OSError`, or `UnusableServer` if the server refuses."""


class EngineConnection:
    """Open calls of one server, and its signs of life."""

    def __init__(self, channel: FrameChannel, again: Callable[[PooledCall], None]) -> None:
        """Hand calls to `again` that this server refused and another may answer."""
        self._channel, self._again = channel, again
        self._outbox = FrameOutbox(channel, MOST_UNSENT_BYTES)
        self._audio = SentAudio()
        self._numbers = count(1)
        self._calls: dict[int, PooledCall] = {}
        self._by_call: dict[PooledCall, int] = {}
        self._waits_ms: dict[int, int] = {}
        self.pong = EnginePong(0)
        """Latest answer to a ping."""
        self.last_seen_s = asyncio.get_running_loop().time()
        """Time of the latest message from the server."""
        self.is_draining = False
        """True once the server said that it takes no new calls."""

    @property
    def calls(self) -> list[PooledCall]:
        """Open calls."""
        return list(self._calls.values())

    async def hello(self) -> ServerHello:
        """Return the server's first message.

        Raises:
            UnusableServer: its first message is another one.
            TimeoutError: no message came in time.
            EngineError: the message cannot be decoded.
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
        """Ping, set `pong` to the answer, and return the time that it took. Only before `run`.

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
            EOFError: the server is gone.
            EngineError: the server sent what cannot be decoded.
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
        """Close the connection; `run` ends, too."""
        await self._channel.close()

    def submit(self, call: PooledCall, wait_ms: int) -> None:
        """Send a call and keep it among the open ones.

        Raises:
            EngineCrashed: the server does not read; the call is not among the open ones.
        """
        n = next(self._numbers)
        self._calls[n], self._by_call[call], self._waits_ms[n] = call, n, wait_ms
        try:
            self._send(call.message(n, self._audio, wait_ms))
        except EngineCrashed:
            # Not sent: another server gets it, so the loss of this connection must not move it
            # again. Nor has this server its audio, which later calls would continue.
            self._remove(n)
            self._audio.forget(call.session_id)
            raise

    def drop(self, call: PooledCall) -> bool:
        """Cancel a call; return False if it is not open here."""
        n = self._by_call.get(call)
        if n is None:
            return False
        self._remove(n)
        self._send(CancelCall(n))
        return True

    def forget(self, session_id: str) -> None:
        """Notify the server that a session is over."""
        self._audio.forget(session_id)
        self._send(ForgetSession(session_id))

    def ping(self, newcomer: str = "") -> None:
        """Send a ping. Its answer counts `newcomer`, a session that was just admitted."""
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
                    pass  # a second hello changes nothing
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
                self.submit(call, wait_ms)
            except EngineCrashed:
                self._again(call)
        elif failed.code == DROPPED and not call.may_move:
            call.give_up()  # replaced by a newer request
        else:
            self._again(call)

    def _remove(self, n: int) -> PooledCall | None:
        call = self._calls.pop(n, None)
        self._waits_ms.pop(n, None)
        if call is not None:
            self._by_call.pop(call, None)
        return call

"""Channel that carries frames, and the bounded queue before it."""

import asyncio
from collections import deque
from typing import Protocol

from rtc_server.engines.remote.patience import Patience
from rtc_server.errors import EngineCrashed

STUCK_S = 10.0
"""Time that the other side may read nothing before the channel counts as lost."""


class FrameChannel(Protocol):
    """Two-way stream of frames, in order: a WebSocket, or two queues in tests."""

    async def send(self, frame: bytes) -> None:
        """Send a frame, waiting while the other side is slow. Raises `EOFError` once it is gone."""

    async def receive(self) -> bytes:
        """Return the next frame.

        Raises:
            EOFError: the other side is gone; the text is its reason, if it gave one.
            EngineError: it sent something other than a frame, or a frame that is too large.
        """

    async def close(self) -> None:
        """Close the channel. Idempotent."""


class FrameOutbox:
    """Frames that wait for a channel, bounded in bytes."""

    def __init__(self, channel: FrameChannel, most_bytes: int) -> None:
        self._channel, self._most_bytes = channel, most_bytes
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._patience = Patience(STUCK_S)
        self._news, self._sent = asyncio.Event(), asyncio.Event()
        self.is_closed = False
        """True once nothing is sent any more."""

    def put(self, frame: bytes) -> None:
        """Queue a frame; drop it once the channel is closed.

        Raises:
            EngineCrashed: the queue is full, for the other side does not read.
        """
        if self.is_closed:
            return
        if self._bytes + len(frame) > self._most_bytes and self._frames:
            raise EngineCrashed("The other side does not read what it is sent.")
        self._frames.append(frame)
        self._bytes += len(frame)
        self._news.set()

    async def room(self) -> None:
        """Wait until half of the queue is free, or the channel is closed."""
        while 2 * self._bytes > self._most_bytes and not self.is_closed:
            self._sent.clear()
            await self._sent.wait()

    async def run(self) -> None:
        """Send what is queued, until cancelled.

        Raises:
            EOFError: the other side is gone, or reads nothing for `STUCK_S`.
        """
        try:
            async with self._patience.limiting():
                await self._send_all()
        except TimeoutError:
            raise EOFError(f"it took nothing for {STUCK_S:g} s") from None
        finally:
            self.is_closed = True
            self._frames.clear()
            self._bytes = 0
            self._sent.set()

    async def _send_all(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._frames:
                frame = self._frames.popleft()
                self._patience.begin()
                await self._channel.send(frame)
                self._patience.end()
                self._bytes -= len(frame)
                self._sent.set()

"""A WebSocket without a network, driven by the test from the client's side."""

import asyncio

from rtc_server.transport.websocket.socket_port import Control


class FakeSocket:
    """Implementation of `Socket`. Pings are answered unless `dead`, sends wait while `stuck`."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[str | bytes | Control] = asyncio.Queue()
        """Messages that the client sent and nobody has read yet."""
        self.sent: list[str | bytes] = []
        self.pings = 0
        self.closed = self.aborted = self.dead = False
        self._flows = asyncio.Event()
        self._flows.set()

    @property
    def stuck(self) -> bool:
        """True while the client does not read."""
        return not self._flows.is_set()

    @stuck.setter
    def stuck(self, stuck: bool) -> None:
        if stuck:
            self._flows.clear()
        else:
            self._flows.set()

    async def receive(self) -> str | bytes | Control:
        return await self.incoming.get()

    async def send(self, message: str | bytes) -> None:
        await self._flows.wait()
        if self.dead:
            return
        self.sent.append(message)

    async def ping(self) -> None:
        self.pings += 1
        if not self.dead:
            self.incoming.put_nowait(Control.ALIVE)

    async def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

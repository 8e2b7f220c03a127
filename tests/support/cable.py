"""TCP that a test can pull out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Cable:
    """TCP between a browser and a server, to pull out and plug in again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ends: set[asyncio.StreamWriter] = set()

    @contextlib.asynccontextmanager
    async def plugged(self) -> AsyncIterator[int]:
        """The port to go to instead."""
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            self.pull()
            await server.wait_closed()

    def pull(self) -> None:
        """Break every connection, without a close."""
        for end in self._ends:
            end.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends |= {writer, forth}
        await asyncio.gather(self._carry(reader, forth), self._carry(back, writer))
        self._ends -= {writer, forth}

    @staticmethod
    async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
        sink.close()

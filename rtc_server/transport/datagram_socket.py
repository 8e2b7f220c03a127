"""One UDP socket of one session, as the transport that aioice expects of an event loop."""

import asyncio
import socket
from typing import Any

from rtc_server.transport.datagram_reader import DatagramReader


class DatagramSocket(asyncio.DatagramTransport):
    """UDP socket that sends at once or not at all; a `DatagramReader` reads it.

    What the kernel's buffer does not take is dropped: media that waited would be late, and ICE,
    DTLS and SCTP send again by themselves.
    """

    def __init__(
        self, sock: socket.socket, protocol: asyncio.DatagramProtocol, reader: DatagramReader
    ) -> None:
        """Take over a bound socket that does not block."""
        super().__init__({"socket": sock, "sockname": sock.getsockname()})
        self._sock, self._protocol, self._reader = sock, protocol, reader
        self._closing = False
        protocol.connection_made(self)
        reader.add(sock, protocol.datagram_received, protocol.error_received)

    def send(self, data: bytes, address: tuple[Any, ...]) -> bool:
        """Send a datagram; False when it cannot go now."""
        if self._closing:
            return False
        try:
            self._sock.sendto(data, address)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self._protocol.error_received(error)
            return False
        return True

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send a datagram: asyncio's name for `send`. The socket has no default address."""
        self.send(data, addr)

    def get_write_buffer_size(self) -> int:
        """Return 0: nothing waits here."""
        return 0

    def is_closing(self) -> bool:
        """Return whether `close` was called."""
        return self._closing

    def close(self) -> None:
        """Close the socket, and then call the protocol's ``connection_lost``. Idempotent."""
        if self._closing:
            return
        self._closing = True
        self._reader.remove(self._sock)
        asyncio.get_running_loop().call_soon(self._closed)

    def abort(self) -> None:
        """Close it; nothing waits to be sent."""
        self.close()

    def _closed(self) -> None:
        try:
            self._protocol.connection_lost(None)
        finally:
            self._sock.close()

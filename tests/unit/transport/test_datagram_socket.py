"""A UDP socket as aioice's transport: sends now or not at all, and ends in order."""

import asyncio
import socket
from typing import Any

from rtc_server.transport.datagram_reader import DatagramReader
from rtc_server.transport.datagram_socket import DatagramSocket


class Protocol(asyncio.DatagramProtocol):
    """Protocol that notes the calls of its transport."""

    def __init__(self) -> None:
        self.got = list[object]()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.got.append(transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self.got.append((data, addr))

    def error_received(self, exc: Exception) -> None:
        self.got.append(type(exc))

    def connection_lost(self, exc: Exception | None) -> None:
        self.got.append("lost")


class FullSocket(socket.socket):
    """A socket whose send buffer is full, until `error` is another error."""

    error: type[OSError] = BlockingIOError

    def sendto(self, *_: Any) -> int:
        raise self.error


def bound(kind: type[socket.socket] = socket.socket) -> socket.socket:
    sock = kind(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(("127.0.0.1", 0))
    return sock


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_datagrams_go_both_ways_until_it_is_closed() -> None:
    reader, near, far = DatagramReader(), Protocol(), Protocol()
    one = DatagramSocket(bound(), near, reader)
    other = DatagramSocket(bound(), far, reader)
    to_near = one.get_extra_info("sockname")
    assert other.send(b"hello", to_near)
    other.sendto(b"again", to_near)
    await settled()
    source = other.get_extra_info("sockname")
    assert near.got == [one, (b"hello", source), (b"again", source)]
    one.close()
    one.abort()  # twice is once
    assert one.is_closing()
    assert not one.send(b"too late", source)
    assert other.send(b"to nobody", to_near)
    await settled()
    assert near.got[3:] == ["lost"]
    assert far.got == [other]
    assert one.get_extra_info("socket").fileno() == -1
    other.close()
    await settled()


async def test_what_the_kernel_does_not_take_is_dropped_and_errors_are_reported() -> None:
    protocol, sock = Protocol(), bound(FullSocket)
    transport = DatagramSocket(sock, protocol, DatagramReader())
    assert not transport.send(b"media", ("127.0.0.1", 9))
    assert transport.get_write_buffer_size() == 0
    assert protocol.got == [transport]
    assert isinstance(sock, FullSocket)
    sock.error = PermissionError
    assert not transport.send(b"media", ("127.0.0.1", 9))
    assert protocol.got == [transport, PermissionError]
    transport.close()
    await settled()

"""WebSocket clients that vanish, hang up or do not read, on loopback."""

import asyncio
import base64
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rtc_server.app.server import RunningServer
from rtc_server.pcm import to_int16
from tests.support.server import freed, server
from tests.support.signals import english, join, silence
from tests.support.until import until
from tests.support.ws_client import PLAIN, client


async def test_a_client_that_vanishes_is_freed_within_the_deadline() -> None:
    async with server(dead_peer_timeout_s=2.0, resume_s=0.0) as running_server:
        # Upgrades by hand and then does nothing: no pong, no close.
        reader, writer = await asyncio.open_connection("127.0.0.1", running_server.port)
        writer.write(upgrade(running_server.port))
        await reader.readuntil(b"\r\n\r\n")
        await until(lambda: running_server.manager.sessions == 1)
        await freed(running_server)
        writer.close()


async def test_a_client_that_hangs_up_without_a_word_is_freed() -> None:
    async with server(resume_s=0.0) as running_server:
        reader, writer = await asyncio.open_connection("127.0.0.1", running_server.port)
        writer.write(upgrade(running_server.port))
        await reader.readuntil(b"\r\n\r\n")
        await until(lambda: running_server.manager.sessions == 1)
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await freed(running_server)


async def test_a_client_that_does_not_read_is_closed_and_disturbs_nobody() -> None:
    async with (
        server(dead_peer_timeout_s=2.0, resume_s=0.0) as running_server,
        client(running_server, PLAIN) as other,
    ):
        # Endless pings, whose answers are never read.
        ping = client_frame(0x81, b'{"type":"x.ping"}') * 100
        async with stubborn(running_server) as slow:
            with pytest.raises((ConnectionError, TimeoutError)):
                async with asyncio.timeout(60):
                    while True:
                        await asyncio.get_running_loop().sock_sendall(slow, ping)
        await until(lambda: running_server.manager.sessions == 1)
        await other.ws.send_json({"type": "x.ping"})
        await other.event("x.pong")


async def test_a_client_that_falls_behind_is_told_and_hears_the_newest_speech(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A busy machine takes longer for all this than a client may leave unread what it was sent.
    monkeypatch.setattr("rtc_server.app.listening.UNREAD_MS", 300_000)
    speech = join(silence(300), english("thank you"), silence(800))
    pcm = to_int16(speech).astype("<i2").tobytes()
    async with (
        server("talkative", dead_peer_timeout_s=60) as running_server,
        client(running_server, PLAIN) as brisk,
        stubborn(running_server) as slow,
    ):
        loop = asyncio.get_running_loop()
        for at in range(0, len(pcm), 640):
            await loop.sock_sendall(slow, client_frame(0x82, pcm[at : at + 640]))
        await brisk.say(speech)
        await brisk.until(lambda: len(brisk.audio) > 50 * 14)  # so much was spoken to both
        await brisk.ws.send_json({"type": "stop"})
        await loop.sock_sendall(slow, client_frame(0x81, b'{"type":"stop"}'))
        received = bytearray()
        while b"session.closed" not in received:
            received += await loop.sock_recv(slow, 65_536)
        await brisk.event("(closed)")
    messages = server_messages(bytes(received.partition(b"\r\n\r\n")[2]))
    events = [json.loads(data) for opcode, data in messages if opcode == 1]
    audio = [data for opcode, data in messages if opcode == 2]
    assert [e["error"]["code"] for e in events if e["type"] == "error"] == ["slow_reader"]
    assert not brisk.of("error")
    # The slow one lacks some from the middle, and has the speech after the warning.
    missing = len(brisk.audio) - len(audio)
    assert missing > 25
    told = next(n for n, (_, data) in enumerate(messages) if b"slow_reader" in data)
    assert len([1 for opcode, _ in messages[told:] if opcode == 2]) > 100
    assert events[-1]["type"] == "session.closed"
    assert [e["queue_drops"] for e in events if e["type"] == "stats"][-1] >= missing


def upgrade(port: int) -> bytes:
    return (
        f"GET {PLAIN} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n\r\n"
    ).encode()


@asynccontextmanager
async def stubborn(running_server: RunningServer) -> AsyncIterator[socket.socket]:
    """Client that has upgraded and reads nothing, with little room for unread data."""
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(made, ("127.0.0.1", running_server.port))
        await loop.sock_sendall(made, upgrade(running_server.port))
        await until(lambda: running_server.manager.sessions == 2)
        yield made


def client_frame(first_byte: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros (RFC 6455 section 5.2)."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0x80 | 126, size)
    return bytes([first_byte]) + length + bytes(4) + payload


def server_messages(stream: bytes) -> list[tuple[int, bytes]]:
    """Opcode and payload of each whole frame."""
    found, at = [], 0
    while at + 4 <= len(stream):
        size, begin = stream[at + 1], at + 2
        if size == 126:
            (size,), begin = struct.unpack_from("!H", stream, begin), begin + 2
        found.append((stream[at] & 0x0F, stream[begin : begin + size]))
        at = begin + size
    return found

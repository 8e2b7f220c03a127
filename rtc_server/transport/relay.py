"""TURN relay as a socket for media.

aioice's own transport sends each datagram in a task of its own, queues without a bound what a slow
TCP connection does not take, and needs seconds to close when the TURN server is gone. The functions
here avoid that. They use private names of aioice, which
``tests/unit/transport/test_contracts.py`` pins.
"""

import asyncio
import struct
from typing import Any, cast

from aioice import stun
from aioice.turn import TurnClientProtocol, TurnTransport

from rtc_server.transport.source_limiter import Source

_CHANNEL_DATA = struct.Struct("!HH")


def waiting_bytes(relay: TurnTransport) -> int:
    """Return the bytes that the connection to the TURN server has not taken yet."""
    transport: Any = _client(relay).transport
    waiting: int = transport.get_write_buffer_size()
    return waiting


def send(relay: TurnTransport, data: bytes, peer: Source) -> None:
    """Send one datagram through the relay; drop it if the relay is closed."""
    client = _client(relay)
    channel = client.peer_to_channel.get(peer)
    if channel is None:
        relay.sendto(data, peer)  # binds a channel first
    elif not client.transport.is_closing():
        # Consent checks use `sendto`, which renews the channel before it expires.
        client._send(_CHANNEL_DATA.pack(channel, len(data)) + data)


async def admits(relay: TurnTransport, address: str) -> bool:
    """Return whether the TURN server would relay to that address. Nothing is sent there."""
    permission = stun.Message(stun.Method.CREATE_PERMISSION, stun.Class.REQUEST)
    permission.attributes["XOR-PEER-ADDRESS"] = (address, 9)
    try:
        await _client(relay).request_with_retry(permission)
    except stun.TransactionFailed:
        return False
    return True


def abort(relay: TurnTransport) -> None:
    """Free the socket at once. The TURN server gets no message; its allocation expires."""
    client = _client(relay)
    private = cast(Any, relay)
    tasks: set[asyncio.Task[None] | None] = set(private._TurnTransport__send_tasks)
    tasks |= {client.refresh_task, private._TurnTransport__close_task}
    for task in tasks:
        if task is not None:
            task.cancel()
    client.transport.abort()


def _client(relay: TurnTransport) -> TurnClientProtocol:
    return cast(TurnClientProtocol, cast(Any, relay)._TurnTransport__inner_protocol)

"""Media through a TURN relay: no task for a packet, a bound, and an end."""

import asyncio
import struct
from typing import Any, cast

from aioice.turn import TurnClientUdpProtocol, TurnTransport

from rtc_server.transport import relay

PEER = ("192.0.2.1", 5000)
CHANNEL = 0x4000


class RelayWire:
    """Connection to the TURN server that notes what is sent, and answers nothing."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.waiting = 0
        self.closed = False

    def sendto(self, data: bytes) -> None:
        self.sent.append(data)

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.closed = True


def relayed(*, bound: bool) -> tuple[TurnTransport, TurnClientUdpProtocol, RelayWire]:
    client = TurnClientUdpProtocol(("127.0.0.1", 1), "user", "password", 600, 500)
    wire = RelayWire()
    client.transport = cast(Any, wire)
    client.relayed_address = ("127.0.0.1", 2)
    if bound:
        client.peer_to_channel[PEER] = CHANNEL
    return TurnTransport(client), client, wire


async def test_media_goes_out_at_once_on_its_channel() -> None:
    transport, _, wire = relayed(bound=True)
    relay.send(transport, b"media", PEER)
    assert wire.sent == [struct.pack("!HH", CHANNEL, 5) + b"media"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
    wire.waiting = 70_000
    assert relay.waiting_bytes(transport) == 70_000
    relay.abort(transport)
    relay.send(transport, b"late", PEER)
    assert len(wire.sent) == 1


async def test_an_abort_ends_what_waits_for_an_answer_that_will_not_come() -> None:
    transport, client, wire = relayed(bound=False)
    client.refresh_task = asyncio.create_task(client.refresh(600))
    relay.send(transport, b"media", PEER)  # asks for a channel
    await asyncio.sleep(0.1)
    assert wire.sent
    transport.close()
    await asyncio.sleep(0.1)
    relay.abort(transport)
    await asyncio.sleep(0)
    assert wire.closed

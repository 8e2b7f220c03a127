"""Datagrams from elsewhere, and a peer whose address changes, on a live call."""

import asyncio
import gc
import os
import random
import socket
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

import pytest
from aioice import stun
from aioice.ice import CandidatePair

from rtc_server.config import TransportSettings
from rtc_server.errors import RemoteError
from rtc_server.transport.transport_api import CloseReason
from tests.support.offers import damaged
from tests.support.peers import Server, tone
from tests.support.rtc_client import RtcClient
from tests.support.signals import loudest_hz


def throw(datagrams: Iterable[bytes], target: tuple[str, int], repeat: int = 1) -> None:
    """Send from an unrelated address."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as stranger:
        stranger.bind(("127.0.0.1", 0))
        for _ in range(repeat):
            for data in datagrams:
                stranger.sendto(data, target)


ALERT = bytes([21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40])
"""A fatal DTLS alert: handshake failure."""
CLOSE_NOTIFY = bytes([21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0])
CLIENT_HELLO = bytes([22, 254, 253]) + bytes(8) + bytes([0, 60, 1]) + bytes(59)


async def assert_undisturbed(server: Server, client: RtcClient) -> None:
    """Audio flows both ways and events too."""
    session = server.session
    before, heard = session.samples, len(client.packets)
    await session.until(lambda: session.samples >= before + 16_000)
    await client.until(lambda: len(client.packets) > heard + 10)
    assert abs(loudest_hz(session.audio()[-8_000:], 16_000) - 440) < 5
    client.send("{}")
    await session.until(lambda: "{}" in session.messages)
    assert session.reasons == []


async def test_stray_datagrams_do_not_disturb_a_call() -> None:
    async with (
        Server(playout=tone(660, 60.0)) as server,
        RtcClient(server.negotiate, audio=tone(440, 60.0)) as client,
    ):
        target = client.server_address
        rng = random.Random(5)
        garbage = [rng.randbytes(rng.randrange(1, 200)) for _ in range(300)]
        forged = [bytes([0x80, 111]) + rng.randbytes(60) for _ in range(50)]
        throw([b"", ALERT, CLOSE_NOTIFY, CLIENT_HELLO, *garbage, *forged], target)
        await assert_undisturbed(server, client)
        stats = server.transport.stats
        assert stats.datagrams_dropped > 100
        assert stats.packets_lost == 0


async def test_dtls_garbage_of_the_peer_itself_leaves_no_fault_behind() -> None:
    """The datagram comes from the address that ICE found good, so DTLS sees all of it."""
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, fault: faults.append(fault))
    async with (
        Server(playout=tone(660, 60.0)) as server,
        RtcClient(server.negotiate, audio=tone(440, 60.0)) as client,
    ):
        wire, target = client._connection._nominated[1].protocol.transport, client.server_address
        rng = random.Random(6)
        for kind in (20, 21, 22, 23, 24, 63):
            for version in (b"\xfe\xfd", b"\xfe\xff", b"\x03\x03"):
                for epoch in (b"\0\0", b"\0\1"):
                    size = rng.randrange(300)
                    record = bytes([kind]) + version + epoch + rng.randbytes(6)
                    wire.sendto(record + size.to_bytes(2, "big") + rng.randbytes(size), target)
        for data in (ALERT, CLOSE_NOTIFY, CLIENT_HELLO):
            wire.sendto(data, target)
        await assert_undisturbed(server, client)
    gc.collect()  # a task whose exception nobody took complains when it goes
    assert faults == []


async def test_a_flood_does_not_disturb_a_call() -> None:
    async with (
        Server(playout=tone(660, 60.0)) as server,
        RtcClient(server.negotiate, audio=tone(440, 60.0)) as client,
    ):
        target = client.server_address
        unsigned = bytes(
            stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        )
        for _ in range(20):
            throw([bytes([0x80, 111]) + os.urandom(100), unsigned], target, repeat=50)
            await asyncio.sleep(0.02)
        await assert_undisturbed(server, client)


async def test_forgeries_before_the_handshake_do_not_prevent_it() -> None:
    async with Server() as server:

        async def negotiate(offer: str) -> str:
            answer = await server.negotiate(offer)
            line = next(part for part in answer.split("\r\n") if part.startswith("a=candidate"))
            throw([b"", ALERT, CLIENT_HELLO, b"\x00" * 50], ("127.0.0.1", int(line.split()[5])))
            return answer

        async with RtcClient(negotiate):
            session = server.session
            await session.until(lambda: session.samples >= 8_000)


async def test_stun_with_a_wrong_password_gets_no_say() -> None:
    async with Server() as server, RtcClient(server.negotiate) as client:
        agent = server.transport._stack.agent
        known = len(agent._remote_candidates)
        request = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.REQUEST,
            attributes={
                "USERNAME": f"{agent.local_username}:{agent.remote_username}",
                "PRIORITY": 1,
                "ICE-CONTROLLING": 1 << 63,
                "USE-CANDIDATE": None,
            },
        )
        request.add_message_integrity(b"not the password of this call")
        throw([bytes(request)], client.server_address)
        await asyncio.sleep(0.2)
        assert len(agent._remote_candidates) == known


async def test_a_nat_that_rebinds_is_followed() -> None:
    async with Server(playout=tone(660, 60.0)) as server:
        nat = Nat(server)
        async with RtcClient(nat.negotiate, audio=tone(440, 60.0)) as client:
            session = server.session
            await session.until(lambda: session.samples >= 16_000)
            await nat.rebind()
            before, heard = session.samples, len(client.packets)
            # The audio clock goes on during the break; the tone must come back into it.
            await session.until(lambda: session.samples >= before + 2 * 16_000)
            await client.until(lambda: len(client.packets) >= heard + 50)
            assert abs(loudest_hz(session.audio()[-8_000:], 16_000) - 440) < 5
            assert min(each.concealed_samples for each in session.pcm[-25:]) == 0
            assert session.reasons == []
        nat.close()


@pytest.mark.parametrize("check_first", [True, False])
async def test_a_client_that_switches_to_another_of_its_addresses_is_followed(
    check_first: bool,
) -> None:
    settings = TransportSettings(ice_addresses=("127.0.0.1", "127.0.0.2"))
    async with (
        Server(playout=tone(660, 60.0), settings=settings) as server,
        RtcClient(
            server.negotiate, audio=tone(440, 60.0), addresses=("127.0.0.1", "127.0.0.3")
        ) as client,
    ):
        session, connection = server.session, client._connection
        await session.until(lambda: session.samples >= 16_000)
        used = connection._nominated[1]
        protocol = next(each for each in connection._protocols if each is not used.protocol)
        other = CandidatePair(protocol, used.remote_candidate)
        if check_first:
            other.nominated = True
            await connection.check_start(other)  # nominates it, as browsers do
        connection._nominated[1] = other
        agent = server.transport._stack.agent
        before, heard = session.samples, len(client.packets)
        await session.until(lambda: session.samples >= before + 2 * 16_000)
        await client.until(lambda: len(client.packets) >= heard + 50)
        assert agent._nominated[1].remote_addr == other.local_addr
        assert abs(loudest_hz(session.audio()[-8_000:], 16_000) - 440) < 5
        assert min(each.concealed_samples for each in session.pcm[-25:]) == 0


async def test_replayed_packets_from_elsewhere_do_not_move_a_call() -> None:
    async with (
        Server(playout=tone(660, 60.0)) as server,
        RtcClient(server.negotiate, audio=tone(440, 60.0)) as client,
    ):
        agent = server.transport._stack.agent
        seen: list[bytes] = []
        receive = agent.media_received
        assert receive is not None

        def listen(data: bytes) -> None:
            seen.append(data)
            receive(data)

        agent.media_received = listen
        await client.until(lambda: len(seen) >= 50)
        address = agent._nominated[1].remote_addr
        throw(seen[:50], client.server_address)
        await assert_undisturbed(server, client)
        assert agent._nominated[1].remote_addr == address


async def test_damaged_offers_raise_only_what_is_the_peers_fault() -> None:
    async with Server() as server:
        async with RtcClient(server.negotiate) as client:
            offer = client.pc.localDescription.sdp
        accepted = 0
        for seed in range(300):
            try:
                await server.negotiate(damaged(offer, seed, 1 + seed % 8))
            except RemoteError:
                continue
            accepted += 1
            await server.transport.close()
            assert server.session.reasons in ([CloseReason.LOCAL], [CloseReason.FAILED])
        assert 0 < accepted < 300
        # The server still works.
        async with RtcClient(server.negotiate):
            pass


class Nat:
    """NAT between a client and the server, which can give the client a new outside port."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._inside: asyncio.DatagramTransport | None = None
        self._outside: asyncio.DatagramTransport | None = None
        self._client = self._target = ("", 0)

    async def negotiate(self, offer: str) -> str:
        """Pass the offer on, and let both ends reach each other only through this NAT."""
        lines = [line for line in offer.split("\r\n") if not line.startswith("a=candidate")]
        answer = await self._server.negotiate("\r\n".join(lines))
        line = next(part for part in answer.split("\r\n") if part.startswith("a=candidate"))
        self._target = ("127.0.0.1", int(line.split()[5]))
        self._inside = await self._open(self._from_client)
        await self.rebind()
        port = self._inside.get_extra_info("sockname")[1]
        return answer.replace(f" {self._target[1]} typ", f" {port} typ")

    async def rebind(self) -> None:
        """Let the server see another port from now on; the old one leads nowhere."""
        old = self._outside
        self._outside = await self._open(self._from_server)
        if old is not None:
            old.close()

    def close(self) -> None:
        """Free the sockets."""
        for transport in (self._inside, self._outside):
            assert transport is not None
            transport.close()

    async def _open(
        self, received: Callable[[bytes, tuple[str, int]], None]
    ) -> asyncio.DatagramTransport:
        class Forward(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                received(data, addr)

        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Forward, local_addr=("127.0.0.1", 0))
        return transport

    def _from_client(self, data: bytes, addr: tuple[str, int]) -> None:
        self._client = addr
        assert self._outside is not None
        self._outside.sendto(data, self._target)

    def _from_server(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._inside is not None
        self._inside.sendto(data, self._client)

"""Addresses and ports of a peer: which are offered, and which are used."""

import asyncio
from typing import cast

import pytest
from aioice import stun

from rtc_server.config import TransportSettings
from rtc_server.errors import AdmissionRefused, IceRestartRefused
from tests.support.offers import AUDIO, offer
from tests.support.peers import Server
from tests.support.ports import free_ports
from tests.support.rtc_client import Negotiate, RtcClient


async def test_the_port_range_is_kept_and_its_end_is_said() -> None:
    with free_ports(2) as free:
        settings = TransportSettings(udp_port_first=free[0], udp_port_last=free[1])
        async with Server(settings=settings) as server:
            async with RtcClient(server.negotiate) as first, RtcClient(server.negotiate) as second:
                ports = {client.server_address[1] for client in (first, second)}
                assert ports == set(free)
                with pytest.raises(AdmissionRefused, match="UDP port"):
                    await server.negotiate(first.pc.localDescription.sdp)
            for session in server.sessions:
                await session.until(lambda session=session: bool(session.reasons))  # type: ignore[misc]
            async with RtcClient(server.negotiate):
                pass


async def test_the_public_address_is_offered_instead_of_the_bound_one() -> None:
    settings = TransportSettings(public_address="198.51.100.7")
    async with (
        Server(settings=settings) as server,
        RtcClient(_at("127.0.0.1", server)) as client,
    ):
        assert " 198.51.100.7 " in server.transport.answer_sdp
        assert "127.0.0.1 " not in server.transport.answer_sdp.split("t=0 0")[1]
        assert client.server_address[0] == "127.0.0.1"


async def test_candidates_may_come_later_and_a_restart_is_refused() -> None:
    async with Server() as server:

        async def without_candidates(offer: str) -> str:
            lines = [line for line in offer.split("\r\n") if "candidate" not in line]
            return await server.negotiate("\r\n".join(lines))

        async with RtcClient(without_candidates) as client:
            transport = server.transport
            candidate = next(
                line
                for line in client.pc.localDescription.sdp.split("\r\n")
                if line.startswith("a=candidate")
            )
            await transport.add_ice_fragment(
                f"m=audio 9 RTP/AVP 0\r\na=mid:0\r\n{candidate}\r\na=end-of-candidates\r\n"
            )
            with pytest.raises(IceRestartRefused):
                await transport.add_ice_fragment(f"a=ice-ufrag:othr\r\n{candidate}\r\n")


async def test_names_as_candidates_do_not_delay_the_answer() -> None:
    async with Server() as server:

        async def with_mdns(offer: str) -> str:
            hidden = offer.replace(" 127.0.0.1 ", " 9b36eaac-bb2e-49bb-bb78-21c41c499900.local ")
            return await server.negotiate(hidden)

        async with RtcClient(with_mdns):
            assert server.session.samples >= 0


def _at(address: str, server: Server) -> Negotiate:
    async def negotiate(offer: str) -> str:
        return (await server.negotiate(offer)).replace(" 198.51.100.7 ", f" {address} ")

    return negotiate


@pytest.mark.parametrize("address", ["127.0.0.2", "::1"])
async def test_addresses_to_offer_are_a_setting(address: str) -> None:
    settings = TransportSettings(ice_addresses=(address,))
    client_address = "::1" if ":" in address else "127.0.0.1"
    async with (
        Server(settings=settings) as server,
        RtcClient(server.negotiate, addresses=(client_address,)) as client,
    ):
        assert client.server_address[0] == address
        await server.session.until(lambda: server.session.samples >= 8_000)


@pytest.mark.parametrize(
    ("addresses", "says"),
    [([], "in no network"), (["192.0.2.1"], "cannot use its network addresses")],
    ids=["none", "not ours"],
)
async def test_a_machine_without_a_network_says_so(
    addresses: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "rtc_server.transport.webrtc.addresses_to_offer", lambda _settings, _host: addresses
    )
    async with Server() as server:
        with pytest.raises(AdmissionRefused, match=says):
            await server.negotiate(offer(AUDIO))
        assert server.transports == []


async def test_a_stun_servers_view_of_us_is_offered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtc_server.transport.gathering.SERVER_TIMEOUT_S", 30.0)

    class StunServer(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            response = stun.Message(
                message_method=stun.Method.BINDING,
                message_class=stun.Class.RESPONSE,
                transaction_id=stun.parse_message(data).transaction_id,
                attributes={"XOR-MAPPED-ADDRESS": ("203.0.113.5", 4444)},
            )
            cast(asyncio.DatagramTransport, self.transport).sendto(bytes(response), addr)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(StunServer, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    settings = TransportSettings(ice_servers=(f"stun:127.0.0.1:{port}",))
    async with Server(settings=settings) as server, RtcClient(server.negotiate):
        assert " 203.0.113.5 4444 typ srflx " in server.transport.answer_sdp
    transport.close()


async def test_a_silent_stun_server_does_not_keep_the_caller_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rtc_server.transport.gathering.SERVER_TIMEOUT_S", 0.2)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    settings = TransportSettings(ice_servers=(f"stun:127.0.0.1:{port}",))
    async with Server(settings=settings) as server, RtcClient(server.negotiate):
        assert "srflx" not in server.transport.answer_sdp
    transport.close()

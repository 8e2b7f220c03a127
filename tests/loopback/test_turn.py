"""Calls through a real TURN server, on loopback: coturn from Debian's package."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from rtc_server.app.server import running
from rtc_server.clock import monotonic
from rtc_server.config import HttpSettings, Settings, TransportSettings
from rtc_server.errors import AdmissionRefused, ConfigError
from rtc_server.ice import IceServer
from rtc_server.transport.discovery import with_public_address
from rtc_server.transport.media_scheduler import MediaScheduler
from rtc_server.transport.transport_api import CloseReason
from rtc_server.transport.webrtc import WebRtcTransport
from tests.support.coturn import SECRET, coturn
from tests.support.peers import Recorder, Server, tone
from tests.support.rtc_client import RtcClient
from tests.support.signals import loudest_hz

SECOND = 16_000


def settings_for(*servers: str, **more: Any) -> TransportSettings:
    return TransportSettings(ice_servers=servers, turn_secret=SECRET, **more)


def relayed_only(server: IceServer) -> RTCConfiguration:
    """Return the configuration of a page with ``iceTransportPolicy: "relay"``."""
    given = RTCIceServer(urls=server.url, username=server.username, credential=server.credential)
    return RTCConfiguration([given], RTCIceTransportPolicy.RELAY)


def user_of(settings: TransportSettings, expires_in_s: int = 600) -> IceServer:
    return settings.ice().for_client("sess_1", int(time.time()) + expires_in_s)[0]


def kinds(sdp: str) -> set[str]:
    """Types of the candidates in it."""
    return {line.split()[7] for line in sdp.splitlines() if line.startswith("a=candidate:")}


async def hear_each_other(server: Server, client: RtcClient) -> None:
    await server.session.until(lambda: server.session.samples >= 2 * SECOND)
    assert abs(loudest_hz(server.session.audio()[-SECOND:], SECOND) - 600) < 20
    await client.until(lambda: len(client.packets) >= 50)
    assert abs(loudest_hz(client.heard()[-24_000:], 48_000) - 440) < 20  # ticks may be missing


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
async def test_a_client_behind_a_relay(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with coturn(tmp_path) as turn:
        monkeypatch.setenv("SSL_CERT_FILE", str(turn.certificate))
        settings = settings_for(getattr(turn, way), ice_policy="relay")
        user = user_of(settings)
        async with (
            Server(settings=settings, playout=tone(440, 30)) as server,
            RtcClient(
                server.negotiate, audio=tone(600, 30), configuration=relayed_only(user)
            ) as client,
        ):
            await hear_each_other(server, client)
            assert kinds(client.pc.localDescription.sdp) == {"relay"}
            assert turn.allocations > 0
            assert any(f"username=<{user.username}>" in line for line in turn.log)
    assert SECRET not in caplog.text
    assert user.credential not in caplog.text


async def test_a_user_whose_time_is_over_gets_no_relay(tmp_path: Path) -> None:
    async with coturn(tmp_path) as turn:
        for expires_in_s, relays in ((-1, 0), (600, 1)):
            user = user_of(settings_for(turn.udp), expires_in_s)
            peer = RTCPeerConnection(relayed_only(user))
            peer.createDataChannel("oai-events")
            await peer.setLocalDescription()
            assert len(kinds(peer.localDescription.sdp)) == relays
            await peer.close()
        async with asyncio.timeout(60):
            await turn.allocated.wait()
        assert any("Cannot find credentials of user" in line for line in turn.log)
        assert turn.allocations == 1


async def test_relay_only_refuses_a_client_that_comes_directly(tmp_path: Path) -> None:
    async with coturn(tmp_path) as turn:
        settings = settings_for(turn.udp, ice_policy="relay", connect_timeout_s=2.0)
        async with Server(settings=settings) as server:
            with pytest.raises(TimeoutError):
                async with RtcClient(server.negotiate, timeout_s=6.0):
                    pass
            await server.session.until(lambda: bool(server.session.reasons))
            assert server.session.reasons == [CloseReason.CONNECT_TIMEOUT]


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
async def test_a_server_behind_a_relay(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with coturn(tmp_path) as turn:
        monkeypatch.setenv("SSL_CERT_FILE", str(turn.certificate))
        settings = settings_for(getattr(turn, way), server_relay="only")
        async with (
            Server(settings=settings, playout=tone(440, 30)) as server,
            RtcClient(server.negotiate, audio=tone(600, 30)) as client,
        ):
            assert kinds(client.answer_sdp) == {"relay"}
            assert "raddr 0.0.0.0 rport 9" in client.answer_sdp, "our own address stays hidden"
            await hear_each_other(server, client)
            assert turn.allocations == 1


@pytest.mark.parametrize("way", ["udp", "tcp"])
async def test_a_relay_that_dies_ends_the_call_and_leaves_nothing(way: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        turn = await stack.enter_async_context(coturn(tmp_path))
        settings = settings_for(getattr(turn, way), server_relay="only", dead_peer_timeout_s=2.0)
        async with Server(settings=settings) as server, RtcClient(server.negotiate):
            await server.session.until(lambda: server.session.samples >= SECOND)
            await stack.aclose()
            await server.session.until(lambda: bool(server.session.reasons))
            assert server.session.reasons == [CloseReason.PEER_LOST]


async def test_a_relay_beside_the_servers_own_addresses(tmp_path: Path) -> None:
    async with coturn(tmp_path) as turn:
        settings = settings_for(turn.udp, server_relay="also")
        async with Server(settings=settings) as server, RtcClient(server.negotiate) as client:
            assert kinds(client.answer_sdp) == {"host", "relay"}
            await server.session.until(lambda: server.session.samples >= SECOND)


async def test_without_being_asked_the_server_opens_no_relay(tmp_path: Path) -> None:
    async with coturn(tmp_path) as turn:
        settings = settings_for(turn.udp)
        async with Server(settings=settings) as server, RtcClient(server.negotiate) as client:
            assert kinds(client.answer_sdp) == {"host"}
        assert turn.allocations == 0


async def test_a_server_that_gets_no_relay_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with coturn(tmp_path) as turn:
        settings = settings_for(turn.udp, server_relay="only")
        offer = await an_offer()
        with pytest.raises(AdmissionRefused, match="no relay"):
            await WebRtcTransport.accept(
                offer,
                Recorder(),
                settings,
                host="127.0.0.1",
                clock=monotonic,
                scheduler=MediaScheduler(),
                wall=lambda: 0.0,  # our clock is wrong: the user that it makes has expired
            )
    assert "A STUN or TURN server refused us: error 401" in caplog.text
    assert SECRET not in caplog.text


async def test_a_caller_who_leaves_while_servers_are_asked_leaves_no_relay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rtc_server.transport.gathering.SERVER_TIMEOUT_S", 60.0)
    loop = asyncio.get_running_loop()
    deaf, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    port = deaf.get_extra_info("sockname")[1]
    async with coturn(tmp_path) as turn:
        settings = settings_for(f"stun:127.0.0.1:{port}", turn.udp, server_relay="also")
        accepting = asyncio.create_task(
            WebRtcTransport.accept(
                await an_offer(),
                Recorder(),
                settings,
                host="127.0.0.1",
                clock=monotonic,
                scheduler=MediaScheduler(),
            )
        )
        await turn.allocated.wait()
        await asyncio.sleep(0.2)  # until we notice it
        accepting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await accepting
    deaf.close()


async def an_offer() -> str:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTransceiver("audio")
    await peer.setLocalDescription()
    sdp = peer.localDescription.sdp
    await peer.close()
    return sdp


async def test_the_public_address_is_asked_of_a_stun_server(tmp_path: Path) -> None:
    async with coturn(tmp_path) as turn:
        for servers in ((turn.stun,), (turn.tcp, turn.udp)):
            asking = TransportSettings(
                ice_addresses=("127.0.0.2",),
                public_address="stun",
                ice_servers=servers,
                turn_secret="" if servers == (turn.stun,) else SECRET,
            )
            found = await with_public_address(asking, "127.0.0.1", monotonic)
            assert found.public_address == "127.0.0.2"
            assert found.ice_servers == servers


@pytest.mark.parametrize(("public", "offered"), [("", {"host", "srflx"}), ("192.0.2.9", {"host"})])
async def test_who_knows_the_public_address_asks_nobody_for_it(
    public: str, offered: set[str], tmp_path: Path
) -> None:
    async with coturn(tmp_path) as turn:
        settings = TransportSettings(ice_servers=(turn.stun,), public_address=public)
        async with Server(settings=settings) as server:
            answer = await server.negotiate(await an_offer())
            assert kinds(answer) == offered
            assert not public or f" {public} " in answer


async def test_the_server_does_not_start_without_the_address_it_was_to_ask_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rtc_server.transport.gathering.SERVER_TIMEOUT_S", 0.2)
    loop = asyncio.get_running_loop()
    deaf, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    port = deaf.get_extra_info("sockname")[1]
    settings = Settings(
        http=HttpSettings(port=0),
        transport=TransportSettings(public_address="stun", ice_servers=(f"stun:127.0.0.1:{port}",)),
    )
    with pytest.raises(ConfigError, match="did not report the public address"):
        async with running(settings):
            pass
    deaf.close()

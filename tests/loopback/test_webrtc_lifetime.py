"""End of a peer's connection, and that nothing of it is left."""

import asyncio
import ctypes
import gc
import os
import socket
import threading
from pathlib import Path

import psutil
import pytest

from rtc_server.config import TransportSettings
from rtc_server.transport.transport_api import CloseReason
from rtc_server.transport.webrtc import WebRtcTransport
from tests.support.peers import Server, tone
from tests.support.rtc_client import Negotiate, RtcClient

IMPATIENT = TransportSettings(connect_timeout_s=0.5)


def sockets() -> int:
    """Return the number of sockets of this process."""
    held = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            held += str(entry.readlink()).startswith("socket:")
        except FileNotFoundError:
            continue  # the listing's own descriptor
    return held


async def test_a_client_that_closes_its_connection() -> None:
    async with Server() as server:
        async with RtcClient(server.negotiate):
            pass
        await server.session.until(lambda: server.session.reasons == [CloseReason.REMOTE])


async def test_closing_from_our_side_ends_the_client() -> None:
    async with Server() as server, RtcClient(server.negotiate) as client:
        await server.transport.close()
        await server.transport.close()
        assert server.session.reasons == [CloseReason.LOCAL]
        await client.closed.wait()
        assert not server.transport.send_message("{}")
        await server.transport.add_ice_fragment("a=candidate:1 1 udp 1 127.0.0.1 5000 typ host")


async def test_a_client_that_never_connects_is_freed_at_the_deadline() -> None:
    before = sockets()
    async with Server(settings=IMPATIENT) as server:
        with pytest.raises(TimeoutError):
            async with RtcClient(_gives_up(server)):
                pass
        await server.session.until(lambda: bool(server.session.reasons))
        assert server.session.reasons == [CloseReason.CONNECT_TIMEOUT]
        assert sockets() == before


async def test_a_client_that_stalls_in_the_handshake_is_freed_at_the_deadline() -> None:
    async with Server(settings=IMPATIENT) as server:
        client = RtcClient(server.negotiate)
        stalled, released = asyncio.Event(), asyncio.Event()

        async def wait(remote: object) -> None:
            stalled.set()
            await released.wait()

        transceiver = client.pc.addTransceiver("audio")
        transceiver.receiver.transport.start = wait  # type: ignore[method-assign, assignment]
        connecting = asyncio.create_task(client.__aenter__())
        await stalled.wait()
        await server.session.until(lambda: bool(server.session.reasons))
        assert server.session.reasons == [CloseReason.CONNECT_TIMEOUT]
        connecting.cancel()
        await asyncio.wait({connecting})
        released.set()


async def test_a_client_that_vanishes_mid_sentence_is_freed() -> None:
    settings = TransportSettings(dead_peer_timeout_s=2.0)
    before = sockets()
    async with Server(settings=settings) as server:
        client = RtcClient(server.negotiate, audio=tone(440, 30.0))
        async with client:
            session = server.session
            await session.until(lambda: session.samples >= 8_000)
            client.vanish()
            await session.until(lambda: bool(session.reasons))
            assert session.reasons == [CloseReason.PEER_LOST]
        assert sockets() == before


async def test_a_muted_client_is_not_taken_for_dead() -> None:
    settings = TransportSettings(dead_peer_timeout_s=8.0)
    async with Server(settings=settings) as server, RtcClient(server.negotiate) as client:
        session = server.session
        await session.until(lambda: session.samples >= 8_000)
        client.track.stop()  # no RTP at all from now on; consent checks come every 4 to 6 s
        await asyncio.sleep(settings.dead_peer_timeout_s + 2.0)
        assert session.reasons == []
        server.transport.send_message('{"type": "still here"}')
        await client.event("still here")


async def test_a_session_that_fails_is_ended_alone() -> None:
    async with (
        Server() as server,
        RtcClient(server.negotiate),
        RtcClient(server.negotiate) as good,
    ):
        bad, other = server.sessions

        def fail(pcm: object) -> None:
            raise RuntimeError("a bug")

        bad.on_pcm = fail  # type: ignore[method-assign]
        await bad.until(lambda: bad.reasons == [CloseReason.FAILED])
        before = other.samples
        await other.until(lambda: other.samples > before + 8_000)
        assert not good.closed.is_set()


async def test_close_ends_whatever_raises(caplog: pytest.LogCaptureFixture) -> None:
    before = sockets()
    async with Server() as server, RtcClient(server.negotiate):
        transport = server.transport

        async def fail() -> None:
            raise RuntimeError("a bug")

        transport._stack._ice.stop = fail  # type: ignore[method-assign]
        transport._stack._dtls.stop = fail  # type: ignore[method-assign]
        await transport.close()
        assert server.session.reasons == [CloseReason.LOCAL]
    assert sockets() == before
    assert "failed" in caplog.text


async def test_a_call_given_up_during_the_answer_leaves_nothing() -> None:
    async with Server() as server, RtcClient(server.negotiate) as client:
        offer = client.pc.localDescription.sdp
    before = sockets()
    with socket.socket(type=socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]  # the answer waits for a STUN server, and for nothing else
        settings = TransportSettings(ice_servers=(f"stun:127.0.0.1:{port}",))
        async with Server(settings=settings) as asking:
            accepting = asyncio.create_task(asking.negotiate(offer))
            await asyncio.sleep(0)
            assert sockets() == before + 2
            accepting.cancel()
            await asyncio.wait({accepting})
            assert accepting.cancelled()
            assert not asking.sessions
    assert sockets() == before


async def test_many_calls_leave_nothing_behind() -> None:
    cycles = int(os.environ.get("SOAK_CYCLES", "25"))
    process = psutil.Process()
    async with Server() as server:

        async def cycle() -> None:
            async with RtcClient(server.negotiate, audio=tone(440, 0.2)) as client:
                client.send("{}")
                await server.session.until(lambda: bool(server.session.messages))
            await server.transport.close()
            server.sessions.clear()
            server.transports.clear()

        for _ in range(5):
            await cycle()
        trim()
        before = (sockets(), threading.active_count(), len(asyncio.all_tasks()))
        memory = process.memory_info().rss
        for _ in range(cycles):
            await cycle()
        trim()
        assert (sockets(), threading.active_count(), len(asyncio.all_tasks())) == before
        # Client and server together; a session that stayed would be some 0.5 MB.
        assert process.memory_info().rss - memory < 6e6 + cycles * 0.1e6
        alive = [each for each in gc.get_objects() if isinstance(each, WebRtcTransport)]
        assert alive == []


def trim() -> None:
    """Give free memory back to the system, so that the rest is held."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def _gives_up(server: Server) -> Negotiate:
    """Negotiate for a client that never gets its answer."""

    async def negotiate(offer: str) -> str:
        await server.negotiate(offer)
        raise TimeoutError

    return negotiate

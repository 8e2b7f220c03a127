"""Slow and dead clients of a WebSocket, and its end, in virtual time."""

import asyncio

import pytest

from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE
from rtc_server.transport.outbox import MAX_MESSAGES
from rtc_server.transport.transport_api import CloseReason
from rtc_server.transport.websocket.socket_port import Control
from tests.support.fake_socket import FakeSocket
from tests.support.peers import Recorder
from tests.support.signals import tone
from tests.support.virtual_time import watched
from tests.support.websocket_peer import TIMEOUT_S, peer, transport


async def test_a_slow_reader_loses_the_oldest_speech_and_is_told_once() -> None:
    async with peer(playout=tone(440, 60_000, sample_rate=PLAYOUT_RATE)) as p:
        await asyncio.sleep(1)
        p.socket.stuck = True
        await asyncio.sleep(TIMEOUT_S - 1.5)
        assert p.session.slow_reader
        assert p.wire.stats.messages_dropped > 0
        before = len(p.socket.sent)
        p.wire.send_message("kept")
        p.socket.stuck = False
        await asyncio.sleep(0.1)
        assert "kept" in p.socket.sent
        assert MAX_MESSAGES - 2 <= len(p.socket.sent) - before <= MAX_MESSAGES + 10
        p.session.slow_reader = False
        await asyncio.sleep(5)
        assert not p.session.slow_reader
        assert not p.session.reasons


async def test_a_reader_that_stands_still_is_closed() -> None:
    async with peer() as p:
        p.socket.stuck = True
        assert p.wire.send_message("one")
        await asyncio.sleep(TIMEOUT_S + 1)
        assert p.session.reasons == [CloseReason.FAILED]
        assert p.socket.aborted
        assert not p.wire.send_message("two")


async def test_events_that_cannot_be_dropped_close_a_reader_that_does_not_take_them() -> None:
    async with peer() as p:
        p.socket.stuck = True
        await asyncio.sleep(0.1)
        for _ in range(MAX_MESSAGES + 2):
            p.wire.send_message("x")
        await asyncio.sleep(0.1)
        assert p.session.reasons == [CloseReason.FAILED]


async def test_a_silent_client_is_asked_and_lives_and_a_dead_one_is_freed() -> None:
    async with peer() as p:
        await asyncio.sleep(60)
        assert p.socket.pings > 5
        assert not p.session.reasons
        p.socket.dead = True
        await asyncio.sleep(TIMEOUT_S + 1)
        assert p.session.reasons == [CloseReason.PEER_LOST]
        assert p.socket.aborted


async def test_no_client_is_dead_because_the_server_stood_still() -> None:
    async with watched() as loop, peer() as p:
        await asyncio.sleep(1)
        for _ in range(3):
            loop.stand_still(TIMEOUT_S + 1)
            await asyncio.sleep(TIMEOUT_S / 2)
        assert not p.session.reasons
        p.socket.dead = True
        await asyncio.sleep(TIMEOUT_S + 1)
        assert p.session.reasons == [CloseReason.PEER_LOST]


async def test_a_client_that_was_held_back_is_asked_before_it_counts_as_dead() -> None:
    async with peer() as p:
        for _ in range(41):
            p.send(bytes(2 * SPEECH_RATE))
        await asyncio.sleep(60)  # all is read, and nothing came since then
        assert p.socket.pings > 0
        assert not p.session.reasons


async def test_a_close_by_the_client_ends_it_at_once_whatever_waits() -> None:
    async with peer() as p:
        for _ in range(30):
            p.send(bytes(2 * SPEECH_RATE))
        p.send(Control.CLOSED)
        await asyncio.sleep(0.1)
        assert p.session.reasons == [CloseReason.REMOTE]
        assert p.socket.closed


async def test_a_connection_that_breaks_is_no_close() -> None:
    async with peer() as p:
        p.send(Control.LOST)
        await asyncio.sleep(0.1)
        assert p.session.reasons == [CloseReason.PEER_LOST]


async def test_what_was_said_before_closing_is_sent_before_closing() -> None:
    async with peer() as p:
        for number in range(100):
            p.wire.send_message(str(number))
        await p.wire.close()
        assert p.socket.sent == [str(number) for number in range(100)]
        assert p.session.reasons == [CloseReason.LOCAL]
        await p.wire.close()


async def test_closing_does_not_wait_for_a_reader_that_stands_still() -> None:
    async with peer() as p:
        p.socket.stuck = True
        p.wire.send_message("unread")
        async with asyncio.timeout(5):
            await p.wire.close()


async def test_a_session_that_fails_ends_its_own_peer_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with peer() as broken, peer() as other:
        broken.session.on_message = lambda text: 1 / 0  # type: ignore[method-assign,assignment]
        broken.send("{}")
        await asyncio.sleep(0.1)
        assert broken.session.reasons == [CloseReason.FAILED]
        assert not other.session.reasons
    assert "failed to handle" in caplog.text


async def test_a_socket_that_never_closes_is_aborted() -> None:
    class Hanging(FakeSocket):
        async def close(self) -> None:
            await asyncio.Event().wait()

    socket, session = Hanging(), Recorder()
    await transport(socket, session).close()
    assert socket.aborted
    assert session.reasons == [CloseReason.LOCAL]


async def test_a_socket_whose_end_fails_is_told_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(FakeSocket):
        def abort(self) -> None:
            raise OSError("already gone")

    socket, session = Broken(), Recorder()
    await transport(socket, session).close(CloseReason.PEER_LOST)
    assert session.reasons == [CloseReason.PEER_LOST]
    assert "could not be closed" in caplog.text

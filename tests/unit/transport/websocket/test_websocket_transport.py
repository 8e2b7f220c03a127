"""A WebSocket peer in virtual time: reading, speaking, slow and dead clients, the end."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from rtc_server.pcm import FRAME_MS, PLAYOUT_RATE, SPEECH_RATE, Samples, to_int16
from rtc_server.transport.media_scheduler import MediaScheduler
from rtc_server.transport.outbox import MAX_MESSAGES
from rtc_server.transport.transport_api import CloseReason
from rtc_server.transport.websocket.forms import Form
from rtc_server.transport.websocket.inbox import CATCH_UP_S, FLOOD, RATE, READ_AHEAD_S
from rtc_server.transport.websocket.plain import PlainForm
from rtc_server.transport.websocket.socket_port import Control
from rtc_server.transport.websocket.translations import APPEND, TranslationsForm
from rtc_server.transport.websocket.transport import WebSocketTransport
from tests.support.fake_socket import FakeSocket
from tests.support.peers import Recorder
from tests.support.signals import tone
from tests.support.virtual_time import watched

TIMEOUT_S = 8.0


@dataclass
class Peer:
    wire: WebSocketTransport
    socket: FakeSocket
    session: Recorder

    def send(self, message: str | bytes | Control) -> None:
        self.socket.incoming.put_nowait(message)

    @property
    def heard(self) -> Samples:
        return np.concatenate([np.zeros(0, np.float32), *(p.samples for p in self.session.pcm)])

    @property
    def binary(self) -> list[bytes]:
        return [m for m in self.socket.sent if isinstance(m, bytes)]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(m) for m in self.socket.sent if isinstance(m, str)]


@asynccontextmanager
async def peer(form: Form | None = None, playout: Samples | None = None) -> AsyncIterator[Peer]:
    socket, session = FakeSocket(), Recorder(playout)
    wire = WebSocketTransport(
        socket,
        form or PlainForm(),
        session,
        dead_peer_timeout_s=TIMEOUT_S,
        clock=asyncio.get_running_loop().time,
        scheduler=MediaScheduler(),
    )
    try:
        yield Peer(wire, socket, session)
    finally:
        await wire.close()
        assert len(session.reasons) == 1


def appended(samples: Samples) -> str:
    pcm = to_int16(samples).astype("<i2").tobytes()
    return json.dumps({"type": APPEND, "audio": base64.b64encode(pcm).decode()})


async def test_audio_and_events_arrive_in_the_order_they_were_sent() -> None:
    async with peer() as p:
        pcm = to_int16(tone(300, 1000)).astype("<i2").tobytes()
        for at in range(0, len(pcm), 640):
            p.send(pcm[at : at + 640])
        p.send('{"type":"x.ping"}')
        await asyncio.sleep(0.1)
        assert p.session.connected and p.session.channel_open
        assert p.session.messages == ['{"type":"x.ping"}']
        assert len(p.heard) == SPEECH_RATE
        assert [c.start_samples for c in p.session.pcm] == list(range(0, SPEECH_RATE, 320))
        assert np.abs(p.heard - tone(300, 1000)).max() < 1e-3
        assert p.wire.stats.packets_received == 50


async def test_a_long_append_is_heard_in_small_pieces() -> None:
    async with peer(TranslationsForm()) as p:
        p.send(appended(tone(300, 5000, sample_rate=24_000)))
        await asyncio.sleep(0.1)
        assert abs(len(p.heard) - 5 * SPEECH_RATE) <= 32
        assert max(len(c.samples) for c in p.session.pcm) <= SPEECH_RATE // 10 + 32


async def test_a_bad_message_is_told_with_its_id_and_the_next_is_heard() -> None:
    async with peer(TranslationsForm()) as p:
        p.send(json.dumps({"type": APPEND, "audio": "A", "event_id": "mine"}))
        p.send(appended(tone(300, 200, sample_rate=24_000)))
        await asyncio.sleep(0.1)
        assert p.session.bad_messages == [
            "audio is not valid base64: its last character is one too many, or it was cut off."
        ]
        assert len(p.heard) > SPEECH_RATE // 10


async def test_a_file_sent_at_once_is_heard_no_faster_than_a_speaker() -> None:
    async with peer() as p:
        second = bytes(2 * SPEECH_RATE)
        for _ in range(100):
            p.send(second)
        await asyncio.sleep(0.01)
        assert len(p.heard) / SPEECH_RATE == pytest.approx(CATCH_UP_S, abs=1.2)
        # The rest waits, read ahead up to the bound; then the socket holds the client back.
        unread = p.socket.incoming.qsize()
        assert 100 - unread == pytest.approx(CATCH_UP_S + READ_AHEAD_S, abs=2)
        await asyncio.sleep(20)
        assert len(p.heard) / SPEECH_RATE == pytest.approx(CATCH_UP_S + 20 * RATE, abs=1.2)
        assert not p.session.reasons  # not taken for dead while it is held back
        await asyncio.sleep(70)
        assert len(p.heard) == 100 * SPEECH_RATE
        assert p.session.times_ahead == 1


@pytest.mark.parametrize("form", [PlainForm, TranslationsForm])
@pytest.mark.unmeasured
async def test_real_time_in_pieces_of_64_samples_stays_real_time(form: type[Form]) -> None:
    """An AudioWorklet's quantum of 128 samples at 48 kHz is 64 at 24 kHz; a page sends each."""
    length_s, step_s = 30, 64 / form.sample_rate
    async with peer(form()) as p:
        quantum = bytes(128) if form is PlainForm else appended(np.zeros(64, np.float32))
        for number in range(round(length_s / step_s)):
            p.send(quantum)
            if number % 10 == 0:  # events between them do not put it behind
                p.send('{"type":"x.ping"}')
            await asyncio.sleep(step_s)
        sent_s = asyncio.get_running_loop().time()
        assert sent_s == pytest.approx(length_s, abs=0.01)
        assert sent_s - len(p.heard) / SPEECH_RATE < 0.025
        assert not p.session.bad_messages
        assert not p.session.times_ahead


async def test_who_sends_too_many_messages_is_told_once() -> None:
    async with peer() as p:
        for _ in range(30_000):
            p.send(b"\0\0")
        await asyncio.sleep(4)
        assert p.session.bad_messages == [FLOOD]


async def test_a_flood_of_pings_or_of_nonsense_is_held_back() -> None:
    for flood in (Control.ALIVE, b"odd", "{}"):
        async with peer() as p:
            for _ in range(20_000):
                p.send(flood)
            await asyncio.sleep(0.1)
            assert p.socket.incoming.qsize() > 10_000
            assert not p.session.reasons


async def test_speech_goes_out_in_frames_of_20_ms_and_silence_does_not() -> None:
    sound = tone(440, 1000, sample_rate=PLAYOUT_RATE)
    async with peer(playout=sound) as p:
        await asyncio.sleep(0.5)
        assert len(p.binary) == pytest.approx(25, abs=1)
        await asyncio.sleep(5)
        assert {len(m) for m in p.binary} == {640}
        assert len(p.binary) == 51  # the last holds what the resampler had kept back
        heard = np.frombuffer(b"".join(p.binary), "<i2") / 32768
        assert np.sqrt(np.mean(heard[320:16_000] ** 2)) == pytest.approx(0.354, rel=0.01)


async def test_translations_speak_in_blocks_of_200_ms_of_which_the_first_comes_at_once() -> None:
    sound = tone(440, 1100, sample_rate=PLAYOUT_RATE)
    async with peer(TranslationsForm(), playout=sound) as p:
        await asyncio.sleep(FRAME_MS / 1000)
        assert len(p.events) == 1
        await asyncio.sleep(0.55)
        assert len(p.events) == 3
        await asyncio.sleep(5)
        assert {e["type"] for e in p.events} == {"session.output_audio.delta"}
        sizes = [len(base64.b64decode(e["delta"])) for e in p.events]
        assert sizes == [9600] * 5 + [4800 + 960]
        assert p.session.frames_taken == pytest.approx(5.57 / 0.02, abs=12)


async def test_elapsed_time_is_the_clients_audio() -> None:
    async with peer(TranslationsForm(), tone(440, 20, sample_rate=PLAYOUT_RATE)) as p:
        p.send(appended(tone(300, 1300, sample_rate=24_000)))
        await asyncio.sleep(0.1)
        assert p.events[0]["elapsed_ms"] in (0, 1200)
        late = Recorder(tone(440, 20, sample_rate=PLAYOUT_RATE))
        p.session._playout, p.session._played = late._playout, 0
        await asyncio.sleep(0.1)
        assert p.events[-1]["elapsed_ms"] == 1200


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
        await asyncio.sleep(60)  # all is read, and nothing came since
        assert p.socket.pings > 0
        assert not p.session.reasons


async def test_the_clients_goodbye_ends_it_at_once_whatever_waits() -> None:
    async with peer() as p:
        for _ in range(30):
            p.send(bytes(2 * SPEECH_RATE))
        p.send(Control.CLOSED)
        await asyncio.sleep(0.1)
        assert p.session.reasons == [CloseReason.REMOTE]
        assert p.socket.closed


async def test_a_connection_that_breaks_is_no_goodbye() -> None:
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
    transport = WebSocketTransport(
        socket,
        PlainForm(),
        session,
        dead_peer_timeout_s=TIMEOUT_S,
        clock=asyncio.get_running_loop().time,
        scheduler=MediaScheduler(),
    )
    await transport.close()
    assert socket.aborted
    assert session.reasons == [CloseReason.LOCAL]


async def test_a_socket_whose_end_fails_is_told_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(FakeSocket):
        def abort(self) -> None:
            raise OSError("already gone")

    socket, session = Broken(), Recorder()
    transport = WebSocketTransport(
        socket,
        PlainForm(),
        session,
        dead_peer_timeout_s=TIMEOUT_S,
        clock=asyncio.get_running_loop().time,
        scheduler=MediaScheduler(),
    )
    await transport.close(CloseReason.PEER_LOST)
    assert session.reasons == [CloseReason.PEER_LOST]
    assert "could not be closed" in caplog.text

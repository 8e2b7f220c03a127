"""A WebSocket peer in virtual time: reading and speaking."""

import asyncio
import base64
import json

import numpy as np
import pytest

from rtc_server.pcm import FRAME_MS, PLAYOUT_RATE, SPEECH_RATE, to_int16
from rtc_server.transport.websocket.forms import Form
from rtc_server.transport.websocket.inbox import CATCH_UP_S, FLOOD, RATE, READ_AHEAD_S
from rtc_server.transport.websocket.plain import PlainForm
from rtc_server.transport.websocket.socket_port import Control
from rtc_server.transport.websocket.translations import APPEND, TranslationsForm
from tests.support.peers import Recorder
from tests.support.signals import tone
from tests.support.websocket_peer import appended, peer


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
            "audio is not valid base64: it has one character too many, or was cut off."
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
        assert not p.session.reasons  # not counted as dead while it is held back
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

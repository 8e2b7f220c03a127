"""Sessions over real WebSockets on loopback: the whole server, engines in their own processes."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import numpy as np
import pytest

from rtc_server.app.server import RunningServer, running
from rtc_server.config import HttpSettings, Settings
from rtc_server.pcm import SPEECH_RATE, Samples, to_int16
from tests.support.patient import QUICK, SETTINGS
from tests.support.server import freed, server
from tests.support.signals import english, join, russian, silence
from tests.support.until import until
from tests.support.ws_client import PLAIN, Client, client

TRANSLATIONS = "/v1/realtime/translations"
GROUPS = {"type": "session.update", "session": {"x_events": ["segment", "playout"]}}


@asynccontextmanager
async def phrasebook() -> AsyncIterator[RunningServer]:
    async with running(SETTINGS) as running_server:
        yield running_server


def at_24_khz(samples: Samples) -> Samples:
    positions = np.arange(len(samples) * 3 // 2) / 1.5
    return np.interp(positions, np.arange(len(samples)), samples).astype(np.float32)


def loudness(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


async def test_both_directions_are_translated_and_spoken_by_the_phrasebook() -> None:
    async with phrasebook() as running_server:
        for source, target, spoken, meaning in (
            ("en", "ru", english("where is the train station"), "вокзал"),
            ("ru", "en", russian("где находится вокзал"), "train station"),
        ):
            async with client(running_server, f"{PLAIN}?source={source}&target={target}") as c:
                await c.say(join(silence(500), spoken, silence(1000)))
                delta = await c.event("session.output_transcript.delta")
                assert meaning in delta["delta"]
                stats = await c.event("stats", queue_depth=0)
                assert set(stats) == {
                    "type",
                    "event_id",
                    "latency_ms",
                    "queue_depth",
                    "queue_drops",
                }
                await c.ws.send_json({"type": "stop"})
                await c.event("(closed)")
                assert c.events[0]["type"] == "session.created"
                assert c.events[-2]["type"] == "session.closed"
                assert c.ws.close_code == 1000
                assert {len(frame) for frame in c.audio} == {640}
                assert len(c.heard) > 0.5 * SPEECH_RATE
                assert loudness(c.heard) > 0.01
        await freed(running_server)


async def test_stop_flushes_what_was_being_said() -> None:
    async with (
        server() as running_server,
        client(running_server, PLAIN + "?source=en&target=ru") as c,
    ):
        await c.ws.send_json(GROUPS)
        spoken = to_int16(join(silence(300), english("where is the train station")))
        for at in range(0, len(spoken), 480):
            await c.ws.send_bytes(spoken[at : at + 480].tobytes())  # no silence after it
        await c.ws.send_json({"type": "stop"})
        await c.event("(closed)")
        kinds = [(e["type"], e.get("state")) for e in c.events]
        assert ("x.playout", "finished") in kinds
        assert kinds[-2] == ("session.closed", None)
        assert len(c.heard) > 0.3 * SPEECH_RATE


async def test_start_sets_the_languages_and_the_vad() -> None:
    async with server() as running_server, client(running_server, PLAIN) as c:
        await c.ws.send_json({"type": "start", "source": "en-US", "target": "ru", "vad": False})
        updated = await c.event("session.updated")
        x = updated["session"]["x"]
        assert (x["source_language"], x["target_language"]) == ("en", "ru")
        assert x["vad"]["mode"] == "off"
        await c.ws.send_json({"type": "start", "source": "xx", "event_id": "mine"})
        error = (await c.event("error"))["error"]
        assert (error["code"], error["event_id"]) == ("unsupported_language", "mine")


async def test_what_does_not_fit_is_answered_and_the_session_goes_on() -> None:
    async with server() as running_server, client(running_server, PLAIN) as c:
        await c.ws.send_bytes(b"\0" * 641)
        await c.ws.send_bytes(b"RIFF\x24\0\0\0WAVEfmt ")
        await c.ws.send_str("{")
        await c.ws.send_json({"type": "session.input_audio_buffer.append", "audio": ""})
        await until(lambda: len(c.of("error")) == 4)
        says = [e["error"]["message"] for e in c.of("error")]
        assert "odd number" in says[0]
        assert "no header" in says[1]
        assert "not JSON" in says[2]
        assert "no event of type" in says[3]
        await c.ws.send_json({"type": "x.ping"})
        await c.event("x.pong")


async def test_a_message_that_is_far_too_large_ends_the_session() -> None:
    async with server() as running_server, client(running_server, PLAIN) as c:
        await c.event("session.created")
        await c.ws.send_bytes(b"\0" * 1_000_000)
        await c.event("(closed)")
        assert c.ws.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        await freed(running_server)


async def test_refusals_come_before_the_upgrade() -> None:
    async with server() as running_server, aiohttp.ClientSession(running_server.url) as http:
        for path, status, code in (
            (PLAIN + "?target=fr", 422, "unsupported_language"),
            (TRANSLATIONS + "?target=fr", 422, "unsupported_language"),
            (PLAIN + "?source=" + "x" * 200, 400, "invalid_request"),
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(path)
            assert refused.value.status == status
            async with http.get(
                path,
                headers={
                    "Connection": "Upgrade",
                    "Upgrade": "websocket",
                    "Sec-WebSocket-Version": "13",
                    "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
                },
            ) as response:
                assert response.status == status
                assert (await response.json(content_type=None))["error"]["code"] == code
        for path in (PLAIN, TRANSLATIONS):
            async with http.get(path) as response:
                assert response.status == 400
                assert "ws://" in (await response.json(content_type=None))["detail"]
        # A browser's WebSocket gives its page no reason; the same address gives it over HTTP.
        async with http.get(PLAIN + "?target=fr") as response:
            assert response.status == 422
        async with http.get(PLAIN + "?resume=sess_gone") as response:
            assert response.status == 404
        assert not running_server.manager.sessions


async def test_a_full_server_says_when_to_come_back() -> None:
    settings = Settings(
        http=HttpSettings(port=0, max_sessions=1),
        engines=QUICK,
    )
    async with running(settings) as running_server:
        async with client(running_server, PLAIN), aiohttp.ClientSession(running_server.url) as http:
            await until(lambda: running_server.manager.sessions == 1)
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(PLAIN)
            assert refused.value.status == 503
            assert refused.value.headers and int(refused.value.headers["Retry-After"]) > 0
            async with http.get(PLAIN) as response:  # what a browser's page asks then
                assert response.status == 503
        await freed(running_server)
        async with client(running_server, PLAIN) as c:
            await c.event("session.created")


async def test_a_key_offered_as_subprotocol_is_never_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    key = "openai-insecure-api-key.not-for-the-log"
    async with server() as running_server, aiohttp.ClientSession(running_server.url) as http:
        async with http.ws_connect(TRANSLATIONS, protocols=["realtime", key]) as ws:
            assert ws.protocol == "realtime"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(TRANSLATIONS, protocols=[key])
        assert refused.value.status == 400
        await freed(running_server)
    assert not [r for r in caplog.records if r.name != "asyncio" and "not-for" in r.getMessage()]


async def test_realtime_translations_take_any_append_and_answer_in_blocks_of_200_ms() -> None:
    async with (
        server() as running_server,
        client(running_server, TRANSLATIONS + "?model=gpt-realtime-translate") as c,
    ):
        await c.ws.send_json(
            {
                "type": "session.update",
                "session": {
                    "audio": {
                        "input": {"transcription": {"model": "any", "language": "en"}},
                        "output": {"language": "ru"},
                    }
                },
            }
        )
        await c.event("session.updated")
        assert c.events[0]["session"]["model"] == "gpt-realtime-translate"
        spoken = at_24_khz(join(silence(300), english("thank you"), silence(900)))
        await c.append(spoken)
        for at in range(0, len(spoken), 240):
            await c.append(spoken[at : at + 240])
        await c.ws.send_json({"type": "session.close"})
        await c.event("(closed)")
        assert len(c.of("session.output_transcript.delta")) == 2
        assert len(c.of("session.input_transcript.delta")) == 2
        deltas = c.of("session.output_audio.delta")
        sizes = [len(base64.b64decode(e["delta"])) for e in deltas]
        assert max(sizes) == 9600
        assert all(size % 960 == 0 for size in sizes)
        assert {(e["sample_rate"], e["channels"], e["format"]) for e in deltas} == {
            (24_000, 1, "pcm16")
        }
        assert all(e["elapsed_ms"] % 200 == 0 for e in deltas)
        assert len({e["event_id"] for e in c.events[:-1]}) == len(c.events) - 1
        assert c.events[-2]["type"] == "session.closed"
        assert not [e for e in c.events if e["type"].startswith(("x.", "stats"))]
        assert not c.audio
        await freed(running_server)


async def test_the_end_of_the_server_closes_the_connection() -> None:
    async with aiohttp.ClientSession() as http:
        async with server() as running_server:
            ws = await http.ws_connect(running_server.url + PLAIN)
            c = Client(ws)
            listening = asyncio.create_task(c.listen())
            await c.event("session.created")
        await listening
        assert [e["type"] for e in c.events[-2:]] == ["session.closed", "(closed)"]
        assert ws.close_code == aiohttp.WSCloseCode.OK

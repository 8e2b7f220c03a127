"""Rooms as a whole: real offers, real media, engines in their own processes."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import numpy as np
import pytest

from rtc_server.config import (
    AccessSettings,
)
from rtc_server.limits import Rate
from tests.support.access import bearer
from tests.support.rooms import finals, heard, listener, say, server, speaker, told, total
from tests.support.rtc_client import RtcClient
from tests.support.until import until

LANGUAGES = ("ru", "de", "fr")


async def test_a_speaker_is_heard_in_two_languages_and_in_the_original() -> None:
    async with (
        server() as house,
        speaker(house) as spoken,
        listener(house, "ru") as russian,
        listener(house, "de") as german,
        listener(house, "en") as original,
    ):
        say(spoken, "where is the train station")
        captions = {}
        for client, code in ((russian, "ru"), (german, "de"), (original, "en")):
            [caption, *_] = await told(client)
            assert caption["target"]["language"] == code
            captions[code] = caption
            # The original is live: what a busy machine cannot pass on in time is left out.
            await heard(client, frames=5 if code == "en" else 20)
        assert captions["en"]["target"]["text"] == captions["ru"]["source"]["text"]
        assert captions["de"]["source"] == captions["ru"]["source"]
        # Asked in one call for both, so that an engine can listen once for both.
        calls, requests = (
            total(house, f"engine_batch_size_{each}", kind="ast") for each in ("count", "sum")
        )
        assert requests == 2 * calls > 0


async def test_a_listener_gets_packets_before_anybody_speaks() -> None:
    async with server() as house, speaker(house), listener(house, "ru") as waiting:
        await waiting.until(lambda: len(waiting.packets) >= 2)
        assert waiting.packets[0].marker
        assert not waiting.events
        assert not np.any(np.abs(waiting.heard()) > 0.001)


async def test_twenty_listeners_three_languages_each_translated_once() -> None:
    """Late ones hear the next sentence, and one that dies or reads nothing disturbs nobody."""
    async with server() as house, AsyncExitStack() as room:
        spoken = await room.enter_async_context(speaker(house))
        clients = [listener(house, LANGUAGES[i % 3]) for i in range(19)]
        for client in clients:
            await room.enter_async_context(client)
        dead, *living = clients
        say(spoken, "where is the train station")
        for client in clients:
            await told(client)
        dead.vanish()  # without a close: the server goes on sending to nobody

        late = await room.enter_async_context(listener(house, "ru"))
        say(spoken, "two coffees and a cold beer please")
        for client in living:
            first, second, *_ = await told(client, 2)
            assert second["seq"] > first["seq"]
        [next_one, *_] = await told(late)
        ids = {each["segment_id"] for each in finals(living[2])}
        assert next_one["segment_id"] in ids
        for client in (*living, late):
            await heard(client)

        def translated_once(code: str) -> bool:
            segments = len({each["segment_id"] for each in finals(living[2])})
            return total(house, "room_translations_total", language=code) == segments

        for code in LANGUAGES:  # a caption may be a moment behind its count
            await until(lambda code=code: translated_once(code))  # type: ignore[misc]
        # Encoded for each language, and not for each listener.
        speech = [
            {each.payload for each in client.packets if len(each.payload) > 20} for client in living
        ]
        assert len(speech[2] & speech[5]) > 10  # both hear the same language
        for client in living:
            numbers = [each.sequence for each in client.packets]
            gaps = np.diff(np.unwrap(numbers, period=65536))
            assert np.all(gaps >= 1), "each listener has counters of their own"


async def test_a_language_ends_after_its_last_listener_and_begins_anew() -> None:
    async with server(room_linger_s=0) as house, speaker(house) as spoken:
        async with listener(house, "de") as first:
            say(spoken, "yes")
            await told(first)
        await until(lambda: total(house, "room_listeners") == 0)
        await asyncio.sleep(2)  # more than it takes to notice
        before = total(house, "room_translations_total", language="de")
        async with listener(house, "fr") as french:
            say(spoken, "thank you")
            await told(french)
        assert total(house, "room_translations_total", language="de") == before
        async with listener(house, "de") as again:
            say(spoken, "yes")
            await told(again)


async def test_captions_as_server_sent_events_and_what_was_missed() -> None:
    async with (
        server() as house,
        speaker(house) as spoken,
        aiohttp.ClientSession(house.url) as http,
    ):
        path = "/v1/rooms/hall/captions?language=de"

        async def read(count: int, last_id: str = "") -> list[tuple[str, dict[str, Any]]]:
            """Final captions with their ids."""
            got: list[tuple[str, dict[str, Any]]] = []
            headers = {"Last-Event-ID": last_id} if last_id else {}
            async with http.get(path, headers=headers) as stream:
                assert stream.content_type == "text/event-stream"
                caption_id = ""
                while len(got) < count:
                    name, _, value = (await stream.content.readline()).decode().partition(": ")
                    if name == "id":
                        caption_id = value.strip()
                    elif name == "data" and (event := json.loads(value))["final"]:
                        assert event["target"]["language"] == "de"
                        got.append((caption_id, event))
            return got

        reading = asyncio.create_task(read(1))
        await until(lambda: total(house, "room_listeners") == 1)
        say(spoken, "yes")
        [(first_id, first)] = await reading
        assert not house.metrics.registry.get_sample_value(
            "rtc_engine_seconds_count", {"kind": "tts"}
        ), "nobody listens, so nothing is spoken"
        async with listener(house, "de") as meanwhile:
            say(spoken, "thank you")
            await told(meanwhile)
        [(_, second)] = await read(1, first_id)
        assert second["seq"] > first["seq"]
        [(_, again)] = await read(1, "of-another-server.17")
        assert again == first


async def test_a_full_room_and_an_unknown_language() -> None:
    async with (
        server(room_listeners=1) as house,
        speaker(house),
        listener(house, "ru"),
        aiohttp.ClientSession(house.url) as http,
    ):
        async with http.get("/v1/rooms/hall/captions?language=ru") as refused:
            assert (refused.status, "Retry-After" in refused.headers) == (503, True)
        async with http.get("/v1/rooms/hall/captions?language=xx") as refused:
            assert refused.status == 422
            assert "de, es, fr" in (await refused.json())["detail"]
        async with http.get("/v1/rooms/nowhere/captions") as refused:
            assert refused.status == 404


async def test_a_join_link_opens_its_own_room_to_listen_and_nothing_else() -> None:
    headers = {"Authorization": "Bearer the-key"}
    async with server(api_key="the-key") as house, aiohttp.ClientSession(house.url) as http:
        whip = f"{house.url}/whip/hall?source=en"
        async with RtcClient(whip, channel=None, headers=headers) as spoken:
            async with http.post("/v1/rooms/hall/link", headers=headers) as made:
                link = await made.json()
            async with http.post("/v1/rooms/hall/link", headers=headers) as again:
                assert await again.json() == link  # and drawn once
            url, _, token = link["url"].partition("#")
            assert url == f"{house.url}/listen/hall"
            assert link["qr_svg"].startswith("<svg")
            joined = {"Authorization": f"Bearer {token}"}
            whep = f"{house.url}/whep/hall?language=de"
            async with RtcClient(whep, listens_only=True, headers=joined) as client:
                say(spoken, "yes")
                await told(client)
                async with http.delete(client.location, headers=joined) as left:
                    assert left.status == 200
            async with http.get("/v1/rooms/hall", headers=joined) as state:
                assert state.status == 200
            for method, path in (
                ("POST", "/whip/hall"),
                ("POST", "/whep/other"),
                ("GET", "/v1/rooms/other"),
                ("POST", "/v1/rooms/hall/link"),
                ("POST", "/v1/realtime/translations/calls"),
                ("GET", "/v1/engines"),
                ("GET", "/metrics"),
            ):
                async with http.request(method, path, headers=joined) as refused:
                    assert refused.status == 403, path
            async with http.delete(spoken.location, headers=joined) as refused:
                assert refused.status == 404
            async with http.get("/v1/rooms/hall") as refused:
                assert refused.status == 401


async def mint(http: aiohttp.ClientSession, room: object) -> tuple[int, str]:
    path = "/v1/realtime/translations/client_secrets"
    transcription = {"model": "whisper-1", "language": "en"}
    audio = {"input": {"transcription": transcription}, "output": {"language": "ru"}}
    body = {"session": {"model": "gpt-realtime-translate", "audio": audio}, "x": {"room": room}}
    async with http.post(path, json=body, headers=bearer("the-key")) as made:
        return made.status, (await made.json()).get("value", "")


async def test_a_secret_invites_to_no_room_of_another_secret() -> None:
    async with server(api_key="the-key") as house, aiohttp.ClientSession(house.url) as http:
        (_, own), (_, other) = [await mint(http, None) for _ in range(2)]

        async def invite(token: str) -> int:
            async with http.post("/v1/rooms/hall/link", headers=bearer(token)) as answer:
                return answer.status

        assert await invite(other) == 200, "nobody has it yet"
        whip = f"{house.url}/whip/hall?source=en"
        async with RtcClient(whip, channel=None, headers=bearer(own)):
            assert [await invite(each) for each in (own, other, "the-key")] == [200, 403, 200]


async def test_a_secret_that_is_not_for_a_room_listens_in_on_none() -> None:
    async with server(api_key="the-key") as house, aiohttp.ClientSession(house.url) as http:
        (_, own), (_, other) = [await mint(http, None) for _ in range(2)]
        whip, whep = f"{house.url}/whip/hall?source=en", "/whep/hall?language=de"
        async with RtcClient(whip, channel=None, headers=bearer(own)):
            for token, status in ((own, 200), ("the-key", 200), (other, 404)):
                async with http.get("/v1/rooms/hall", headers=bearer(token)) as answer:
                    assert answer.status == status
            async with http.get("/v1/rooms/hall/captions", headers=bearer(other)) as answer:
                assert answer.status == 404
            headers = {**bearer(other), "Content-Type": "application/sdp"}
            async with http.post(whep, data="v=0", headers=headers) as answer:
                assert answer.status == 404


EVERYTHING = (
    ("POST", "/whip/hall"),
    ("POST", "/whip/other"),
    ("POST", "/whep/hall"),
    ("POST", "/whep/other"),
    ("GET", "/v1/rooms/hall"),
    ("GET", "/v1/rooms/other"),
    ("GET", "/v1/rooms/hall/captions"),
    ("POST", "/v1/rooms/hall/link"),
    ("POST", "/v1/realtime/translations/calls"),
    ("DELETE", "/v1/realtime/translations/calls/sess_1"),
    ("POST", "/v1/realtime/translations/client_secrets"),
    ("GET", "/ws/audio"),
    ("GET", "/v1/realtime/translations"),
    ("GET", "/v1/languages"),
    ("GET", "/metrics"),
)


async def test_a_speakers_secret_only_speaks_and_a_listeners_only_listens() -> None:
    async with server(api_key="the-key") as house, aiohttp.ClientSession(house.url) as http:
        secrets = {}
        for role in ("speaker", "listener"):
            status, secrets[role] = await mint(http, {"name": "hall", "role": role})
            assert status == 200
        whip, whep = f"{house.url}/whip/hall?source=en", f"{house.url}/whep/hall?language=de"
        speaks, listens = bearer(secrets["speaker"]), bearer(secrets["listener"])
        async with (
            RtcClient(whip, channel=None, headers=speaks) as spoken,
            RtcClient(whep, listens_only=True, headers=listens) as heard_by,
        ):
            say(spoken, "yes")
            await told(heard_by)
            opens = {"speaker": 1, "listener": 3}
            for role, token in secrets.items():
                refused = 0
                for method, path in EVERYTHING:
                    async with http.request(method, path, headers=bearer(token)) as answer:
                        refused += answer.status == 403
                assert refused == len(EVERYTHING) - opens[role], role
            async with http.delete(spoken.location, headers=listens) as no:
                assert no.status == 404
            async with http.delete(heard_by.location, headers=speaks) as no:
                assert no.status == 404
            # Who comes back with a fresh secret is the same speaker.
            _, fresh = await mint(http, {"name": "hall", "role": "speaker"})
            async with RtcClient(whip, channel=None, headers=bearer(fresh)) as again:
                await spoken.closed.wait()
                say(again, "thank you")
                await told(heard_by, 2)
                async with http.delete(again.location, headers=bearer(fresh)) as left:
                    assert left.status == 200


async def test_a_room_that_no_secret_can_be_for_is_refused() -> None:
    async with server(api_key="the-key") as house, aiohttp.ClientSession(house.url) as http:
        for room in (
            "hall",
            {},
            {"name": "hall"},
            {"name": "hall", "role": "both"},
            {"name": "a/b", "role": "speaker"},
            {"name": "hall\n", "role": "speaker"},
            {"name": "a" * 65, "role": "listener"},
            {"name": ["hall"], "role": "listener"},
            {"name": "hall", "role": ["speaker"]},
        ):
            assert (await mint(http, room))[0] == 400, room


async def test_an_audience_does_not_use_up_the_requests_of_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rtc_server.signaling.auth.LINK", Rate(burst=3, per_second=0.001))
    async with (
        server(api_key="the-key", access=AccessSettings(key_requests_a_minute=1)) as house,
        aiohttp.ClientSession(house.url) as http,
    ):
        async with http.post("/v1/rooms/hall/link", headers=bearer("the-key")) as made:
            ticket = (await made.json())["url"].partition("#")[2]
        for status in (404, 404, 404, 429):
            async with http.get("/v1/rooms/hall", headers=bearer(ticket)) as answer:
                assert answer.status == status
                assert status == 404 or "Retry-After" in answer.headers


async def test_a_link_that_no_qr_code_holds_is_refused() -> None:
    async with server() as house, aiohttp.ClientSession(house.url) as http:
        host = {"Host": "a" * 2000 + ".localhost"}
        async with http.post("/v1/rooms/hall/link", headers=host) as refused:
            assert refused.status == 400
            assert "2000 characters" in (await refused.json())["detail"]

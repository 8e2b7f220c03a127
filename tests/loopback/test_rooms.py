"""Rooms as a whole: real offers, real media, engines in their own processes."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import numpy as np
import pytest

from tests.support.rooms import finals, heard, listener, say, server, speaker, told, total
from tests.support.until import until

LANGUAGES = ("ru", "de", "fr")


async def test_a_speaker_is_heard_in_two_languages_and_in_the_original() -> None:
    async with (
        server() as running_server,
        speaker(running_server) as spoken,
        listener(running_server, "ru") as russian,
        listener(running_server, "de") as german,
        listener(running_server, "en") as original,
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
        # Both languages are in one call, so that an engine can encode the audio once.
        calls, requests = (
            total(running_server, f"engine_batch_size_{each}", kind="ast")
            for each in ("count", "sum")
        )
        assert requests == 2 * calls > 0


async def test_a_listener_gets_packets_before_anybody_speaks() -> None:
    async with (
        server() as running_server,
        speaker(running_server),
        listener(running_server, "ru") as waiting,
    ):
        await waiting.until(lambda: len(waiting.packets) >= 2)
        assert waiting.packets[0].marker
        assert not waiting.events
        assert not np.any(np.abs(waiting.heard()) > 0.001)


@pytest.mark.unmeasured
async def test_twenty_listeners_three_languages_each_translated_once() -> None:
    """Late listeners get the next sentence, and one whose connection dies or who reads nothing
    disturbs nobody.
    """
    async with server() as running_server, AsyncExitStack() as room:
        spoken = await room.enter_async_context(speaker(running_server))
        clients = [listener(running_server, LANGUAGES[i % 3]) for i in range(19)]
        for client in clients:
            await room.enter_async_context(client)
        dead, *living = clients
        say(spoken, "where is the train station")
        for client in clients:
            await told(client)
        dead.vanish()  # without a close: the server goes on sending to nobody

        late = await room.enter_async_context(listener(running_server, "ru"))
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
            return total(running_server, "room_translations_total", language=code) == segments

        for code in LANGUAGES:  # a caption may come a moment after its count
            await until(lambda code=code: translated_once(code))  # type: ignore[misc]
        # Encoded for each language, and not for each listener.
        speech = [
            {each.payload for each in client.packets if len(each.payload) > 20} for client in living
        ]
        assert len(speech[2] & speech[5]) > 10  # both listen to the same language
        for client in living:
            numbers = [each.sequence for each in client.packets]
            gaps = np.diff(np.unwrap(numbers, period=65536))
            assert np.all(gaps >= 1), "each listener has counters of their own"


async def test_a_language_ends_after_its_last_listener_and_begins_anew() -> None:
    async with server(room_linger_s=0) as running_server, speaker(running_server) as spoken:
        async with listener(running_server, "de") as first:
            say(spoken, "yes")
            await told(first)
        await until(lambda: total(running_server, "room_listeners") == 0)
        await asyncio.sleep(2)  # more than it takes to notice
        before = total(running_server, "room_translations_total", language="de")
        async with listener(running_server, "fr") as french:
            say(spoken, "thank you")
            await told(french)
        assert total(running_server, "room_translations_total", language="de") == before
        async with listener(running_server, "de") as again:
            say(spoken, "yes")
            await told(again)


async def test_captions_as_server_sent_events_and_what_was_missed() -> None:
    async with (
        server() as running_server,
        speaker(running_server) as spoken,
        aiohttp.ClientSession(running_server.url) as http,
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
        await until(lambda: total(running_server, "room_listeners") == 1)
        say(spoken, "yes")
        [(first_id, first)] = await reading
        assert not running_server.metrics.registry.get_sample_value(
            "rtc_engine_seconds_count", {"kind": "tts"}
        ), "nobody listens, so nothing is spoken"
        async with listener(running_server, "de") as meanwhile:
            say(spoken, "thank you")
            await told(meanwhile)
        [(_, second)] = await read(1, first_id)
        assert second["seq"] > first["seq"]
        [(_, again)] = await read(1, "of-another-server.17")
        assert again == first


async def test_a_full_room_and_an_unknown_language() -> None:
    async with (
        server(room_listeners=1) as running_server,
        speaker(running_server),
        listener(running_server, "ru"),
        aiohttp.ClientSession(running_server.url) as http,
    ):
        async with http.get("/v1/rooms/hall/captions?language=ru") as refused:
            assert (refused.status, "Retry-After" in refused.headers) == (503, True)
        async with http.get("/v1/rooms/hall/captions?language=xx") as refused:
            assert refused.status == 422
            assert "de, es, fr" in (await refused.json())["detail"]
        async with http.get("/v1/rooms/nowhere/captions") as refused:
            assert refused.status == 404

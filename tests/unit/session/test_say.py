"""Phrases that are picked instead of spoken."""

import asyncio
from types import MappingProxyType

import pytest

from rtc_server.events.client import SessionPatch
from rtc_server.session.session_api import SuggestedPhrase
from tests.support.fakes import silence
from tests.support.session_bench import ALL, events, say, session_bench, speak

BOOK = MappingProxyType({"ru": (SuggestedPhrase("Где вокзал?", "Where is the station?", "en"),)})


async def test_a_phrase_of_the_book_is_spoken_like_any_segment() -> None:
    async with session_bench(phrases=BOOK) as bench:
        await bench.call(SessionPatch(x_events=ALL))
        bench.transports[0].observer.on_connected()
        say(bench.transports[0], type="x.say", text="Где вокзал?")
        await speak(bench.transports[0], silence(3))
        told = events(bench.transports[0])
        [segment] = [event for event in told if event["type"] == "x.segment"]
        assert (segment["final"], segment["status"]) == (True, "final")
        assert segment["source"]["text"] == "Где вокзал?"
        assert segment["target"]["text"] == "Where is the station?"
        states = [event["state"] for event in told if event["type"] == "x.playout"]
        assert states[-1] == "finished"


@pytest.mark.parametrize("text", ["Какая-то другая фраза.", "", "x" * 301, None])
async def test_nothing_else_can_be_said_so(text: str | None) -> None:
    async with session_bench(phrases=BOOK) as bench:
        await bench.call(SessionPatch(x_events=ALL))
        bench.transports[0].observer.on_connected()
        say(bench.transports[0], type="x.say", text=text, event_id="mine")
        await asyncio.sleep(1)
        [refused] = [event for event in events(bench.transports[0]) if event["type"] == "error"]
        assert refused["error"]["event_id"] == "mine"
        assert not [event for event in events(bench.transports[0]) if event["type"] == "x.segment"]


async def test_more_phrases_than_may_wait_are_refused_as_too_busy() -> None:
    async with session_bench(phrases=BOOK) as bench:
        await bench.call(SessionPatch(x_events=ALL))
        bench.transports[0].observer.on_connected()
        for _ in range(100):
            say(bench.transports[0], type="x.say", text="Где вокзал?")
        await asyncio.sleep(0.1)
        segments = [event for event in events(bench.transports[0]) if event["type"] == "x.segment"]
        failed = [event["code"] for event in segments if event["status"] == "failed"]
        assert len(segments) == 100
        assert set(failed) == {"engine_overloaded"}
        assert len(failed) >= 70

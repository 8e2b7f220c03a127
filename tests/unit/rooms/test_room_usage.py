"""Usage record of a room, for billing."""

import asyncio
from dataclasses import asdict

import pytest

from rtc_server.errors import BadOffer, RoomTaken
from rtc_server.rooms.room_usage import LanguageUsage
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant
from tests.support.fakes import FakeAst
from tests.support.rooms_bench import ANNA, KEY, SENTENCE, next_final, rooms_bench
from tests.support.session_bench import speak


async def test_a_room_leaves_one_account_and_no_text() -> None:
    async with rooms_bench(room_wait_s=20.0, room_linger_s=1.0) as bench:
        await bench.speak(ANNA)
        speaker = bench.transports[0]
        speaker.observer.on_connected()
        english = await bench.manager.listen("hall", "offer", "en", Claimant(KEY))
        bench.transports[1].observer.on_connected()
        with bench.manager.read("hall", "en", None, Claimant(KEY)) as reader:
            await speak(speaker, SENTENCE)
            caption = await next_final(reader)
            await asyncio.sleep(7)
        await bench.manager.hang_up("hall", english.session_id)
        original = await bench.manager.listen("hall", "offer", "ru", Claimant(KEY))
        bench.transports[2].observer.on_connected()
        await asyncio.sleep(5)
        await bench.manager.hang_up("hall", original.session_id)
        assert not bench.usage
        await speaker.close()
        await asyncio.sleep(30)
        (record,) = bench.usage
    assert record.record_id == record.room and record.room.startswith("room_")
    assert (record.key, record.source) == ("key", "ru")
    assert 15 < record.speaker_seconds < 16
    assert record.speaker_seconds + 20 <= record.seconds < record.speaker_seconds + 22
    assert record.started < record.ended
    ru, en = record.languages
    assert (ru.language, ru.listener_seconds, ru.reader_seconds) == ("ru", 5.05, 0)
    assert (ru.segments, ru.source_chars, ru.target_chars) == (0, 0, 0)
    assert 10 < en.listener_seconds < 11 and 9 < en.reader_seconds < 11
    assert (en.segments, en.source_chars, en.target_chars) == (1, len("слово"), len("word"))
    assert caption.final and "слово" in caption.text
    assert not {"слово", "word", "hall"} & set(str(asdict(record)).replace("'", " ").split())


async def test_who_is_there_when_a_room_closes_is_counted_and_who_never_connected_is_not() -> None:
    async with rooms_bench() as bench:
        await bench.speak(ANNA)
        for transport in (1, 2):
            await bench.manager.listen("hall", "offer", "en", Claimant(KEY))
            if transport == 1:
                bench.transports[transport].observer.on_connected()
        await asyncio.sleep(60)
    (record,) = bench.usage
    (en,) = record.languages
    assert isinstance(en, LanguageUsage)
    assert 60 <= en.listener_seconds < 61
    assert 60 <= record.speaker_seconds < 61


async def test_speaking_in_a_room_uses_the_minutes_of_the_key() -> None:
    limits = KeyLimits(minutes_a_day=1)
    async with rooms_bench(room_wait_s=1.0) as bench:
        await bench.speak(ANNA, limits=limits)
        bench.transports[0].observer.on_connected()
        await asyncio.sleep(120)
        (record,) = bench.usage
        assert 60 <= record.speaker_seconds < 62


class UnforgettingAst(FakeAst):
    """A translation that fails when it is to forget a session."""

    def forget(self, session_id: str) -> None:
        raise RuntimeError("stuck")


async def test_a_speaker_who_was_refused_leaves_no_account() -> None:
    async with rooms_bench() as bench:
        with pytest.raises(BadOffer):
            await bench.speak(ANNA, "bad")
        await asyncio.sleep(1)
        assert not bench.manager.names
    assert not bench.usage


async def test_a_speaker_counts_from_the_answer_to_the_offer() -> None:
    async with rooms_bench() as bench:
        await bench.speak(ANNA, "slow")
        await asyncio.sleep(60)
    (record,) = bench.usage
    assert 60 <= record.speaker_seconds < 60.5
    assert 61 <= record.seconds < 61.5


async def test_a_speaker_who_replaced_one_still_connecting_counts_alone() -> None:
    async with rooms_bench() as bench:
        slow = asyncio.create_task(bench.speak(ANNA, "slow"))
        await asyncio.sleep(0.5)
        await bench.speak(ANNA)
        with pytest.raises(RoomTaken):
            await slow
        await asyncio.sleep(60)
    (record,) = bench.usage
    assert 60.4 < record.speaker_seconds < 60.6


async def test_a_room_that_cannot_be_freed_in_order_leaves_its_account() -> None:
    async with rooms_bench(ast=UnforgettingAst()) as bench:
        await bench.speak(ANNA)
        await asyncio.sleep(60)
    (record,) = bench.usage
    assert 60 <= record.speaker_seconds < 61

"""The end of a room: its time, its speaker's key, and a server that stops."""

import asyncio
import json

import pytest

from rtc_server.errors import (
    RoomSilent,
    RoomTaken,
    UnknownRoom,
)
from rtc_server.rooms.caption_tape import Caption, CaptionReader
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant
from rtc_server.transport.transport_api import (
    CloseReason,
)
from tests.support.fakes import FakeTransport, FakeTts, tone
from tests.support.rooms_bench import (
    ANNA,
    KEY,
    SENTENCE,
    RoomsBench,
    rooms_bench,
)
from tests.support.session_bench import speak


async def test_a_room_says_that_it_will_close_once_to_everybody_who_is_there() -> None:
    def told(transport: FakeTransport) -> list[int]:
        events = map(json.loads, transport.sent)
        return [event["in_ms"] for event in events if event["type"] == "x.expiring"]

    async with rooms_bench() as bench:
        await bench.speak(ANNA, limits=KeyLimits(session_minutes=2))
        await bench.manager.listen("hall", "offer", "en", Claimant(KEY))
        assert bench.manager.state("hall", KEY).expires_in_ms == pytest.approx(120_000, abs=100)
        with bench.manager.read("hall", "en", None, Claimant(KEY)) as reader:
            await asyncio.sleep(58)
            assert not told(bench.transports[1])
            await asyncio.sleep(12)
            assert told(bench.transports[1]) == [pytest.approx(60_000, abs=600)]
            expiring = await reader.next(1.0)
            assert expiring is not None and json.loads(expiring.text)["type"] == "x.expiring"
            await bench.manager.listen(
                "hall", "offer", "ru", Claimant(KEY)
            )  # joins late, and gets the event as well
            await asyncio.sleep(1)
            assert told(bench.transports[2]) == [pytest.approx(50_000, abs=600)]
            await asyncio.sleep(60)
            assert reader.is_over
        assert all(transport.closed for transport in bench.transports)
        assert [len(told(transport)) for transport in bench.transports] == [0, 1, 1]


async def test_a_speaker_who_comes_back_gets_another_time() -> None:
    minute = KeyLimits(session_minutes=1)
    async with rooms_bench() as bench:
        await bench.speak(ANNA, limits=minute)
        with bench.manager.read("hall", "en", None, Claimant(KEY)) as reader:
            for _ in range(2):
                assert (caption := await reader.next(5.0)) and "x.expiring" in caption.text
                await bench.transports[-1].close()
                assert bench.manager.state("hall", KEY).expires_in_ms is None
                await bench.speak(ANNA, limits=minute)


async def test_a_room_closes_at_once_when_its_key_is_revoked() -> None:
    async with rooms_bench() as bench:
        await bench.speak(ANNA)
        await bench.manager.listen("hall", "offer", "en", Claimant(KEY))
        bench.quotas.revoke("key")
        await asyncio.sleep(1)
        assert [transport.closed for transport in bench.transports] == [CloseReason.LOCAL] * 2
        assert "session.closed" in bench.transports[1].sent[-1]
        with pytest.raises(UnknownRoom):
            bench.manager.state("hall", KEY)


async def until_mid_sentence(bench: RoomsBench) -> None:
    """Open a room for a minute, with a listener; its time is up while somebody speaks."""
    await bench.speak(ANNA, limits=KeyLimits(session_minutes=1))
    await bench.manager.listen("hall", "offer", "en", Claimant(KEY))
    await asyncio.sleep(58.5)
    await speak(bench.transports[0], tone(2.5))


async def test_a_room_whose_time_is_up_finishes_the_sentence() -> None:
    async with rooms_bench(FakeTts(seconds=3, delay_s=0.04)) as bench:
        await until_mid_sentence(bench)
        assert all(transport.closed is None for transport in bench.transports), (
            "the last sentence is being said"
        )
        with pytest.raises(RoomSilent):
            await bench.manager.listen("hall", "offer", "en", Claimant(KEY))
        with pytest.raises(RoomTaken):
            await bench.speak(KEY)
        encoded = bench.total("rtc_room_frames_encoded_total")
        assert encoded is not None
        await asyncio.sleep(4)
        spoken = [json.loads(text) for text in bench.transports[1].sent]
        finals = [event for event in spoken if event["type"] == "x.segment" and event["final"]]
        assert [event["target"]["text"] for event in finals] == ["word"]
        assert spoken[-1]["type"] == "session.closed"
        assert (bench.total("rtc_room_frames_encoded_total") or 0) - encoded > 100
        assert all(transport.closed for transport in bench.transports)


async def test_a_room_does_not_wait_for_ever_for_its_last_sentence() -> None:
    async with rooms_bench(FakeTts(delay_s=1000)) as bench:
        await until_mid_sentence(bench)
        await asyncio.sleep(8)
        assert all(transport.closed is None for transport in bench.transports)
        await asyncio.sleep(4)
        assert all(transport.closed for transport in bench.transports)


async def test_a_server_that_stops_does_not_wait_for_a_last_sentence() -> None:
    async with rooms_bench(FakeTts(delay_s=1000)) as bench:
        await until_mid_sentence(bench)
        stopped_s = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - stopped_s < 1


async def test_a_room_in_which_nobody_speaks_is_told_then_closes() -> None:
    async with rooms_bench(room_idle_minutes=2) as bench:
        await bench.speak(ANNA, limits=KeyLimits())
        with bench.manager.read("hall", "en", None, Claimant(KEY)) as reader:
            await asyncio.sleep(90)
            await speak(bench.transports[0], SENTENCE)
            await asyncio.sleep(90)
            told = [json.loads(each.text) for each in await written(reader)]
            assert [e["reason"] for e in told if e["type"] == "x.expiring"] == ["idle", "idle"]
            assert not reader.is_over
            await asyncio.sleep(60)
            assert reader.is_over


async def written(reader: CaptionReader) -> list[Caption]:
    """Return all captions that wait to be read."""
    captions = []
    while (caption := await reader.next(0.1)) is not None:
        captions.append(caption)
    return captions

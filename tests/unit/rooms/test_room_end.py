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
from tests.support.halls import (
    ANNA,
    KEY,
    SENTENCE,
    Halls,
    halls,
)
from tests.support.house import speak


async def test_a_room_says_that_it_will_close_once_to_everybody_who_is_there() -> None:
    def told(wire: FakeTransport) -> list[int]:
        events = map(json.loads, wire.sent)
        return [event["in_ms"] for event in events if event["type"] == "x.expiring"]

    async with halls() as h:
        await h.speak(ANNA, limits=KeyLimits(session_minutes=2))
        await h.manager.listen("hall", "offer", "en", Claimant(KEY))
        assert h.manager.state("hall", KEY).expires_in_ms == pytest.approx(120_000, abs=100)
        with h.manager.read("hall", "en", None, Claimant(KEY)) as reader:
            await asyncio.sleep(58)
            assert not told(h.wires[1])
            await asyncio.sleep(12)
            assert told(h.wires[1]) == [pytest.approx(60_000, abs=600)]
            expiring = await reader.next(1.0)
            assert expiring is not None and json.loads(expiring.text)["type"] == "x.expiring"
            await h.manager.listen(
                "hall", "offer", "ru", Claimant(KEY)
            )  # joins late, and gets the event as well
            await asyncio.sleep(1)
            assert told(h.wires[2]) == [pytest.approx(50_000, abs=600)]
            await asyncio.sleep(60)
            assert reader.is_over
        assert all(wire.closed for wire in h.wires)
        assert [len(told(wire)) for wire in h.wires] == [0, 1, 1]


async def test_a_speaker_who_comes_back_gets_another_time() -> None:
    minute = KeyLimits(session_minutes=1)
    async with halls() as h:
        await h.speak(ANNA, limits=minute)
        with h.manager.read("hall", "en", None, Claimant(KEY)) as reader:
            for _ in range(2):
                assert (caption := await reader.next(5.0)) and "x.expiring" in caption.text
                await h.wires[-1].close()
                assert h.manager.state("hall", KEY).expires_in_ms is None
                await h.speak(ANNA, limits=minute)


async def test_a_room_closes_at_once_when_its_key_is_revoked() -> None:
    async with halls() as h:
        await h.speak(ANNA)
        await h.manager.listen("hall", "offer", "en", Claimant(KEY))
        h.quotas.revoke("key")
        await asyncio.sleep(1)
        assert [wire.closed for wire in h.wires] == [CloseReason.LOCAL] * 2
        assert "session.closed" in h.wires[1].sent[-1]
        with pytest.raises(UnknownRoom):
            h.manager.state("hall", KEY)


async def until_mid_sentence(h: Halls) -> None:
    """Open a room for a minute, with a listener; its time is up while somebody speaks."""
    await h.speak(ANNA, limits=KeyLimits(session_minutes=1))
    await h.manager.listen("hall", "offer", "en", Claimant(KEY))
    await asyncio.sleep(58.5)
    await speak(h.wires[0], tone(2.5))


async def test_a_room_whose_time_is_up_finishes_the_sentence() -> None:
    async with halls(FakeTts(seconds=3, delay_s=0.04)) as h:
        await until_mid_sentence(h)
        assert all(wire.closed is None for wire in h.wires), "the last sentence is being said"
        with pytest.raises(RoomSilent):
            await h.manager.listen("hall", "offer", "en", Claimant(KEY))
        with pytest.raises(RoomTaken):
            await h.speak(KEY)
        encoded = h.total("rtc_room_frames_encoded_total")
        assert encoded is not None
        await asyncio.sleep(4)
        spoken = [json.loads(text) for text in h.wires[1].sent]
        finals = [event for event in spoken if event["type"] == "x.segment" and event["final"]]
        assert [event["target"]["text"] for event in finals] == ["word"]
        assert spoken[-1]["type"] == "session.closed"
        assert (h.total("rtc_room_frames_encoded_total") or 0) - encoded > 100
        assert all(wire.closed for wire in h.wires)


async def test_a_room_does_not_wait_for_ever_for_its_last_sentence() -> None:
    async with halls(FakeTts(delay_s=1000)) as h:
        await until_mid_sentence(h)
        await asyncio.sleep(8)
        assert all(wire.closed is None for wire in h.wires)
        await asyncio.sleep(4)
        assert all(wire.closed for wire in h.wires)


async def test_a_server_that_stops_does_not_wait_for_a_last_sentence() -> None:
    async with halls(FakeTts(delay_s=1000)) as h:
        await until_mid_sentence(h)
        stopped_s = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - stopped_s < 1


async def test_a_room_in_which_nobody_speaks_is_told_then_closes() -> None:
    async with halls(room_idle_minutes=2) as h:
        await h.speak(ANNA, limits=KeyLimits())
        with h.manager.read("hall", "en", None, Claimant(KEY)) as reader:
            await asyncio.sleep(90)
            await speak(h.wires[0], SENTENCE)
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

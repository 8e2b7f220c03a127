"""Rooms on transports without a network: speakers, ids of captions, and the end of a room."""

import asyncio
import json
from contextlib import ExitStack

import pytest

from rtc_server.errors import (
    AdmissionRefused,
    BadOffer,
    RateLimited,
    RoomTaken,
    UnknownRoom,
    UnknownSession,
)
from rtc_server.pcm import Pcm
from rtc_server.rooms.caption_tape import READER_CAPTIONS, Caption
from rtc_server.rooms.room_api import SpeakerRequest
from rtc_server.session.place_limits import UNCONNECTED_LISTENERS
from rtc_server.session.session_api import Claimant, Owner
from rtc_server.transport.transport_api import (
    CloseReason,
    TransportStats,
)
from tests.support.fakes import FakeAst, FakeTts, tone
from tests.support.rooms_bench import (
    ANNA,
    BORIS,
    KEY,
    ONE,
    SENTENCE,
    next_final,
    rooms_bench,
)
from tests.support.session_bench import speak


def segment_id(caption: Caption) -> str:
    name: str = json.loads(caption.text)["segment_id"]
    return name


async def test_no_room_is_opened_while_the_engines_carry_no_more_and_speakers_come_back() -> None:
    async with rooms_bench() as bench:
        await bench.speak(ANNA)
        await bench.transports[0].close()
        bench.readiness.retry_after_s = 7
        with pytest.raises(AdmissionRefused, match="as much as it can") as caught:
            await bench.manager.speak(
                "other", "offer", SpeakerRequest(claimant=Claimant(BORIS, ONE))
            )
        assert (caught.value.retry_after_s, caught.value.status) == (7, 503)
        assert bench.total("rtc_rooms") == 1
        bench.free_session()  # a refused speaker holds no place
        await bench.speak(ANNA)  # her room is one of those that are carried
        await bench.manager.listen("hall", "offer", "en", Claimant(KEY, ONE))
        bench.readiness.retry_after_s = 0
        await bench.manager.speak("other", "offer", SpeakerRequest(claimant=Claimant(BORIS)))
        assert bench.total("rtc_rooms") == 2


async def test_a_speaker_who_comes_again_replaces_the_transport_it_had() -> None:
    async with rooms_bench() as bench:
        await bench.speak(ANNA)
        with bench.manager.read("hall", "en", None, Claimant(KEY)) as reader:
            with pytest.raises(BadOffer):
                await bench.speak(ANNA, "bad")
            assert bench.transports[0].closed is None, "what failed changes nothing"
            for other in (BORIS, Owner("key", "third")):
                with pytest.raises(RoomTaken):
                    await bench.speak(other)
            await bench.speak(ANNA)
            bench.transports[0].observer.on_pcm(
                Pcm(tone(0.02), 99_000_000)
            )  # nobody receives the old one
            await speak(bench.transports[1], SENTENCE)
            await next_final(reader)
        assert [transport.closed is None for transport in bench.transports] == [False, True]
        assert bench.manager.state("hall", ANNA).live
        await bench.speak(KEY)  # a key may do whatever its secrets may
        with pytest.raises(RoomTaken):
            await bench.speak(ANNA)
        await bench.transports[-1].close()
        assert all(transport.closed for transport in bench.transports)
        bench.free_session()


async def test_a_speaker_replaced_while_connecting_is_told_so() -> None:
    async with rooms_bench() as bench:
        slow = asyncio.create_task(bench.speak(ANNA, "slow"))
        await asyncio.sleep(0.5)
        await bench.speak(ANNA)
        with pytest.raises(RoomTaken):
            await slow
        assert [transport.closed is None for transport in bench.transports] == [True, False]
        assert bench.manager.state("hall", ANNA).live


async def test_without_keys_nobody_is_pushed_away() -> None:
    async with rooms_bench() as bench:
        await bench.speak(Owner())
        with pytest.raises(RoomTaken):
            await bench.speak(Owner())
        assert len(bench.transports) == 1


async def test_a_segment_is_never_called_as_another_of_its_room() -> None:
    """Not even when its language ended in between, and is interpreted again."""
    async with rooms_bench(room_linger_s=0) as bench:
        await bench.speak(ANNA)
        names: list[str] = []
        for start in (0, len(SENTENCE)):
            with bench.manager.read("hall", "en", None, Claimant(KEY)) as reader:
                for name in names:  # a late reader gets the latest captions
                    assert segment_id(await next_final(reader)) == name
                await speak(bench.transports[0], SENTENCE, start=start)
                names.append(segment_id(await next_final(reader)))
            await asyncio.sleep(2)
        assert len(set(names)) == 2


@pytest.mark.parametrize("is_heard", [True, False], ids=["heard", "only read"])
async def test_the_engines_know_of_a_language_before_anything_is_said(is_heard: bool) -> None:
    ast, tts = FakeAst(), FakeTts()
    async with rooms_bench(tts, ast) as bench:
        await bench.speak(ANNA)
        assert not ast.expected
        with ExitStack() as stack:
            if is_heard:
                await bench.manager.listen("hall", "offer", "en", Claimant(KEY))
            else:
                stack.enter_context(bench.manager.read("hall", "en", None, Claimant(KEY)))
            await asyncio.sleep(0.1)
            assert len(ast.expected) == 1 and ast.expected[0].endswith(" en")
            assert tts.expected == (ast.expected if is_heard else [])


async def test_the_voice_knows_of_a_language_that_was_only_read_once_somebody_listens() -> None:
    ast, tts = FakeAst(), FakeTts()
    async with rooms_bench(tts, ast) as bench:
        await bench.speak(ANNA)
        with bench.manager.read("hall", "en", None, Claimant(KEY)):
            await asyncio.sleep(0.1)
            assert tts.expected == []
            for _ in range(2):  # the second adds no work
                await bench.manager.listen("hall", "offer", "en", Claimant(KEY))
            assert tts.expected == ast.expected


async def test_one_invites_to_rooms_of_ones_own_or_of_nobody() -> None:
    async with rooms_bench() as bench:
        assert bench.manager.may_invite("hall", BORIS)
        await bench.speak(ANNA)
        told = {owner: bench.manager.may_invite("hall", owner) for owner in (ANNA, BORIS, KEY)}
        assert told == {ANNA: True, BORIS: False, KEY: True}


async def test_a_transport_that_does_not_close_keeps_nothing_from_being_freed() -> None:
    async with rooms_bench() as bench:
        await bench.speak(ANNA, "stuck")
        await bench.manager.listen("hall", "offer", "en", Claimant(KEY))
    assert bench.transports[1].closed is CloseReason.LOCAL
    bench.free_session()


async def test_transports_of_a_room_are_counted_like_those_of_sessions() -> None:
    """Jitter and loss are only the speaker's: a listener sends no media."""
    async with rooms_bench() as bench:
        await bench.speak(ANNA)
        await bench.manager.listen("hall", "offer", "en", Claimant(KEY))
        spoken, heard = bench.transports
        for transport in bench.transports:
            transport.observer.on_connected()
        spoken.stats = TransportStats(packets_received=95, packets_lost=5, jitter_ms=3.0)
        heard.stats = TransportStats(packets_sent=40, messages_dropped=2)
        await asyncio.sleep(3.2)
        assert bench.total("rtc_packets_total", way="received") == 95
        assert bench.total("rtc_packets_total", way="sent") == 40
        assert bench.total("rtc_queue_drops_total", queue="events") == 2
        assert bench.total("rtc_jitter_seconds_count") == 3
        heard.stats.packets_sent = 50
        await heard.close()
        assert bench.total("rtc_packets_total", way="sent") == 50, "the rest is told at the end"
        await spoken.close()
        assert bench.total("rtc_session_loss_count") == 1
        assert bench.total("rtc_session_loss_sum") == 0.05


async def test_captions_that_a_reader_was_too_slow_for_are_counted() -> None:
    async with rooms_bench() as bench:
        await bench.speak(ANNA)
        with bench.manager.read("hall", "en", None, Claimant(KEY)) as reader:
            for number in range(READER_CAPTIONS + 3):
                reader.caption(Caption(str(number), number, "", final=False))
        assert bench.total("rtc_queue_drops_total", queue="room_captions") == 3


async def test_one_key_leaves_a_room_to_the_others() -> None:
    """Of eight rooms, the sixth is the last of a key that has rivals."""
    one, two = (Claimant(Owner(key), has_rivals=True) for key in ("one", "two"))
    async with rooms_bench(max_rooms=8) as bench:
        for number in range(6):
            await bench.manager.speak(f"of-one-{number}", "offer", SpeakerRequest(claimant=one))
        with pytest.raises(RateLimited, match="kept for other keys"):
            await bench.manager.speak("of-one-6", "offer", SpeakerRequest(claimant=one))
        await bench.manager.speak("of-two", "offer", SpeakerRequest(claimant=two))


async def test_listeners_who_left_or_were_refused_hold_no_place() -> None:
    hall = Claimant(KEY, source="192.0.2.1")
    places = UNCONNECTED_LISTENERS
    async with rooms_bench(room_listeners=places, room_address_listeners=places) as bench:
        await bench.speak(ANNA)
        for _ in range(2 * UNCONNECTED_LISTENERS):
            with pytest.raises(BadOffer):
                await bench.manager.listen("hall", "bad", "en", hall)
            await bench.manager.listen("hall", "offer", "en", hall)
            await bench.transports[-1].close()
        for _ in range(UNCONNECTED_LISTENERS):
            await bench.manager.listen("hall", "offer", "en", hall)
        with pytest.raises(RateLimited):
            await bench.manager.listen("hall", "offer", "en", hall)
        bench.transports[-1].observer.on_connected()
        with pytest.raises(AdmissionRefused, match="places of this room"):
            await bench.manager.listen("hall", "offer", "en", hall)


async def test_one_address_leaves_places_of_a_room_to_others() -> None:
    near, far = (Claimant(KEY, source=f"192.0.2.{n}") for n in (1, 2))
    async with rooms_bench(room_listeners=5) as bench:
        await bench.speak(ANNA)
        with bench.manager.read("hall", "en", None, near):
            for _ in range(3):
                await bench.manager.listen("hall", "offer", "en", near)
            with pytest.raises(RateLimited, match="All 4 places that one address"):
                await bench.manager.listen("hall", "offer", "en", near)
            with pytest.raises(RateLimited), bench.manager.read("hall", "ru", None, near):
                pass
            await bench.manager.listen("hall", "offer", "en", far)
            with pytest.raises(AdmissionRefused, match="All 5 places of this room"):
                await bench.manager.listen("hall", "offer", "en", far)
        await bench.manager.listen("hall", "offer", "en", near)


async def test_nobody_is_counted_where_many_stand_behind_one_address() -> None:
    async with rooms_bench(room_listeners=5, room_address_listeners=1) as bench:
        await bench.speak(ANNA)
        for _ in range(5):
            await bench.manager.listen("hall", "offer", "en", Claimant(KEY))


async def test_each_key_has_rooms_and_names_of_its_own() -> None:
    one, two = Claimant(Owner("one")), Claimant(Owner("two"))
    async with rooms_bench() as bench:
        first = await bench.manager.speak("hall", "offer", SpeakerRequest(claimant=one))
        with pytest.raises(UnknownRoom):
            bench.manager.state("hall", two.owner)
        second = await bench.manager.speak("hall", "offer", SpeakerRequest(claimant=two))
        assert bench.manager.owner("hall", first.session_id) == one.owner
        assert bench.manager.owner("hall", second.session_id) == two.owner
        await bench.manager.hang_up("hall", first.session_id)
        assert not bench.manager.state("hall", one.owner).live
        assert bench.manager.state("hall", two.owner).live
        with pytest.raises(UnknownSession):
            bench.manager.owner("other", second.session_id)

"""The pool of engine servers: places, losses, drains and back-pressure, in virtual time."""

import asyncio
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from rtc_server.config import EngineSettings
from rtc_server.engines.base import TtsRequest
from rtc_server.engines.remote import connection
from rtc_server.engines.remote.pool import MOST_LOSSES
from rtc_server.engines.remote.pooled_server import SUSPECT_S
from rtc_server.engines.remote.rendezvous import affinity, ranked
from rtc_server.errors import EngineCrashed, EngineTimeout, EngineUnavailable
from tests.support.engine_pool import HeldServer, HeldServers, asked, speaking, talk, translating
from tests.support.fakes import TTS_CAPABILITIES
from tests.support.until import until


def street(*names: str) -> HeldServers:
    return HeldServers(*(HeldServer(name) for name in names or ("unix:a", "unix:b")))


def asked_house(some: HeldServers) -> HeldServer:
    """The house with a segment that waits."""
    [house] = [each for each in some.houses.values() if any(not f.done() for f in each.ast.futures)]
    return house


def other_than(some: HeldServers, house: HeldServer) -> HeldServer:
    [other] = [each for each in some.houses.values() if each is not house]
    return other


async def settled() -> None:
    """Let frames pass; no timer of the pool is so short."""
    await asyncio.sleep(0.01)


def test_a_server_that_goes_moves_its_own_sessions_alone() -> None:
    servers = [f"10.0.0.{n}:7070" for n in range(5)]
    before = {f"sess_{n}": ranked(f"sess_{n}", servers)[0] for n in range(2000)}
    after = {key: ranked(key, servers[1:])[0] for key in before}
    moved = {key for key in before if before[key] != after[key]}
    assert moved == {key for key in before if before[key] == servers[0]}
    assert max(Counter(before.values()).values()) < 500


def test_the_languages_of_a_room_share_a_server() -> None:
    assert affinity("room lesson ru") == affinity("room lesson de") == affinity("room lesson")
    assert affinity("room lesson ru") != affinity("room other ru")
    assert affinity("sess_1") == "sess_1"


async def test_a_session_stays_with_its_server_and_sessions_spread() -> None:
    some = street()
    async with translating(some) as ast:
        for _ in range(2):
            for n in range(40):
                ast.submit(asked(talk(0.1)), session_id=f"s{n}")
        await settled()
        seen = [Counter(house.ast.sessions) for house in some.houses.values()]
        assert not seen[0].keys() & seen[1].keys()
        assert min(len(each) for each in seen) > 10
        assert set(seen[0].values()) == {2}
        assert "m/s0" in seen[0].keys() | seen[1].keys()


async def test_a_segment_of_a_killed_server_is_asked_of_another_whole() -> None:
    some = street()
    async with translating(some) as ast:
        samples = talk(3.0)
        ast.submit_partial(asked(samples[:32000], partial=True), session_id="s")
        answer = ast.submit(asked(samples), session_id="s")
        await settled()
        first = asked_house(some)
        await first.kill()
        await settled()
        second = other_than(some, first)
        np.testing.assert_array_equal(second.ast.requests[-1].samples, samples)
        second.ast.answer("moved")
        assert (await answer).target_text == "moved"
        assert some.sample("rtc_engine_calls_moved_total", kind="ast") == 1
        assert some.sample("rtc_engine_server_up", kind="ast", server=first.name) == 0
        answer = ast.submit(asked(samples), session_id="s")
        await settled()
        assert asked_house(some) is second
        second.ast.answer()
        await answer


async def test_a_partial_of_a_killed_server_is_no_failure() -> None:
    some = street()
    async with translating(some) as ast:
        partial = ast.submit_partial(asked(talk(1.0), partial=True), session_id="s")
        speculative = ast.submit_speculative(asked(talk(1.0)), session_id="s")
        await settled()
        await asked_house(some).kill()
        assert await partial is None
        assert await speculative is None


async def test_a_segment_that_every_server_is_lost_with_is_given_up() -> None:
    some = street()
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(1.0)), session_id="s")
        for _ in range(MOST_LOSSES):
            await settled()
            house = asked_house(some)
            await house.kill()
            house.is_up = True
            await asyncio.sleep(5)
        with pytest.raises(EngineCrashed, match="lost"):
            await answer


async def test_with_no_server_left_a_segment_waits_for_one_and_fails_in_its_time() -> None:
    some = street("unix:a")
    settings = EngineSettings(engine_wait_s=5, engine_patience_s=3)
    async with translating(some, settings) as ast:
        house = some.houses["unix:a"]
        loop = asyncio.get_running_loop()
        await house.kill()
        await settled()
        assert not ast.ready
        assert await ast.submit_partial(asked(talk(1.0), partial=True), session_id="s") is None
        began_s, late = loop.time(), ast.submit(asked(talk(1.0)), session_id="s")
        with pytest.raises(EngineTimeout, match="8 s"):
            await late
        assert loop.time() - began_s == pytest.approx(8, abs=0.1)
        served = ast.submit(asked(talk(1.0)), session_id="s")
        house.is_up = True
        await until(lambda: ast.ready)
        await settled()
        house.ast.answer("back")
        assert (await served).target_text == "back"


async def test_a_silent_server_is_not_waited_for_when_there_is_another() -> None:
    some = street()
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(1.0)), session_id="s")
        await settled()
        frozen, began_s = asked_house(some), asyncio.get_running_loop().time()
        frozen.freeze()
        other = other_than(some, frozen)
        await until(lambda: bool(other.ast.futures))
        other.ast.answer("in time")
        assert (await answer).target_text == "in time"
        assert asyncio.get_running_loop().time() - began_s < SUSPECT_S + 0.6


async def test_a_slow_engine_is_not_a_hung_server() -> None:
    some = street()
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(1.0)), session_id="s")
        await asyncio.sleep(20)
        house = asked_house(some)
        house.ast.answer("slow")
        assert (await answer).target_text == "slow"
        assert not other_than(some, house).ast.futures


async def test_a_server_that_stops_finishes_what_it_has_and_gets_nothing_new() -> None:
    some = street()
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(1.0)), session_id="s")
        await settled()
        stopping = asked_house(some)
        drain = asyncio.create_task(stopping.server.drain(10))
        await settled()
        later = [ast.submit(asked(talk(0.1)), session_id=f"s{n}") for n in range(20)]
        again = ast.submit(asked(talk(0.1)), session_id="s")
        await settled()
        assert len(stopping.ast.futures) == 1
        assert not drain.done()
        for house in some.houses.values():
            house.ast.answer(house.name)
        assert (await answer).target_text == stopping.name
        other = other_than(some, stopping)
        assert {(await each).target_text for each in [*later, again]} == {other.name}
        await drain


async def test_what_crosses_a_drain_on_its_way_is_asked_of_another() -> None:
    some = street()
    async with translating(some) as ast:
        first = ast.submit(asked(talk(1.0)), session_id="s")
        await settled()
        house = asked_house(some)
        house.ast.answer()
        await first
        crossing = ast.submit(asked(talk(1.0)), session_id="s")
        house.server.is_draining = True
        await house.server.drain(0)  # before the question is read
        await settled()
        other = other_than(some, house)
        other.ast.answer("other")
        assert (await crossing).target_text == "other"


async def test_cancelling_takes_the_call_back() -> None:
    some = street("unix:a")
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(1.0)), session_id="s")
        await settled()
        answer.cancel()
        await settled()
        [future] = some.houses["unix:a"].ast.futures
        assert future.cancelled()


async def test_a_session_that_is_over_is_forgotten_by_its_server() -> None:
    some = street()
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(1.0)), session_id="s")
        await settled()
        house = asked_house(some)
        ast.forget("s")
        await settled()
        assert answer.cancelled()
        assert house.ast.forgotten == ["m/s"]


async def test_back_pressure_counts_when_no_server_is_free_and_new_sessions_avoid_it() -> None:
    some = street()
    busy, free = some.houses.values()
    async with translating(some) as ast:
        busy.ast.retry_after_s = 7
        await asyncio.sleep(1)
        assert ast.retry_after_s == 0
        for n in range(20):
            ast.submit(asked(talk(0.1)), session_id=f"s{n}")
        await settled()
        assert (len(busy.ast.futures), len(free.ast.futures)) == (0, 20)
        free.ast.retry_after_s = 3
        await asyncio.sleep(1)
        assert ast.retry_after_s == 3


async def test_a_server_whose_engine_restarts_is_avoided() -> None:
    some = street()
    restarting, well = some.houses.values()
    async with translating(some) as ast:
        restarting.ast.ready = False
        await asyncio.sleep(1)
        assert ast.ready
        for n in range(20):
            ast.submit(asked(talk(0.1)), session_id=f"s{n}")
        await settled()
        assert not restarting.ast.futures
        well.ast.ready = False
        await asyncio.sleep(1)
        assert not ast.ready


async def test_a_server_with_another_engine_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    odd = HeldServer("unix:odd", title="Another 2.0", engine="another")
    some = HeldServers(HeldServer("unix:a"), odd)
    async with translating(some) as ast:
        for n in range(10):
            ast.submit(asked(talk(0.1)), session_id=f"s{n}")
        await settled()
        used = [bool(house.ast.futures) for house in some.houses.values()]
        assert sorted(used) == [False, True]
        assert "cannot stand in" in caplog.text


async def test_no_server_at_the_start_is_said_with_the_reasons() -> None:
    house = HeldServer("unix:a", is_up=False)
    some = HeldServers(house)
    with pytest.raises(EngineUnavailable, match=r"unix:a: cannot be reached"):
        async with translating(some, EngineSettings(engine_start_s=3)):
            pass
    await some.close()


async def test_an_answer_to_what_was_speculative_counts_for_the_commit() -> None:
    some = street("unix:a")
    house = some.houses["unix:a"]
    async with translating(some) as ast:
        request = asked(talk(1.0))
        speculative = ast.submit_speculative(request, session_id="s")
        await settled()
        committed = ast.commit(request, speculative, session_id="s")
        await settled()
        assert house.ast.commits == [0]
        assert len(house.ends[0].sent[-1]) < 1000  # no audio twice
        house.ast.answer("early")
        assert (await committed).target_text == "early"

        speculative = ast.submit_speculative(request, session_id="s")
        await settled()
        house.ast.answer("on its way")
        committed = ast.commit(request, speculative, session_id="s")  # before that is read
        assert (await committed).target_text == "on its way"

        committed = ast.commit(request, speculative, session_id="s")
        assert (await committed).target_text == "on its way"
        assert len(house.ast.futures) == 3  # two speculative, one commit that came too late


async def test_a_commit_whose_server_is_lost_is_asked_of_another() -> None:
    some = street()
    async with translating(some) as ast:
        request = asked(talk(1.0))
        speculative = ast.submit_speculative(request, session_id="s")
        committed = ast.commit(request, speculative, session_id="s")
        await settled()
        house = asked_house(some)
        await house.kill()
        await settled()
        other = other_than(some, house)
        other.ast.answer("again")
        assert (await committed).target_text == "again"
        assert other.ast.commits == []


async def test_speech_that_has_not_begun_moves_and_speech_that_has_fails() -> None:
    some = street()
    chunk = np.full(2400, 0.25, np.float32)
    async with speaking(some) as tts:
        whole = tts.synthesize(TtsRequest("one", "en"), session_id="s")
        await settled()
        [first] = [house for house in some.houses.values() if house.tts.speeches]
        second = other_than(some, first)
        begun = tts.synthesize(TtsRequest("two", "en"), session_id="s")
        await settled()
        first.tts.speeches[1].put(chunk)
        np.testing.assert_allclose(await anext(begun), chunk)
        await first.kill()
        await settled()
        [moved] = second.tts.speeches
        assert moved.request.text == "one"
        moved.put(chunk)
        moved.finish()
        assert [each.size async for each in whole] == [2400]
        with pytest.raises(EngineCrashed):
            await anext(begun)


async def test_what_a_server_did_not_take_is_not_asked_once_more_when_it_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "MOST_UNSENT_BYTES", 1)  # one frame at a time
    some = street()
    async with speaking(some) as tts:
        first = tts.synthesize(TtsRequest("one", "en"), session_id="s")
        second = tts.synthesize(TtsRequest("two", "en"), session_id="s")
        await settled()
        [full] = [
            house
            for house in some.houses.values()
            if [each.request.text for each in house.tts.speeches] == ["one"]
        ]
        other = other_than(some, full)
        await full.kill()
        await settled()
        assert [each.request.text for each in other.tts.speeches] == ["two", "one"]
        assert some.sample("rtc_engine_calls_moved_total", kind="tts") == 1
        await first.aclose()
        await second.aclose()


async def test_speech_that_nobody_wants_any_more_is_stopped() -> None:
    some = HeldServers(HeldServer("unix:a"))
    async with speaking(some) as tts:
        speech = tts.synthesize(TtsRequest("one", "en"), session_id="s")
        await settled()
        [made] = some.houses["unix:a"].tts.speeches
        await speech.aclose()
        await settled()
        assert made.done()


async def test_a_voice_with_another_rate_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    odd = HeldServer("unix:b", tts_capabilities=replace(TTS_CAPABILITIES, sample_rate=8000))
    some = HeldServers(HeldServer("unix:a"), odd)
    async with speaking(some):
        assert "cannot stand in" in caplog.text


async def test_a_media_process_that_leaves_costs_its_servers_nothing() -> None:
    some = street("unix:a")
    house = some.houses["unix:a"]
    async with translating(some) as ast:
        ast.submit(asked(talk(1.0)), session_id="s")
        await settled()
    assert house.ast.futures[0].cancelled()
    assert house.ast.forgotten == ["m/s"]
    assert house.server.calls == 0


async def test_a_segment_that_no_server_answers_in_time_fails_and_is_taken_back() -> None:
    some = street("unix:a")
    settings = EngineSettings(engine_wait_s=5, engine_patience_s=3)
    async with translating(some, settings) as ast:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        with pytest.raises(EngineTimeout):  # whoever of both is first says so
            await ast.submit(asked(talk(1.0)), session_id="s")
        most_s = 5 + 2 * 3 + ast.capabilities.deadline_s
        assert loop.time() - began_s == pytest.approx(most_s, abs=0.1)
        await settled()
        assert some.houses["unix:a"].ast.futures[0].cancelled()

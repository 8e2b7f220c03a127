"""Pool of engine servers: calls of a server that is lost, silent or late."""

import asyncio

import numpy as np
import pytest

from rtc_server.config import EngineSettings
from rtc_server.engines.base import TtsRequest
from rtc_server.engines.remote import connection
from rtc_server.engines.remote.pool import MOST_LOSSES
from rtc_server.engines.remote.pooled_server import SUSPECT_S
from rtc_server.errors import EngineCrashed, EngineTimeout
from tests.support.engine_pool import (
    asked,
    asked_server,
    frames_pass,
    held_servers,
    other_than,
    speaking,
    talk,
    translating,
)
from tests.support.until import until


async def test_a_segment_of_a_killed_server_is_asked_of_another_whole() -> None:
    some = held_servers()
    async with translating(some) as ast:
        samples = talk(3.0)
        ast.submit_partial(asked(samples[:32000], partial=True), session_id="s")
        answer = ast.submit(asked(samples), session_id="s")
        await frames_pass()
        first = asked_server(some)
        await first.kill()
        await frames_pass()
        second = other_than(some, first)
        np.testing.assert_array_equal(second.ast.requests[-1].samples, samples)
        second.ast.answer("moved")
        assert (await answer).target_text == "moved"
        assert some.sample("rtc_engine_calls_moved_total", kind="ast") == 1
        assert some.sample("rtc_engine_server_up", kind="ast", server=first.name) == 0
        answer = ast.submit(asked(samples), session_id="s")
        await frames_pass()
        assert asked_server(some) is second
        second.ast.answer()
        await answer


async def test_a_partial_of_a_killed_server_is_no_failure() -> None:
    some = held_servers()
    async with translating(some) as ast:
        partial = ast.submit_partial(asked(talk(1.0), partial=True), session_id="s")
        speculative = ast.submit_speculative(asked(talk(1.0)), session_id="s")
        await frames_pass()
        await asked_server(some).kill()
        assert await partial is None
        assert await speculative is None


async def test_a_segment_that_every_server_is_lost_with_is_given_up() -> None:
    some = held_servers()
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(1.0)), session_id="s")
        for _ in range(MOST_LOSSES):
            await frames_pass()
            held = asked_server(some)
            await held.kill()
            held.is_up = True
            await asyncio.sleep(5)
        with pytest.raises(EngineCrashed, match="lost"):
            await answer


async def test_with_no_server_left_a_segment_waits_for_one_and_fails_in_its_time() -> None:
    some = held_servers("unix:a")
    settings = EngineSettings(engine_wait_s=5, engine_patience_s=3)
    async with translating(some, settings) as ast:
        held = some.by_name["unix:a"]
        loop = asyncio.get_running_loop()
        await held.kill()
        await frames_pass()
        assert not ast.ready
        assert await ast.submit_partial(asked(talk(1.0), partial=True), session_id="s") is None
        began_s, late = loop.time(), ast.submit(asked(talk(1.0)), session_id="s")
        with pytest.raises(EngineTimeout, match="8 s"):
            await late
        assert loop.time() - began_s == pytest.approx(8, abs=0.1)
        served = ast.submit(asked(talk(1.0)), session_id="s")
        held.is_up = True
        await until(lambda: ast.ready)
        await frames_pass()
        held.ast.answer("back")
        assert (await served).target_text == "back"


async def test_a_silent_server_is_not_waited_for_when_there_is_another() -> None:
    some = held_servers()
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(1.0)), session_id="s")
        await frames_pass()
        frozen, began_s = asked_server(some), asyncio.get_running_loop().time()
        frozen.freeze()
        other = other_than(some, frozen)
        await until(lambda: bool(other.ast.futures))
        other.ast.answer("in time")
        assert (await answer).target_text == "in time"
        assert asyncio.get_running_loop().time() - began_s < SUSPECT_S + 0.6


async def test_a_commit_whose_server_is_lost_is_asked_of_another() -> None:
    some = held_servers()
    async with translating(some) as ast:
        request = asked(talk(1.0))
        speculative = ast.submit_speculative(request, session_id="s")
        committed = ast.commit(request, speculative, session_id="s")
        await frames_pass()
        held = asked_server(some)
        await held.kill()
        await frames_pass()
        other = other_than(some, held)
        other.ast.answer("again")
        assert (await committed).target_text == "again"
        assert other.ast.commits == []


async def test_speech_that_has_not_begun_moves_and_speech_that_has_fails() -> None:
    some = held_servers()
    chunk = np.full(2400, 0.25, np.float32)
    async with speaking(some) as tts:
        whole = tts.synthesize(TtsRequest("one", "en"), session_id="s")
        await frames_pass()
        [first] = [held for held in some.by_name.values() if held.tts.speeches]
        second = other_than(some, first)
        begun = tts.synthesize(TtsRequest("two", "en"), session_id="s")
        await frames_pass()
        first.tts.speeches[1].put(chunk)
        np.testing.assert_allclose(await anext(begun), chunk)
        await first.kill()
        await frames_pass()
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
    some = held_servers()
    async with speaking(some) as tts:
        first = tts.synthesize(TtsRequest("one", "en"), session_id="s")
        second = tts.synthesize(TtsRequest("two", "en"), session_id="s")
        await frames_pass()
        [full] = [
            held
            for held in some.by_name.values()
            if [each.request.text for each in held.tts.speeches] == ["one"]
        ]
        other = other_than(some, full)
        await full.kill()
        await frames_pass()
        assert [each.request.text for each in other.tts.speeches] == ["two", "one"]
        assert some.sample("rtc_engine_calls_moved_total", kind="tts") == 1
        await first.aclose()
        await second.aclose()


async def test_a_segment_that_no_server_answers_in_time_fails_and_is_taken_back() -> None:
    some = held_servers("unix:a")
    settings = EngineSettings(engine_wait_s=5, engine_patience_s=3)
    async with translating(some, settings) as ast:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        with pytest.raises(EngineTimeout):  # either of the two limits may come first
            await ast.submit(asked(talk(1.0)), session_id="s")
        most_s = 5 + 2 * 3 + ast.capabilities.deadline_s
        assert loop.time() - began_s == pytest.approx(most_s, abs=0.1)
        await frames_pass()
        assert some.by_name["unix:a"].ast.futures[0].cancelled()

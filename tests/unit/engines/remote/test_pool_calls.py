"""Pool of engine servers: calls that are committed, taken back, forgotten or drained."""

import asyncio

from rtc_server.engines.base import TtsRequest
from tests.support.engine_pool import (
    HeldServer,
    HeldServers,
    asked,
    asked_server,
    frames_pass,
    held_servers,
    other_than,
    speaking,
    talk,
    translating,
)


async def test_a_server_that_stops_finishes_what_it_has_and_gets_nothing_new() -> None:
    some = held_servers()
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(1.0)), session_id="s")
        await frames_pass()
        stopping = asked_server(some)
        drain = asyncio.create_task(stopping.server.drain(10))
        await frames_pass()
        later = [ast.submit(asked(talk(0.1)), session_id=f"s{n}") for n in range(20)]
        again = ast.submit(asked(talk(0.1)), session_id="s")
        await frames_pass()
        assert len(stopping.ast.futures) == 1
        assert not drain.done()
        for held in some.by_name.values():
            held.ast.answer(held.name)
        assert (await answer).target_text == stopping.name
        other = other_than(some, stopping)
        assert {(await each).target_text for each in [*later, again]} == {other.name}
        await drain


async def test_what_crosses_a_drain_on_its_way_is_asked_of_another() -> None:
    some = held_servers()
    async with translating(some) as ast:
        first = ast.submit(asked(talk(1.0)), session_id="s")
        await frames_pass()
        held = asked_server(some)
        held.ast.answer()
        await first
        crossing = ast.submit(asked(talk(1.0)), session_id="s")
        held.server.is_draining = True
        await held.server.drain(0)  # before the request is read
        await frames_pass()
        other = other_than(some, held)
        other.ast.answer("other")
        assert (await crossing).target_text == "other"


async def test_cancelling_takes_the_call_back() -> None:
    some = held_servers("unix:a")
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(1.0)), session_id="s")
        await frames_pass()
        answer.cancel()
        await frames_pass()
        [future] = some.by_name["unix:a"].ast.futures
        assert future.cancelled()


async def test_a_session_that_is_over_is_forgotten_by_its_server() -> None:
    some = held_servers()
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(1.0)), session_id="s")
        await frames_pass()
        held = asked_server(some)
        ast.forget("s")
        await frames_pass()
        assert answer.cancelled()
        assert held.ast.forgotten == ["m/s"]


async def test_an_answer_to_what_was_speculative_counts_for_the_commit() -> None:
    some = held_servers("unix:a")
    held = some.by_name["unix:a"]
    async with translating(some) as ast:
        request = asked(talk(1.0))
        speculative = ast.submit_speculative(request, session_id="s")
        await frames_pass()
        committed = ast.commit(request, speculative, session_id="s")
        await frames_pass()
        assert held.ast.commits == [0]
        assert len(held.ends[0].sent[-1]) < 1000  # the audio is not sent twice
        held.ast.answer("early")
        assert (await committed).target_text == "early"

        speculative = ast.submit_speculative(request, session_id="s")
        await frames_pass()
        held.ast.answer("on its way")
        committed = ast.commit(request, speculative, session_id="s")  # before that is read
        assert (await committed).target_text == "on its way"

        committed = ast.commit(request, speculative, session_id="s")
        assert (await committed).target_text == "on its way"
        assert len(held.ast.futures) == 3  # two speculative, one commit that came too late


async def test_speech_that_nobody_wants_any_more_is_stopped() -> None:
    some = HeldServers(HeldServer("unix:a"))
    async with speaking(some) as tts:
        speech = tts.synthesize(TtsRequest("one", "en"), session_id="s")
        await frames_pass()
        [made] = some.by_name["unix:a"].tts.speeches
        await speech.aclose()
        await frames_pass()
        assert made.done()


async def test_a_media_process_that_leaves_costs_its_servers_nothing() -> None:
    some = held_servers("unix:a")
    held = some.by_name["unix:a"]
    async with translating(some) as ast:
        ast.submit(asked(talk(1.0)), session_id="s")
        await frames_pass()
    assert held.ast.futures[0].cancelled()
    assert held.ast.forgotten == ["m/s"]
    assert held.server.calls == 0

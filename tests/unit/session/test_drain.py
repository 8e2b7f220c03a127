"""A server that stops while people speak, in virtual time."""

import asyncio

from rtc_server.events.client import SessionPatch
from rtc_server.session.session_api import SessionRequest
from tests.support.fakes import FakeAst, joined, ok, silence, tone
from tests.support.session_bench import ALL, events, session_bench, speak
from tests.support.talk import AGREEING

REQUEST = SessionRequest(settings=SessionPatch(x_events=ALL))


async def test_the_sentence_being_spoken_is_finished_and_those_who_are_silent_go_at_once() -> None:
    async with session_bench(FakeAst([ok("да", "yes")])) as bench:
        for _ in range(2):
            await bench.manager.open_call("offer", REQUEST)
        speaker, silent = bench.transports
        talk = asyncio.create_task(speak(speaker, joined([tone(2), silence(4)])))
        await asyncio.sleep(1)
        clock = asyncio.get_running_loop().time
        began_s = clock()
        drain = asyncio.create_task(bench.manager.drain(10))
        await asyncio.sleep(0.5)
        assert silent.closed is not None and speaker.closed is None
        [told] = events(speaker, "x.expiring")
        assert (told["in_ms"], told["reason"]) == (10_000, "restart")
        await drain
        assert clock() - began_s < 5  # at the pause, not at the end of the time
        [caption] = [e for e in events(speaker, "x.segment") if e["final"]]
        assert caption["status"] == "final" and caption["source"]["end_ms"] > 1500
        assert events(speaker)[-1]["type"] == "session.closed"
        assert events(speaker, "x.expiring")[-1]["in_ms"] == 0
        talk.cancel()


async def test_a_pause_that_does_not_end_the_sentence_ends_no_session() -> None:
    async with session_bench(FakeAst(capabilities=AGREEING)) as bench:
        await bench.manager.open_call("offer", REQUEST)
        [transport] = bench.transports
        said = joined([tone(1.6), silence(0.45), tone(1), silence(4)])
        talk = asyncio.create_task(speak(transport, said))
        await asyncio.sleep(1)
        await bench.manager.drain(10)
        ends_ms = [e["source"]["end_ms"] for e in events(transport, "x.segment") if e["final"]]
        assert max(ends_ms) > 2500
        talk.cancel()


async def test_who_never_pauses_is_cut_off_and_still_translated() -> None:
    async with session_bench(FakeAst([ok("да", "yes")])) as bench:
        await bench.manager.open_call("offer", REQUEST)
        [transport] = bench.transports
        talk = asyncio.create_task(speak(transport, tone(12)))
        await asyncio.sleep(1)
        await bench.manager.drain(10)
        assert [e["status"] for e in events(transport, "x.segment") if e["final"]] == ["final"]
        assert bench.manager.sessions == 0
        talk.cancel()


async def test_without_sessions_nothing_is_waited_for() -> None:
    async with session_bench() as bench:
        before = asyncio.get_running_loop().time()
        await bench.manager.drain(10)
        assert asyncio.get_running_loop().time() == before

"""Media processes and engines that are killed or replaced under calls, with real media."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack

import aiohttp
import psutil

from rtc_server.config import TransportSettings
from tests.support.rooms import finals
from tests.support.rtc_client import RtcClient
from tests.support.server import of, said
from tests.support.until import until
from tests.support.workers import (
    SENTENCE,
    call,
    kill,
    said_after,
    sample,
    segment_number,
    worker_of,
    workers,
)


async def test_sessions_of_a_killed_worker_go_on_in_another_and_the_others_hear_nothing() -> None:
    patient = TransportSettings(
        resume_s=600.0, dead_peer_timeout_s=120.0
    )  # they come back one after the other
    async with workers(transport=patient) as running, AsyncExitStack() as stack:
        calls = [await stack.enter_async_context(call(running, "thank you")) for _ in range(4)]
        for each in calls:
            await each.until(lambda each=each: bool(of(each, "x.segment", final=True)))  # type: ignore[misc]
        lost = [each for each in calls if worker_of(each.location) == 1]
        kept = [each for each in calls if worker_of(each.location) == 2]
        assert len(lost) == len(kept) == 2
        await kill(running, 1)
        for each in lost:
            seen = max(event["seq"] for event in each.events if "seq" in event)
            resumed = RtcClient(
                f"{running.url}{each.location}/resume?last_seq={seen}", audio=said(SENTENCE)
            )
            await stack.enter_async_context(resumed)
            assert resumed.location == each.location
            # A stalled client sends silence, and its sentence is in two segments then.
            had = max(map(segment_number, of(each, "x.segment")))
            await resumed.until(lambda r=resumed, n=had: bool(said_after(r, n)))  # type: ignore[misc]
            assert all(final["seq"] > seen for final in finals(resumed))
            async with (
                aiohttp.ClientSession(running.url) as http,
                http.get(f"{each.location}/transcript") as answer,
            ):
                assert (await answer.text()).count("one two three") >= 2
        for each in kept:
            arrivals = [packet.arrival_s for packet in each.packets]
            assert arrivals
            assert not each.closed.is_set()
        assert await sample(running, "rtc_sessions_moved_total") == 2
        await until(lambda: running.supervisor.takes_calls == 2)
        assert await sample(running, "rtc_worker_restarts_total") == 1
        fresh = await stack.enter_async_context(call(running))
        assert worker_of(fresh.location) == 3  # the one without sessions


async def test_workers_are_replaced_under_calls_and_nothing_is_refused_or_cut() -> None:
    settings = TransportSettings(resume_s=0.5, dead_peer_timeout_s=120.0)
    async with workers(transport=settings) as running, AsyncExitStack() as stack:
        before = [await stack.enter_async_context(call(running, SENTENCE)) for _ in range(2)]
        replacing = asyncio.create_task(running.supervisor.replace())
        during: list[RtcClient] = []
        while not replacing.done():
            async with call(running) as each:
                during.append(each)
        await replacing
        after = await stack.enter_async_context(call(running, SENTENCE))
        assert worker_of(after.location) in (3, 4)
        assert during
        for each in (*before, after):
            await each.until(lambda each=each: bool(of(each, "x.playout", state="finished")))  # type: ignore[misc]
            assert not each.closed.is_set()
        olds = [running.supervisor.worker(number) for number in (1, 2)]
        async with aiohttp.ClientSession(running.url) as http:
            for each in before:
                async with http.delete(each.location) as answer:
                    assert answer.status == 200
        for old in olds:
            await old.gone.wait()  # once they have nothing left
        assert await sample(running, "rtc_worker_restarts_total") == 0


async def test_all_workers_ask_the_same_engines_also_after_those_were_killed() -> None:
    async with workers() as running, AsyncExitStack() as stack:
        engines = running.supervisor.engines
        assert engines is not None
        process = engines.process
        assert process is not None
        clients = [await stack.enter_async_context(call(running, SENTENCE)) for _ in range(2)]
        for each in clients:  # spoken in full: a voice that is lost while it speaks is not repeated
            await each.until(lambda each=each: bool(of(each, "x.playout", state="finished")))  # type: ignore[misc]
        asked = await sample(running, 'rtc_engine_batch_size_count{kind="ast"}')
        assert asked >= 2
        own = [psutil.Process(running.supervisor.worker(number).pid) for number in (1, 2)]
        assert not [child for each in own for child in each.children()]
        os.kill(process.pid, signal.SIGKILL)
        await process.gone.wait()
        had = [max(map(segment_number, of(each, "x.segment"))) for each in clients]
        for each in clients:  # this speech waits for the engines
            each.track.say(said(SENTENCE))
        for each, segment in zip(clients, had, strict=True):
            await each.until(lambda e=each, n=segment: bool(said_after(e, n)))  # type: ignore[misc]
            assert {final["status"] for final in finals(each)} == {"final"}
        assert await sample(running, 'rtc_engine_batch_size_count{kind="ast"}') > asked

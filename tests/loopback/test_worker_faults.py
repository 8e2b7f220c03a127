"""Workers that are killed, stopped or replaced under WebSockets, and a server that ends.

`pytest -s` prints how long it took; nothing here depends on that.
"""

import asyncio
import os
import signal
from contextlib import AsyncExitStack

import aiohttp
import numpy as np
import pytest

from rtc_server.config import HttpSettings
from rtc_server.pcm import SPEECH_RATE
from tests.support.command import serving
from tests.support.signals import english
from tests.support.until import until
from tests.support.workers import kill, sample, worker_of, workers
from tests.support.ws_client import Client, connected

SENTENCE = np.concatenate([english("thank you"), np.zeros(3 * SPEECH_RATE // 2, np.float32)])
EVENTS = {"type": "session.update", "session": {"x_events": ["segment", "vad"]}}


async def opened(stack: AsyncExitStack, url: str) -> tuple[Client, str]:
    """Return a new session and its id."""
    client = await stack.enter_async_context(connected(f"{url}?source=ru&target=en"))
    created = await client.event("session.created")
    await client.ws.send_json(EVENTS)
    return client, created["session"]["id"]


async def resumed(stack: AsyncExitStack, url: str, session_id: str, lost: Client) -> Client:
    """Return the session on another WebSocket."""
    seen = max(event["seq"] for event in lost.events if "seq" in event)
    again = f"{url}?resume={session_id}&last_seq={seen}"
    client = await stack.enter_async_context(connected(again))
    assert (await client.event("session.updated"))["session"]["id"] == session_id
    return client


async def understood(client: Client, segment_id: str) -> None:
    """Wait for the caption of a sentence."""
    await client.event("x.segment", segment_id=segment_id, final=True)


def sockets(url: str) -> str:
    return url.replace("http", "ws", 1) + "/ws/audio"


@pytest.mark.slow  # a few sessions lose theirs in test_worker_losses.py
async def test_ten_of_twenty_sessions_lose_their_worker_and_the_others_hear_nothing() -> None:
    async with workers(max_sessions=25) as running, AsyncExitStack() as stack:
        url, clock = sockets(running.url), asyncio.get_running_loop().time
        sessions = [await opened(stack, url) for _ in range(20)]
        lost = [each for each in sessions if worker_of(each[1]) == 1]
        kept = [each for each in sessions if worker_of(each[1]) == 2]
        assert len(lost) == len(kept) == 10
        await asyncio.gather(*(client.say(SENTENCE) for client, _ in sessions))
        for client, _ in sessions:
            await understood(client, "seg_1")
        killed_s = clock()
        await kill(running, 1)
        back_s: list[float] = []

        async def come_back(client: Client, session_id: str) -> Client:
            again = await resumed(stack, url, session_id, client)
            back_s.append(clock() - killed_s)
            return again

        there = await asyncio.gather(*(come_back(*each) for each in lost))
        there += [client for client, _ in kept]
        await asyncio.gather(*(client.say(SENTENCE) for client in there))
        for client in there:
            await understood(client, "seg_2")
        for client, _ in kept:
            assert not client.of("(closed)")
            numbers = [event["seq"] for event in client.events if "seq" in event]
            assert numbers == list(range(1, len(numbers) + 1)), "nothing was missed"
        async with aiohttp.ClientSession(running.url) as http:
            for _, session_id in sessions:
                path = f"/v1/realtime/translations/calls/{session_id}/transcript"
                async with http.get(path) as answer:
                    assert (await answer.text()).count("one two three") == 2
        assert await sample(running, "rtc_sessions_moved_total") == 10
        print(f"10 of 20 sessions back {min(back_s):.2f} to {max(back_s):.2f} s after the kill")


async def test_a_worker_that_stands_still_is_found_and_its_session_goes_on_in_another() -> None:
    async with workers() as running, AsyncExitStack() as stack:
        url, clock = sockets(running.url), asyncio.get_running_loop().time
        client, session_id = await opened(stack, url)
        await client.say(SENTENCE)
        await understood(client, "seg_1")
        process = running.supervisor.worker(worker_of(session_id))
        stopped_s = clock()
        os.kill(process.pid, signal.SIGSTOP)
        again = await resumed(stack, url, session_id, client)
        print(f"the session was back {clock() - stopped_s:.1f} s after its worker was stopped")
        assert process.gone.is_set()
        await again.say(SENTENCE)
        await understood(again, "seg_2")
        assert await sample(running, "rtc_worker_restarts_total") >= 1
        await until(lambda: running.supervisor.takes_calls == 2)


async def test_a_server_that_ends_lets_every_worker_finish_its_sentences() -> None:
    http = HttpSettings(port=0, max_sessions=20, drain_s=120.0)
    async with AsyncExitStack() as stack:
        async with workers(http=http) as running:
            sessions = [await opened(stack, sockets(running.url)) for _ in range(4)]
            assert {worker_of(session_id) for _, session_id in sessions} == {1, 2}
            clients = [client for client, _ in sessions]
            speaking = [asyncio.create_task(client.say(SENTENCE)) for client in clients]
            for client in clients:
                await client.event("x.vad", state="speech")
        for client in clients:
            await client.event("(closed)")
            assert len(client.of("x.segment", segment_id="seg_1", final=True)) == 1
            assert client.of("x.expiring", reason="restart")
            assert client.of("session.closed")
        await asyncio.gather(*speaking, return_exceptions=True)


async def test_sighup_replaces_the_workers_and_refuses_and_cuts_no_call() -> None:
    async with serving("--workers", "2", "--drain-s", "1") as started, AsyncExitStack() as stack:
        url = sockets(started.url)
        before = [await opened(stack, url) for _ in range(4)]
        assert {worker_of(session_id) for _, session_id in before} == {1, 2}
        started.process.send_signal(signal.SIGHUP)
        seen: set[int] = set()
        opens = 0
        while not {3, 4} <= seen:
            async with AsyncExitStack() as brief:
                calls = [await opened(brief, url) for _ in range(2)]  # raises if one is refused
                seen |= {worker_of(session_id) for _, session_id in calls}
                opens += len(calls)
        for client, _ in before:
            await client.ws.send_json({"type": "x.ping", "event_id": "still"})
            await client.event("x.pong")
            assert not client.of("(closed)")
        print(f"{opens} calls while the workers were replaced; none refused, none cut")

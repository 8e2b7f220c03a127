"""Several media processes behind one port, with real media."""

import asyncio
import os
import re
import signal
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from rtc_server.app.workers.serve import RunningWorkers
from rtc_server.config import HttpSettings, RoomSettings, TransportSettings
from rtc_server.errors import ConfigError
from tests.support.certificates import self_signed
from tests.support.command import serving
from tests.support.offers import AUDIO, offer
from tests.support.rooms import finals, heard, say, told
from tests.support.rtc_client import RtcClient
from tests.support.server import CALLS, EVENTS, of, said
from tests.support.signals import english
from tests.support.until import until
from tests.support.workers import kill, sample, worker_of, workers
from tests.support.ws_client import connected

FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
SENTENCE = "please call a taxi for tomorrow morning"


def call(running: RunningWorkers, *texts: str) -> RtcClient:
    return RtcClient(running.url + CALLS, audio=said(*texts) if texts else None, session=EVENTS)


def segment_number(event: dict[str, Any]) -> int:
    """Return the number of a caption's segment."""
    return int(event["segment_id"].removeprefix("seg_"))


def said_after(client: RtcClient, segment: int) -> list[dict[str, Any]]:
    """Return the captions of sentences behind that segment which were understood."""
    captions = of(client, "x.segment", status="final")
    return [each for each in captions if segment_number(each) > segment]


async def in_line(http: aiohttp.ClientSession, ticket: str) -> dict[str, Any]:
    """Ask for a place of a full server; return the place in the line."""
    async with http.get("/ws/audio", params={"queue": ticket}) as refused:
        assert refused.status == 503
        place: dict[str, Any] = (await refused.json())["queue"]
        return place


async def no_way_to_a_worker_behind_a_refused_websocket(port: int) -> None:
    """Check that the next request is the supervisor's again, which takes out its headers."""
    upgrade = (
        b"GET /ws/audio?source=xx HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    plain = (
        b"GET /v1/languages HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Rtc-Address: 192.0.2.1\r\n"
        b"Connection: close\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(upgrade + plain)
    answers = (await reader.read()).decode()
    writer.close()
    assert re.findall(r"HTTP/1\.1 (\d+)", answers) == ["422", "200"]


async def test_calls_are_spread_and_each_address_finds_its_session() -> None:
    async with workers() as running, AsyncExitStack() as stack:
        calls = [await stack.enter_async_context(call(running, SENTENCE)) for _ in range(4)]
        assert Counter(worker_of(each.location) for each in calls) == {1: 2, 2: 2}
        for each in calls:
            await each.until(lambda each=each: bool(of(each, "x.segment", final=True)))  # type: ignore[misc]
        # One connection for all requests: what it served last decides nothing.
        connector = aiohttp.TCPConnector(limit=1)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(running.url, connector=connector)
        )
        for each in calls:
            async with http.get(f"{each.location}/transcript") as answer:
                assert "one two three" in await answer.text()
            wrong = {**FRAGMENT, "If-Match": '"another"'}
            async with http.patch(each.location, data="a=x", headers=wrong) as answer:
                assert answer.status == 412
        assert await sample(running, "rtc_sessions") == 4
        for each in calls:
            async with http.delete(each.location) as answer:
                assert answer.status == 200
            await each.event("session.closed")
        async with http.delete(f"{CALLS}/sess_w1-none") as answer:
            assert answer.status == 404
        assert await sample(running, "rtc_sessions") == 0
        assert await sample(running, "rtc_workers") == 2


async def test_websockets_are_spread_too_and_resume_where_they_were() -> None:
    async with workers() as running, AsyncExitStack() as stack:
        url = running.url.replace("http", "ws") + "/ws/audio?source=en&target=ru"
        clients = [await stack.enter_async_context(connected(url)) for _ in range(2)]
        ids = [(await each.event("session.created"))["session"]["id"] for each in clients]
        assert {worker_of(each) for each in ids} == {1, 2}
        await clients[0].say(english(SENTENCE))
        await clients[0].say(english(SENTENCE) * 0)
        await clients[0].event("session.output_transcript.delta")
        await clients[0].until(lambda: bool(clients[0].audio))
        for session_id in ids:
            again = await stack.enter_async_context(connected(f"{url}&resume={session_id}"))
            assert (await again.event("session.updated"))["session"]["id"] == session_id
        async with aiohttp.ClientSession() as http:
            refused = await http.get(
                f"{running.url}/ws/audio?source=xx",
                headers={
                    "Connection": "Upgrade",
                    "Upgrade": "websocket",
                    "Sec-WebSocket-Version": "13",
                    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
                },
            )
            assert (refused.status, (await refused.json())["error"]["code"]) == (
                422,
                "unsupported_language",
            )
        await no_way_to_a_worker_behind_a_refused_websocket(running.port)


async def test_a_room_and_all_who_follow_it_are_in_one_worker() -> None:
    settings = RoomSettings(max_rooms=2, room_linger_s=1.0)
    async with workers(ast="many", rooms=settings) as running, AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(running.url))

        async def enter(path: str, **more: Any) -> RtcClient:
            client = RtcClient(running.url + path, **more)
            return await stack.enter_async_context(client)

        speakers = [await enter(f"/whip/{room}?source=en", channel=None) for room in ("a", "b")]
        listeners = [
            await enter(f"/whep/{room}?language=de", listens_only=True)
            for room in ("a", "b")
            for _ in range(2)
        ]
        for speaker in speakers:
            say(speaker, SENTENCE)
        for listener in listeners:
            await told(listener)
            await heard(listener)
        for room in ("a", "b"):
            async with http.get(f"/v1/rooms/{room}") as answer:
                assert (await answer.json())["listeners"] == 2
        assert await sample(running, "rtc_rooms") == 2
        assert await sample(running, "rtc_room_listeners") == 4
        async with http.post(
            "/whip/c?source=en", data="x", headers={"Content-Type": "application/sdp"}
        ) as answer:
            assert answer.status in (400, 503)
        async with http.delete(speakers[0].location) as answer:
            assert answer.status == 200
        assert finals(listeners[0])


async def test_limits_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LATE_S", "GRACE_S"):  # the machine may be slow
        monkeypatch.setattr(f"rtc_server.session.waiting_line.{name}", 600.0)
    async with workers(max_sessions=3) as running, AsyncExitStack() as stack:
        calls = [await stack.enter_async_context(call(running)) for _ in range(3)]
        assert {worker_of(each.location) for each in calls} == {1, 2}
        async with aiohttp.ClientSession(running.url) as http:
            for _ in range(2):
                full = await http.get("/ws/audio")
                assert (full.status, (await full.json())["error"]["code"]) == (
                    503,
                    "session_limit_reached",
                )
                assert int(full.headers["Retry-After"]) > 0
            with pytest.raises(aiohttp.WSServerHandshakeError):  # could not read its ticket
                await http.ws_connect("/ws/audio?queue=new")
            first, second = [await in_line(http, "new") for _ in range(2)]
            assert (first["position"], second["position"]) == (1, 2)
            async with http.delete(calls[0].location):
                pass
            assert await in_line(http, second["ticket"]) == second
            assert await sample(running, "rtc_waiting_callers") == 2
            refused = 'rtc_calls_refused_total{{code="{}"}}'
            assert await sample(running, refused.format("in_line")) == 3
            assert await sample(running, refused.format("session_limit_reached")) == 2
        own = f"{running.url}{CALLS}?queue={first['ticket']}"
        await stack.enter_async_context(RtcClient(own, session=EVENTS))


async def test_a_websocket_has_the_turn_of_a_call_that_did_not_connect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LATE_S", "GRACE_S", "CONNECTING_S"):  # the machine may be slow
        monkeypatch.setattr(f"rtc_server.session.waiting_line.{name}", 600.0)
    transport = TransportSettings(connect_timeout_s=120.0)
    async with (
        workers(max_sessions=1, transport=transport) as running,
        aiohttp.ClientSession(running.url) as http,
    ):
        async with http.ws_connect("/ws/audio") as ws:
            await ws.receive_json()
            first, second = [await in_line(http, "new") for _ in range(2)]
        await until(lambda: not running.supervisor.admission.places)
        own, sdp = {"queue": first["ticket"]}, {"Content-Type": "application/sdp"}
        async with http.post(CALLS, params=own, data=offer(AUDIO), headers=sdp) as answer:
            assert answer.status == 201
        assert (await in_line(http, second["ticket"]))["position"] == 1
        async with http.ws_connect("/ws/audio", params=own) as ws:
            assert (await ws.receive_json())["type"] == "session.created"
            assert (await in_line(http, second["ticket"]))["position"] == 1
            async with asyncio.timeout(60):  # one ticket is for one session: the call ends
                while await sample(running, "rtc_sessions") > 1:
                    pass
        await until(lambda: not running.supervisor.admission.places)
        assert (await in_line(http, "new"))["position"] == 2, "the first one has gone"


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
            # A client that stands still falls silent, and its sentence is in two segments then.
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
        assert worker_of(fresh.location) == 3  # the one with nothing to do


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


async def test_a_worker_that_cannot_start_ends_the_server_with_a_sentence() -> None:
    with pytest.raises(ConfigError, match="no_such"):
        async with workers(ast="no_such"):
            pass


@asynccontextmanager
async def behind_tls(folder: Path) -> AsyncIterator[tuple[RunningWorkers, aiohttp.ClientSession]]:
    cert, key = self_signed(folder)
    http = HttpSettings(port=0, tls_cert=str(cert), tls_key=str(key), path_prefix="/interpreter")
    context = ssl.create_default_context(cafile=cert)
    async with (
        workers(http=http) as running,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as client,
    ):
        yield running, client


async def test_tls_and_a_prefix_end_in_the_supervisor_and_workers_know(tmp_path: Path) -> None:
    async with behind_tls(tmp_path) as (running, http):
        async with http.get(f"{running.url}/readyz") as ready:
            assert (ready.status, ready.url.scheme) == (200, "https")
            assert "Strict-Transport-Security" in ready.headers
        async with http.post(f"{running.url}/v1/rooms/hall/link") as link:
            url = (await link.json())["url"]
            assert url.startswith(f"https://127.0.0.1:{running.port}/interpreter/listen/hall")
        async with http.ws_connect(f"{running.url}/ws/audio?source=en&target=ru") as ws:
            created = (await ws.receive_json())["session"]["id"]
            assert worker_of(created) in (1, 2)


async def test_the_command_serves_with_workers_until_it_is_told_to_stop() -> None:
    async with serving("--workers", "2", "--drain-s", "1") as started:
        assert "Translation:" in started.banner
        async with aiohttp.ClientSession(started.url) as http:
            async with http.get("/readyz") as ready:
                assert ready.status == 200
            started.process.send_signal(signal.SIGHUP)
            async with http.get("/healthz") as alive:
                assert alive.status == 200
        started.process.send_signal(signal.SIGTERM)
        assert await started.process.wait() == 0


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
        for each in clients:  # what they say waits for the engines
            each.track.say(said(SENTENCE))
        for each, segment in zip(clients, had, strict=True):
            await each.until(lambda e=each, n=segment: bool(said_after(e, n)))  # type: ignore[misc]
            assert {final["status"] for final in finals(each)} == {"final"}
        assert await sample(running, 'rtc_engine_batch_size_count{kind="ast"}') > asked

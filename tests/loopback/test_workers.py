"""Several media processes behind one port, with real media."""

import asyncio
import re
import signal
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rtc_server.app.workers.serve import RunningWorkers
from rtc_server.config import HttpSettings, RoomSettings
from rtc_server.errors import ConfigError
from tests.support.certificates import self_signed
from tests.support.command import serving
from tests.support.rooms import finals, heard, say, told
from tests.support.rtc_client import RtcClient
from tests.support.server import CALLS, of
from tests.support.signals import english
from tests.support.workers import (
    SENTENCE,
    call,
    sample,
    worker_of,
    workers,
)
from tests.support.ws_client import connected

FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


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
        # One connection for all requests: the worker that served the last request decides nothing.
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

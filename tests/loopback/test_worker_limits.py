"""Limits and the waiting line of a server with several media processes."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from rtc_server.config import TransportSettings
from tests.support.offers import AUDIO, offer
from tests.support.rtc_client import RtcClient
from tests.support.server import CALLS, EVENTS
from tests.support.until import until
from tests.support.workers import (
    call,
    sample,
    worker_of,
    workers,
)


async def in_line(http: aiohttp.ClientSession, ticket: str) -> dict[str, Any]:
    """Ask for a place of a full server; return the place in the line."""
    async with http.get("/ws/audio", params={"queue": ticket}) as refused:
        assert refused.status == 503
        place: dict[str, Any] = (await refused.json())["queue"]
        return place


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

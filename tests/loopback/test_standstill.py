"""A server that was stopped for nine seconds, as a virtual machine that is moved: calls go on."""

import asyncio
import os
import signal

import aiohttp
import pytest

from tests.support.command import serving
from tests.support.rtc_client import RtcClient
from tests.support.server import CALLS
from tests.support.ws_client import connected

STOPPED_S = 9.0
"""Time that the server is stopped: longer than a peer may be silent."""


@pytest.mark.slow
async def test_calls_outlive_a_standstill_of_the_server() -> None:
    async with (
        serving("--log-level", "error", "--resume-s", "0") as server,
        RtcClient(server.url + CALLS) as call,
        connected(server.url + "/ws/audio") as socket,
    ):
        await call.event("session.created")
        await socket.event("session.created")
        os.kill(server.process.pid, signal.SIGSTOP)
        await asyncio.sleep(STOPPED_S)
        os.kill(server.process.pid, signal.SIGCONT)
        for _ in range(2):  # each after all deadlines were checked, with nothing in the socket
            await asyncio.sleep(2)
            call.send({"type": "x.ping"})
            await socket.ws.send_json({"type": "x.ping"})
        await call.event("x.pong", count=2)
        await socket.until(lambda: len(socket.of("x.pong")) == 2)
        async with aiohttp.ClientSession(server.url) as http, http.get("/metrics") as response:
            assert "rtc_sessions 2.0" in await response.text()

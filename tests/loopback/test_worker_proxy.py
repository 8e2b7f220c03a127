"""The supervisor's HTTP before a worker that is made for each test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from rtc_server.app.workers import tunnel
from rtc_server.app.workers.placement import Target
from rtc_server.app.workers.proxy import Proxy
from rtc_server.config import AccessSettings, HttpSettings, Settings
from rtc_server.errors import NotReady

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
PAGE = "https://shop.example"


class OneWorker:
    """Implements `proxy.Workers`: a single worker, which is there or not."""

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        self.is_there = True
        self.coming = 0
        """Calls on their way."""

    async def for_request(self, _target: Target) -> tuple[int, str]:
        self.check_ready()
        return 1, self._socket_path

    def opening(self, _worker: int, change: int) -> None:
        self.coming += change

    async def failed(self, _worker: int) -> bool:
        return False

    async def exposition(self) -> str:
        return "all 1\n"

    def check_ready(self) -> None:
        if not self.is_there:
            raise NotReady("The engines are warming up.", 2)


@asynccontextmanager
async def proxy(socket: Path, settings: Settings) -> AsyncIterator[tuple[OneWorker, str]]:
    """Yield the worker as the proxy has it, and the address of the proxy."""
    worker = OneWorker(str(socket))
    runner = web.AppRunner(Proxy(worker, settings).application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield worker, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def echoing(socket: Path) -> AsyncIterator[None]:
    """Run a worker that answers with method and body, in pieces."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        for piece in (request.method.encode(), b" ", await request.read()):
            await response.write(piece)
        await response.write_eof()
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(socket)).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def test_only_websocket_addresses_are_tunnelled(tmp_path: Path) -> None:
    socket = tmp_path / "1.sock"
    async with (
        echoing(socket),
        proxy(socket, Settings()) as (_, url),
        aiohttp.ClientSession(url, headers=UPGRADE) as http,
    ):
        async with http.get("/v1/engines") as answer:
            assert await answer.text() == "GET "
        async with http.post("/v1/realtime/translations/calls", data="offer") as answer:
            assert await answer.text() == "POST offer"
        async with http.post("/ws/audio", data="offer") as answer:
            assert await answer.text() == "POST offer"
        async with http.head("/ws/audio") as answer:
            assert answer.status == 200
        async with http.get("/metrics") as answer:
            assert await answer.text() == "all 1\n"


@asynccontextmanager
async def refusing(socket: Path, *, ends: bool) -> AsyncIterator[None]:
    """Run a worker whose refusals break off: it closes, or writes nothing more."""
    let_go = asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\nbegin")
        if not ends:
            await let_go.wait()
        writer.close()

    async with await asyncio.start_unix_server(refuse, str(socket)):
        yield
        let_go.set()


@pytest.mark.parametrize("ends", [True, False])
async def test_a_refusal_that_breaks_off_is_a_restart(
    ends: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "REFUSAL_S", 0.2)
    socket = tmp_path / "1.sock"
    async with (
        refusing(socket, ends=ends),
        proxy(socket, Settings()) as (worker, url),
        aiohttp.ClientSession(url, headers=UPGRADE) as http,
    ):
        async with http.get("/ws/audio") as answer:
            assert (answer.status, "Retry-After" in answer.headers) == (503, True)
        assert worker.coming == 0


async def test_a_page_elsewhere_can_read_what_the_supervisor_itself_refuses(
    tmp_path: Path,
) -> None:
    settings = Settings(
        access=AccessSettings(cors_origins=(PAGE,)),
        http=HttpSettings(tls_cert="cert.pem", tls_key="key.pem"),
    )

    async def refused(http: aiohttp.ClientSession, body: bytes) -> aiohttp.ClientResponse:
        async with http.post("/v1/realtime/translations/calls", data=body) as answer:
            return answer

    async with (
        proxy(tmp_path / "1.sock", settings) as (worker, url),
        aiohttp.ClientSession(url, headers={"Origin": PAGE}) as http,
    ):
        worker.is_there = False
        answers = [await refused(http, b"offer"), await refused(http, b"x" * 1_000_000)]
        assert [each.status for each in answers] == [503, 413]
        for each in answers:
            assert each.headers["Access-Control-Allow-Origin"] == PAGE
            assert "Retry-After" in each.headers["Access-Control-Expose-Headers"]
            assert "Strict-Transport-Security" in each.headers

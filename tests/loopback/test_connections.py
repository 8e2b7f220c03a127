"""Connections that do nothing, and a server without file descriptors to spare."""

import asyncio
import contextlib
import gc
import os
import random
import re
import resource
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from aiohttp import web

from rtc_server.app import listening
from rtc_server.app.listening import keepalive_s
from rtc_server.config import HttpSettings
from rtc_server.metrics import Metrics
from tests.support.certificates import self_signed
from tests.support.until import until

HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
PATIENCE_S = 60.0


@asynccontextmanager
async def listens(http: HttpSettings, metrics: Metrics | None = None) -> AsyncIterator[int]:
    """Run a server that answers "well", and keeps requests for /wait open."""

    async def well(request: web.Request) -> web.StreamResponse:
        if request.path != "/wait":
            return web.Response(text="well")
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"wait")
        await until(lambda: request.transport is None)  # the client has left
        return response

    app = web.Application()
    app.router.add_get("/{any:.*}", well)
    async with listening.listening(app, http, metrics or Metrics()) as port:
        yield port


@asynccontextmanager
async def connected(port: int, data: bytes = b"") -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        yield reader
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def is_closed(reader: asyncio.StreamReader) -> None:
    """Wait until the server has hung up."""
    async with asyncio.timeout(PATIENCE_S):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""


@pytest.mark.parametrize("sent", [b"", HALF], ids=["nothing", "half a request"])
async def test_a_connection_without_a_request_is_closed(sent: bytes) -> None:
    async with listens(HttpSettings(port=0, keepalive_s=0.2)) as port, connected(port, sent) as one:
        await is_closed(one)


async def test_a_connection_that_drips_its_headers_is_closed() -> None:
    async with listens(HttpSettings(port=0, keepalive_s=0.3)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def drip() -> None:
            with contextlib.suppress(ConnectionError):
                writer.write(HALF)
                while True:
                    writer.write(b"X-A: 1\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        await is_closed(reader)
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_connection_is_closed_some_time_after_its_last_request() -> None:
    async with (
        listens(HttpSettings(port=0, keepalive_s=0.2)) as port,
        connected(port, HALF + b"\r\n") as one,
    ):
        assert (await one.readuntil(b"well")).startswith(b"HTTP/1.1 200 ")
        await is_closed(one)


async def test_a_connection_that_begins_no_tls_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "HANDSHAKE_S", 0.2)
    certificate, key = self_signed(tmp_path)
    http = HttpSettings(port=0, tls_cert=str(certificate), tls_key=str(key))
    metrics = Metrics()
    async with listens(http, metrics) as port:
        async with connected(port) as silent, connected(port, HALF) as nonsense:
            await is_closed(silent)
            await is_closed(nonsense)
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as client,
            client.get(f"https://127.0.0.1:{port}/") as response,
        ):
            assert await response.text() == "well"
            assert metrics.registry.get_sample_value("rtc_connections") == 1


async def test_tls_garbage_is_no_fault_of_ours(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    http = HttpSettings(port=0, tls_cert=str(certificate), tls_key=str(key))
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, fault: faults.append(fault))
    rng = random.Random(7)
    record = b"\x16\x03\x01\x00\x50"
    beginnings = (
        b"\x15\x03\x03\x00\x02\x02\x28",
        record + rng.randbytes(80),
        rng.randbytes(500),
        HALF,
    )

    def after_the_handshake(port: int, garbage: bytes) -> None:
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            trusting.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            os.write(secured.fileno(), garbage)
            with contextlib.suppress(OSError):
                secured.recv(1)

    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    async with listens(http) as port:
        for garbage in beginnings:
            async with connected(port, garbage) as one:
                await is_closed(one)
            await asyncio.to_thread(after_the_handshake, port, garbage)
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as client,
            client.get(f"https://127.0.0.1:{port}/") as response,
        ):
            assert await response.text() == "well"
    gc.collect()  # a task whose exception nobody took complains when it goes
    assert faults == []


def test_ten_seconds_is_the_rule_and_proxies_get_longer() -> None:
    assert keepalive_s(HttpSettings()) == 10
    assert keepalive_s(HttpSettings(trusted_proxies=("10.0.0.0/8",))) == 75
    assert keepalive_s(HttpSettings(keepalive_s=3.0)) == 3


async def test_idle_connections_keep_nobody_out() -> None:
    metrics = Metrics()
    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(
            listens(HttpSettings(port=0, max_connections=10), metrics)
        )
        idle = [await stack.enter_async_context(connected(port, HALF)) for _ in range(40)]
        client = await stack.enter_async_context(aiohttp.ClientSession())
        async with client.get(f"http://127.0.0.1:{port}/") as response:
            assert await response.text() == "well"
        await is_closed(idle[0])
        assert metrics.registry.get_sample_value("rtc_connections") <= 10  # type: ignore[operator]


async def test_connections_at_work_are_capped() -> None:
    metrics = Metrics()
    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(
            listens(HttpSettings(port=0, max_connections=3), metrics)
        )
        wait = b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for _ in range(3):
            at_work = await stack.enter_async_context(connected(port, wait))
            await at_work.readuntil(b"wait")
        await is_closed(await stack.enter_async_context(connected(port)))
        refused = metrics.registry.get_sample_value(
            "rtc_connections_refused_total", {"reason": "full"}
        )
        assert refused == 1


async def test_one_address_is_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "counted_source", lambda _address, _proxies: "203.0.113.7")
    async with contextlib.AsyncExitStack() as stack:
        http = HttpSettings(port=0, address_connections=2)
        port = await stack.enter_async_context(listens(http))
        three = [await stack.enter_async_context(connected(port)) for _ in range(3)]
        await is_closed(three[0])


async def test_a_server_without_descriptors_answers_and_writes_little(tmp_path: Path) -> None:
    """The process has 200 descriptors, and 400 clients connect to it and do nothing."""
    log = tmp_path / "log"

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))

    with log.open("wb") as file:
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rtc_server", "serve", "--port", "0"),
            *("--max-connections", "100000"),
            stdout=asyncio.subprocess.PIPE,
            stderr=file,
            preexec_fn=few,
            env={k: v for k, v in os.environ.items() if not k.startswith("RTC_")},
        )
    assert server.stdout is not None
    url = ""
    try:
        async with asyncio.timeout(PATIENCE_S), contextlib.AsyncExitStack() as stack:
            while not url:
                found = re.search(r"http://\S+:(\d+)", (await server.stdout.readline()).decode())
                url = found[0] if found else ""
            port = int(url.rpartition(":")[2])
            for _ in range(400):
                await stack.enter_async_context(connected(port))
            client = await stack.enter_async_context(aiohttp.ClientSession())
            async with client.get(url + "/readyz") as response:
                assert response.status == 200
            engines = psutil.Process(server.pid).children(recursive=True)
            engines[0].kill()  # its successor needs descriptors, too

            async def is_replaced() -> bool:
                now = psutil.Process(server.pid).children(recursive=True)
                async with client.get(url + "/readyz") as response:
                    ready = response.status == 200
                return ready and len(now) == len(engines) and engines[0] not in now

            while not await is_replaced():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
    finally:
        server.terminate()
        await server.communicate()
    assert log.stat().st_size < 100_000

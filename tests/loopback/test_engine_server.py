"""Engine server over real sockets: answers, broken connections and the end of the process."""

import asyncio
import contextlib
import signal
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from rtc_server.app.engine_channel import PATH
from rtc_server.background import beside
from rtc_server.config import HttpSettings
from rtc_server.engines.remote import served
from rtc_server.engines.remote.frames import MOST_FRAME_BYTES
from rtc_server.engines.remote.messages import PROTOCOL
from tests.support.certificates import self_signed
from tests.support.engine_directory import directory_site
from tests.support.engine_fakes import Do
from tests.support.engine_server import (
    FAKES,
    SHOWN,
    TOKEN,
    WHO,
    asking,
    fake_engines,
    http_of,
    serving_engines,
    spoken,
    translated,
)
from tests.support.until import until


@pytest.mark.parametrize("way", ["unix", "tcp", "tls"])
async def test_engines_of_another_process_answer_as_ones_own(way: str, tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path)
    listen = f"unix:{tmp_path}/engines" if way == "unix" else "127.0.0.1:0"
    http = HttpSettings(tls_cert=str(cert), tls_key=str(key)) if way == "tls" else None
    async with fake_engines(listen, http=http) as server:
        async with asking(server.address, ca=str(cert) if way == "tls" else "") as engines:
            assert engines.ready
            assert (await translated(engines)).samples == 16000
            assert await spoken(engines) == 5 * 480
            assert engines.ast is not None and engines.ast.title == "Fake"
            assert {card.kind for card in engines.engines()} == {"ast", "tts"}
        await until(lambda: server.server.calls == 0)


async def test_servers_that_a_directory_lists_are_asked_and_go_on_without_it() -> None:
    async with fake_engines() as server, contextlib.AsyncExitStack() as stack:
        async with directory_site(server.address) as site:
            engines = await stack.enter_async_context(asking(f"{site.url}/engines"))
            assert (await translated(engines)).samples == 16000
        assert set(site.tokens) == {f"Bearer {TOKEN}"}
        assert (await translated(engines)).samples == 16000
        assert await spoken(engines) == 5 * 480


@pytest.mark.parametrize(
    "bad",
    [
        b"\0\0\0\x09{}",
        struct.pack("!I", 2) + b"{}",
        bytes(MOST_FRAME_BYTES + 1),
        "text",
    ],
    ids=["truncated", "empty", "oversized", "text"],
)
async def test_what_cannot_be_read_ends_its_own_connection_alone(
    bad: bytes | str, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        fake_engines() as server,
        asking(server.address) as honest,
        aiohttp.ClientSession() as http,
    ):
        url = http_of(server.address) + PATH
        async with http.ws_connect(url, params=WHO, headers=SHOWN, protocols=(PROTOCOL,)) as socket:
            hello = await socket.receive()
            assert hello.type is aiohttp.WSMsgType.BINARY
            with contextlib.suppress(ConnectionError):  # it may end before all is sent
                await (socket.send_bytes(bad) if isinstance(bad, bytes) else socket.send_str(bad))
            while (await socket.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
        assert (await translated(honest)).samples == 16000
        await until(lambda: "was cut off" in caplog.text)


A_TENTH_OF_A_FRAME = b"\x82\xfe\x10\x00abcd"
"""Head of a message of 4096 bytes, which does not come."""


@asynccontextmanager
async def let_in(address: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection whose bytes are the test's own, once the token was shown."""
    host, _, port = address.removeprefix("ws://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET {PATH}?kind=ast&client=t HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        f"Sec-WebSocket-Protocol: {PROTOCOL}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_connection_that_ends_in_the_middle_of_a_frame_disturbs_nobody() -> None:
    async with fake_engines() as server, asking(server.address) as honest:
        async with let_in(server.address) as (_, writer):
            writer.write(A_TENTH_OF_A_FRAME + bytes(400))
            await writer.drain()
            assert (await translated(honest)).samples == 16000
        assert (await translated(honest)).samples == 16000


async def test_a_connection_that_drips_a_frame_is_cut_off_and_others_are_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(served, "SILENT_S", 2.0)
    async with fake_engines() as server, asking(server.address) as honest:
        async with let_in(server.address) as (reader, writer):

            async def drip() -> None:
                writer.write(A_TENTH_OF_A_FRAME)
                with contextlib.suppress(ConnectionError):
                    while True:
                        writer.write(b"\0")
                        await writer.drain()
                        await asyncio.sleep(0.05)

            async with beside(drip(), name="drip"):
                assert (await translated(honest)).samples == 16000
                with contextlib.suppress(ConnectionError):
                    while await reader.read(65_536):
                        pass  # pongs, if any; then the end
            assert "was cut off" in caplog.text
        assert (await translated(honest)).samples == 16000


async def test_metrics_need_the_token_and_health_does_not() -> None:
    async with fake_engines() as server, aiohttp.ClientSession() as http:
        url = http_of(server.address)
        for path, headers, status in (
            ("/healthz", {}, 200),
            ("/readyz", {}, 200),
            ("/metrics", {}, 401),
            ("/metrics", SHOWN, 200),
        ):
            async with http.get(url + path, headers=headers) as response:
                assert response.status == status
                if headers:
                    assert "rtc_engine_seconds" in await response.text()


async def test_the_command_answers_what_is_open_when_it_is_told_to_stop(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    options = ("--ast", FAKES[0], "--tts", FAKES[1], "--engine-token-file", str(token))
    path = f"unix:{tmp_path}/engines"
    async with serving_engines(path, tmp_path / "log", *options) as served:
        async with asking(served.address) as engines:
            await translated(engines)
            slow = [asyncio.create_task(translated(engines, Do.SLOW, f"s{n}")) for n in range(3)]
            await translated(engines, session="behind")  # so they are at work, or done
            served.process.send_signal(signal.SIGTERM)
            assert {(await each).samples for each in slow} == {16000}
            assert await served.process.wait() == 0
        assert "Traceback" not in served.log.read_text()

"""An engine server over real sockets: who is let in, what is refused, and nobody is disturbed."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import stat
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from rtc_server.app import socket_turn
from rtc_server.app.engine_channel import PATH
from rtc_server.app.engines import Engines
from rtc_server.background import beside
from rtc_server.config import EngineSettings, HttpSettings
from rtc_server.engines.base import AstRequest, TtsRequest
from rtc_server.engines.remote import served
from rtc_server.engines.remote.frames import MOST_FRAME_BYTES
from rtc_server.engines.remote.messages import PROTOCOL
from rtc_server.errors import ConfigError
from rtc_server.metrics import Metrics
from tests.support.certificates import self_signed
from tests.support.engine_directory import directory_site
from tests.support.engine_fakes import Do, Seen, audio
from tests.support.engine_server import FAKES, TOKEN, fake_engines, serving_engines
from tests.support.until import until

WHO = {"kind": "ast", "client": "test"}
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@asynccontextmanager
async def asking(*addresses: str, token: str = TOKEN, ca: str = "") -> AsyncIterator[Engines]:
    settings = EngineSettings(
        ast_servers=addresses,
        tts_servers=addresses,
        engine_token=token,
        engine_ca=ca,
        engine_wait_s=60,
    )
    async with Engines(settings, Metrics()).running() as engines:
        yield engines


async def translated(engines: Engines, do: Do = Do.ANSWER, session: str = "s") -> Seen:
    request = AstRequest(audio(do, seconds=1.0), "ru", "en")
    return Seen(await engines.ast_service.submit(request, session_id=session))


async def spoken(engines: Engines) -> int:
    speech = engines.tts_service.synthesize(TtsRequest("speak 5", "en"), session_id="s")
    return sum([chunk.size async for chunk in speech])


async def refused(settings: EngineSettings, sentence: str, log: pytest.LogCaptureFixture) -> None:
    """Wait until the log says why no server can be used. The start itself would wait on for one."""

    async def start() -> None:
        async with Engines(settings, Metrics()).running():
            pass

    starting = asyncio.create_task(start())
    await until(lambda: sentence in log.text)
    starting.cancel()
    await asyncio.wait([starting])
    assert starting.cancelled()


def http_of(address: str) -> str:
    return address.replace("ws://", "http://")


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


async def test_a_socket_is_its_owners_and_makes_way_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "engines"
    async with fake_engines(f"unix:{path}", token=""):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
        killed.listen()
    assert path.is_socket()  # as one that was killed leaves it
    async with fake_engines(f"unix:{path}", token="") as heir, asking(heir.address, token=""):
        pass
    path.write_text("precious")
    with pytest.raises(ConfigError, match="is no socket"):
        async with fake_engines(f"unix:{path}", token=""):
            pass
    assert path.read_text() == "precious"


async def test_a_socket_is_not_looked_at_while_another_server_makes_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_turn, "TURN_S", 0.1)
    path = tmp_path / "engines"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))  # the other is about to listen, and refuses until then
        other = os.open(tmp_path, os.O_RDONLY)
        try:
            fcntl.flock(other, fcntl.LOCK_EX)
            with pytest.raises(ConfigError, match="another server has been starting"):
                async with fake_engines(f"unix:{path}", token=""):
                    pass
        finally:
            os.close(other)
    assert path.is_socket()


async def test_the_socket_of_a_server_that_lives_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "engines"
    async with fake_engines(f"unix:{path}", token="") as first:
        with pytest.raises(ConfigError, match="Another server listens"):
            async with fake_engines(f"unix:{path}", token=""):
                pass
        async with asking(first.address, token="") as engines:
            assert (await translated(engines)).samples == 16000
        path.unlink()
        with socket.socket(socket.AF_UNIX) as another:
            another.bind(str(path))
    assert path.is_socket()  # not the first's to remove


async def test_a_web_page_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    async with fake_engines(token="") as server, aiohttp.ClientSession() as http:
        url = http_of(server.address) + PATH
        for origin in ("https://example.org", "null"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(url, params=WHO, origin=origin, protocols=(PROTOCOL,))
            assert refused.value.status == 403
        assert "it is a web page" in caplog.text
        async with http.ws_connect(url, params=WHO, protocols=(PROTOCOL,)) as honest:
            assert (await honest.receive()).type is aiohttp.WSMsgType.BINARY


async def test_others_are_never_served_without_a_token() -> None:
    for listen in ("0.0.0.0:0", "[::]:7070", "192.0.2.1:7070", "gpu.example:7070"):
        with pytest.raises(ConfigError, match="would let anyone use these engines"):
            async with fake_engines(listen, token=""):
                pass
    with pytest.raises(ConfigError, match="needs 16 or more"):
        async with fake_engines(token="short"):
            pass


@pytest.mark.parametrize("token", ["", "0123456789abcdeF", "another-token-of-some-length"])
async def test_a_wrong_token_is_refused_with_a_sentence_on_both_sides(
    token: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with fake_engines() as server, asking(server.address) as honest:
        settings = EngineSettings(ast_servers=(server.address,), engine_token=token, tts=FAKES[1])
        await refused(settings, "refused our token", caplog)
        assert "showed no token, or a wrong one" in caplog.text
        assert TOKEN not in caplog.text and (not token or token not in caplog.text)
        assert (await translated(honest)).samples == 16000


async def test_another_version_of_the_protocol_is_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with fake_engines() as server, aiohttp.ClientSession() as http:
        url = http_of(server.address) + PATH
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(url, params=WHO, headers=SHOWN, protocols=("rtc-engines.99",))
        assert refused.value.status == 426
        assert f"does not speak {PROTOCOL}" in caplog.text
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(url, params={"kind": "x"}, headers=SHOWN, protocols=(PROTOCOL,))
        assert refused.value.status == 400


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


async def test_a_certificate_that_nobody_vouches_for_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cert, key = self_signed(tmp_path)
    async with fake_engines(http=HttpSettings(tls_cert=str(cert), tls_key=str(key))) as server:
        settings = EngineSettings(ast_servers=(server.address,), engine_token=TOKEN, tts=FAKES[1])
        await refused(settings, "its certificate is not believed", caplog)


async def test_a_certificate_must_have_the_name_that_was_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cert, key = self_signed(tmp_path)  # for 127.0.0.1
    async with fake_engines(http=HttpSettings(tls_cert=str(cert), tls_key=str(key))) as server:
        settings = EngineSettings(
            ast_servers=(server.address.replace("127.0.0.1", "localhost"),),
            engine_token=TOKEN,
            engine_ca=str(cert),
            tts=FAKES[1],
        )
        await refused(settings, "its certificate is not believed", caplog)


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

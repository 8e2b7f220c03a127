"""The server elsewhere than at the root of its own port: a prefix, TLS, proxies, another app."""

import asyncio
import os
import runpy
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from rtc_server.app import tls
from rtc_server.app.server import RunningServer, mountable, running
from rtc_server.config import HttpSettings, Settings
from rtc_server.errors import ConfigError
from tests.support.certificates import self_signed
from tests.support.http_proxy import proxy
from tests.support.patient import QUICK
from tests.support.ports import free_ports
from tests.support.rtc_client import RtcClient
from tests.support.server import EVENTS, of, said
from tests.support.until import until

CALLS = "/v1/realtime/translations/calls"
EXAMPLES = Path(__file__).parents[2] / "examples"


@asynccontextmanager
async def server(**http: object) -> AsyncIterator[RunningServer]:
    settings = Settings(http=HttpSettings(port=0, **http), engines=QUICK)  # type: ignore[arg-type]
    async with running(settings) as running_server:
        yield running_server


async def works_below(url: str) -> None:
    """The page, its files, a call with media and events, its end, and a WebSocket: all below."""
    async with aiohttp.ClientSession() as http:
        async with http.get(url) as redirected:  # without the slash
            assert str(redirected.url) == f"{url}/"
            assert 'src="static/app.js"' in await redirected.text()
        async with http.get(f"{url}/static/app.js") as script:
            assert script.status == 200
        async with http.get(f"{url}/static/nothing.js") as missing:
            assert missing.status == 404
        async with RtcClient(url + CALLS) as client:
            await client.event("session.created")
            assert client.location.startswith(f"{URL(url).path}{CALLS}/sess_")
        async with http.delete(URL(url).join(URL(client.location))) as gone:
            assert gone.status in (200, 404)  # 404: the client's close was quicker
        async with http.ws_connect(f"{url}/ws/audio") as socket_:
            assert (await socket_.receive_json())["type"] == "session.created"


async def test_everything_is_below_the_prefix() -> None:
    async with server(path_prefix="/talk/live") as running_server:
        assert running_server.url.endswith("/talk/live")
        await works_below(running_server.url)
        async with aiohttp.ClientSession() as http:
            root = running_server.url.removesuffix("/talk/live")
            for path in ("/", "/healthz", "/v1/engines", "/talk"):
                async with http.get(root + path) as elsewhere:
                    assert elsewhere.status == 404


async def test_it_is_mounted_in_another_application_and_ends_with_it() -> None:
    app = web.Application()
    app.add_subapp("/interpreter/", mountable(Settings(engines=QUICK)))
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/interpreter"
        async with RtcClient(url + CALLS) as client:
            await client.event("session.created")
            assert client.location.startswith(f"/interpreter{CALLS}/sess_")
        async with aiohttp.ClientSession() as http, http.get(f"{url}/readyz") as ready:
            assert ready.status == 200
    finally:
        await runner.cleanup()


async def test_the_other_application_stops_when_the_sentence_is_finished() -> None:
    app = web.Application()
    app.add_subapp("/interpreter/", mountable(Settings(engines=QUICK)))
    runner = web.AppRunner(app)
    await runner.setup()
    stopping: asyncio.Task[None] | None = None
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/interpreter{CALLS}"
        sentence = said("please call a taxi for tomorrow morning", pause_s=5)
        async with RtcClient(url, audio=sentence, session=EVENTS) as client:
            await client.event("x.vad")  # speech has begun
            stopping = asyncio.create_task(runner.cleanup())
            told = await client.event("x.expiring")
            assert (told["reason"], told["in_ms"]) == ("restart", 10_000)
            await client.event("session.closed")
            [caption] = of(client, "x.segment", final=True)
            assert caption["status"] == "final"
    finally:
        await (stopping or runner.cleanup())


def test_the_example_mounts_it() -> None:
    example = runpy.run_path(str(EXAMPLES / "mounted.py"))
    paths = {resource.canonical for resource in example["make_app"]().router.resources()}
    assert {"/", "/interpreter"} <= paths


@pytest.mark.parametrize("name", ["nginx", "caddy"])
async def test_a_proxy_serves_it_below_a_prefix(name: str, tmp_path: Path) -> None:
    with free_ports(1) as [port]:
        await _served_through(name, port, tmp_path)


async def _served_through(name: str, port: int, tmp_path: Path) -> None:
    async with server(trusted_proxies=("127.0.0.1",)) as running_server:
        example = {"nginx": "nginx.conf", "caddy": "Caddyfile"}[name]
        text = (EXAMPLES / "proxy" / example).read_text()
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        text = text.replace("127.0.0.1:8000", f"127.0.0.1:{running_server.port}")
        path = tmp_path / example
        path.write_text(text)
        program = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, f"{name} is missing; scripts/test installs it"
        commands = {
            "nginx": [program, "-p", str(tmp_path), "-c", str(path), "-g", "daemon off;"],
            "caddy": [program, "run", "--config", str(path), "--adapter", "caddyfile"],
        }
        async with proxy(commands[name], port):
            url = f"http://127.0.0.1:{port}/interpreter"
            await works_below(url)
            lie = {"X-Forwarded-Host": "evil.example"}
            async with aiohttp.ClientSession() as http, http.get(url, headers=lie) as answer:
                assert answer.status == 200  # 403, were the client believed


async def shown_by(port: int, trusted: Path) -> bytes | None:
    """Return the certificate that the server shows to a client that trusts this one."""
    context = ssl.create_default_context(cafile=trusted)
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    shown: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return shown


async def test_https_and_a_renewed_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "CHECK_S", 0.05)
    cert, key = self_signed(tmp_path)
    async with server(tls_cert=str(cert), tls_key=str(key)) as running_server:
        assert running_server.url.startswith("https://")
        context = ssl.create_default_context(cafile=cert)
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{running_server.url}/readyz", ssl=context) as ready,
        ):
            assert ready.status == 200
        first = await shown_by(running_server.port, cert)
        key.write_text("half written")
        await asyncio.sleep(0.2)
        assert await shown_by(running_server.port, cert) == first
        self_signed(tmp_path)
        async with asyncio.timeout(30):
            while True:
                try:
                    renewed = await shown_by(running_server.port, cert)
                except ssl.SSLCertVerificationError:  # still the first
                    await asyncio.sleep(0.05)
                else:
                    break
        assert renewed != first


async def test_a_certificate_renewed_before_its_key_does_not_stop_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tls, "CHECK_S", 0.05)
    cert, key = self_signed(tmp_path)
    trusted = tmp_path / "trusted.pem"
    shutil.copy(cert, trusted)
    (tmp_path / "next").mkdir()
    renewed, _ = self_signed(tmp_path / "next")
    async with server(tls_cert=str(cert), tls_key=str(key)) as running_server:
        first = await shown_by(running_server.port, trusted)
        renewed.replace(cert)
        await until(lambda: "is not used yet" in caplog.text)
        assert await shown_by(running_server.port, trusted) == first


async def test_a_certificate_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path)
    key.write_text("nothing")
    for one in (cert, tmp_path / "missing.pem"):
        with pytest.raises(ConfigError, match=r"Cannot use the certificate .*--tls-key"):
            async with server(tls_cert=str(one), tls_key=str(key)):
                pass

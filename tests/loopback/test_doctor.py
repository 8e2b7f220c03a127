"""The doctor against real servers: good findings and faults."""

import asyncio
import contextlib
import io
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from rtc_server.app.doctor import Finding, Level, examination, examine, examine_remote
from rtc_server.app.server import RunningServer, running
from rtc_server.cli import main
from rtc_server.config import EngineSettings, HttpSettings, Settings, TransportSettings
from tests.support.coturn import SECRET, coturn
from tests.support.patient import QUICK

KEY = "k" * 32


@asynccontextmanager
async def server(**transport: object) -> AsyncIterator[RunningServer]:
    settings = Settings(
        http=HttpSettings(port=0, api_key=KEY),
        transport=TransportSettings(**transport),  # type: ignore[arg-type]
        engines=QUICK,
    )
    async with running(settings) as running_server:
        yield running_server


@asynccontextmanager
async def site(*routes: web.RouteDef) -> AsyncIterator[str]:
    """Run a server that is not rtc-server; yield its URL."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def findings(url: str, key: str = KEY) -> list[Finding]:
    settings = Settings(http=HttpSettings(api_key=key))
    return [each async for each in examine_remote(url, settings)]


async def test_a_server_that_works_is_found_well_and_left_clean() -> None:
    async with server() as running_server:
        found = await findings(running_server.url)
        assert [each.level for each in found] == [Level.OK] * 3
        assert "A call connected" in found[-1].what
        assert "host 127.0.0.1" in found[-1].what
        async with asyncio.timeout(60):
            while running_server.manager.sessions:  # noqa: ASYNC110 - nothing tells when
                await asyncio.sleep(0.02)


async def test_a_wrong_key_is_said() -> None:
    async with server() as running_server:
        [_, refused] = await findings(running_server.url, "wrong")
        assert refused.level is Level.FAULT
        assert "--api-key" in refused.fix


async def test_media_that_cannot_be_reached_is_said_with_what_was_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in a container without published ports: HTTP works, and the offered addresses lead
    nowhere.
    """
    monkeypatch.setattr(examination, "CONNECT_S", 3.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nowhere:
        nowhere.bind(("127.0.0.1", 0))
        port = nowhere.getsockname()[1]

        def misled(sdp: str) -> str:
            return re.sub(r"(a=candidate:.* 127\.0\.0\.1) \d+ ", rf"\1 {port} ", sdp)

        async with server() as running_server, aiohttp.ClientSession() as http:

            async def pass_on(request: web.Request) -> web.Response:
                body = misled((await request.read()).decode())
                headers = {key: request.headers[key] for key in ("Authorization",)}
                headers["Content-Type"] = request.content_type
                url = running_server.url + request.raw_path
                async with http.request(
                    request.method, url, data=body, headers=headers
                ) as response:
                    text = misled(await response.text())
                    return web.Response(
                        status=response.status, text=text, content_type=response.content_type
                    )

            async with site(web.route("*", "/{path:.*}", pass_on)) as url:
                found = await findings(url)
    assert found[-1].level is Level.FAULT
    assert "UDP does not get through" in found[-1].what
    assert f"host 127.0.0.1:{port}" in found[-1].what
    assert "--public-address" in found[-1].fix


async def test_what_is_no_server_of_ours_is_said() -> None:
    async with site() as url:
        [found] = await findings(url)
    assert found.level is Level.FAULT
    assert "not from rtc-server" in found.what
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    [found] = await findings(f"http://127.0.0.1:{port}")
    assert "does not answer" in found.what


async def test_this_machine_is_examined_by_a_rehearsal() -> None:
    settings = Settings(http=HttpSettings(port=0), engines=QUICK)
    found = [each async for each in examine(settings)]
    assert [each.what for each in found if each.level is Level.FAULT] == []
    texts = " ".join(each.what for each in found)
    assert "The engines were ready" in texts
    assert "comes back as «one two three»" in texts
    assert "This machine can serve about" in texts


async def test_an_engine_that_does_not_start_is_said_in_its_own_words() -> None:
    settings = Settings(http=HttpSettings(port=0), engines=EngineSettings(ast="babelfish"))
    found = [each async for each in examine(settings)]
    assert found[-1].level is Level.FAULT
    assert "There is no AST engine named babelfish" in found[-1].what


async def test_the_relay_of_nobody_is_a_fault() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"stun:127.0.0.1:{silent.getsockname()[1]}"
        settings = Settings(
            http=HttpSettings(port=0),
            transport=TransportSettings(ice_servers=(url,)),
            engines=EngineSettings(ast="babelfish"),
        )
        found = [each async for each in examine(settings)]
    assert any(each.what.startswith(url) and each.level is Level.FAULT for each in found)


def test_the_command_counts_faults_in_its_exit_code() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = main(["doctor", "--url", "http://127.0.0.1:9"], {})
    assert code == 1
    assert "1 fault found." in out.getvalue()


@pytest.mark.parametrize("limited", [True, False])
async def test_a_turn_server_that_opens_private_networks_is_a_fault(
    limited: bool, tmp_path: Path
) -> None:
    async with coturn(tmp_path, limited=limited) as turn:
        transport = TransportSettings(ice_servers=(turn.udp,), turn_secret=SECRET)
        settings = Settings(transport=transport)
        [found] = [each async for each in examination._ice_servers(settings, ["127.0.0.1"])]
    if limited:
        assert found == Finding(
            Level.OK, f"{transport.ice().servers[0].url} works: it gave 127.0.0.1."
        )
    else:
        assert found.level is Level.FAULT
        assert "169.254.169.254, 10.255.255.254, 172.31.255.254, 192.168.255.254" in found.what

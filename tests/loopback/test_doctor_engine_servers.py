"""The doctor at engine servers: for each fault a sentence and a next step."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from rtc_server.app.doctor import Finding, Level, engine_servers, examination, examine
from rtc_server.app.doctor.engine_servers import EngineServersCheck
from rtc_server.app.engine_channel import PATH
from rtc_server.config import EngineSettings, Settings
from rtc_server.engines.remote.frames import encode
from rtc_server.engines.remote.messages import PROTOCOL, EnginePong
from rtc_server.engines.remote.unusable import Cause, UnusableServer
from rtc_server.errors import ConfigError, RtcServerError
from tests.support.engine_server import TOKEN, fake_engines


@asynccontextmanager
async def other_server(status: int) -> AsyncIterator[str]:
    """A server of something else, or of another version; its address."""

    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serving(refuse) as address:
        yield address


@asynccontextmanager
async def serving(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get(PATH, handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def findings(
    *servers: str, token: str = TOKEN, tts_servers: tuple[str, ...] = ()
) -> list[Finding]:
    settings = EngineSettings(
        ast_servers=tuple(each.removeprefix("ws://") for each in servers),
        tts_servers=tuple(each.removeprefix("ws://") for each in tts_servers),
        engine_token=token,
    )
    return [each async for each in EngineServersCheck(settings).findings()]


async def test_servers_that_work_are_found_well_with_engine_version_and_distance() -> None:
    async with fake_engines() as server:
        found = await findings(server.address, tts_servers=(server.address,))
        assert not server.server.calls
    assert [each.level for each in found] == [Level.OK, Level.OK], found
    assert "(ast)" in found[0].what and "(tts)" in found[1].what
    assert all("ms for a round trip" in each.what for each in found)
    assert all(name in found[0].what for name in ("phrasebook", "rtc-server "))


async def test_without_engine_servers_there_is_nothing_to_look_at() -> None:
    assert await findings() == []


async def test_a_wrong_token_is_told_with_the_option() -> None:
    async with fake_engines() as server:
        (found,) = await findings(server.address, token="another-token-of-some-length")
    assert found.level is Level.FAULT and "refused our token" in found.what
    assert "--engine-token-file" in found.fix
    assert "another-token" not in found.what + found.fix


async def test_nobody_there_is_told_with_what_to_check(tmp_path: Path) -> None:
    (found,) = await findings(f"unix:{tmp_path}/nobody")
    assert found.level is Level.FAULT and "cannot be reached" in found.what
    assert "firewall" in found.fix


@pytest.mark.parametrize(
    ("status", "what", "fix"),
    [
        (404, "not an engine server (HTTP 404)", "--listen"),
        (426, "another version of the protocol", "same version"),
        (503, "accepts no connections", "--only"),
    ],
)
async def test_what_refuses_is_told_with_its_reason(status: int, what: str, fix: str) -> None:
    async with other_server(status) as address:
        (found,) = await findings(address)
    assert found.level is Level.FAULT
    assert what in found.what and fix in found.fix


async def test_what_says_no_hello_is_no_engine_server() -> None:
    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=(PROTOCOL,))
        await socket.prepare(request)
        await socket.send_bytes(encode(EnginePong(1)))
        await socket.receive()
        return socket

    async with serving(answer) as address:
        (found,) = await findings(address)
    assert found.level is Level.FAULT
    assert "did not begin with a hello" in found.what and "--listen" in found.fix


async def test_a_server_with_another_engine_is_named_with_what_to_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def differs(*_hellos: object) -> None:
        raise UnusableServer(Cause.OTHER_ENGINE, "it runs another one")

    monkeypatch.setattr(engine_servers, "check_same_engine", differs)
    async with fake_engines() as server:
        (found,) = await findings(server.address)
    assert found.level is Level.FAULT and "same --engines" in found.fix


async def test_engines_are_lacking_while_no_server_of_a_kind_can_be_used(tmp_path: Path) -> None:
    async with fake_engines() as server:
        here = server.address.removeprefix("ws://")
        nobody = f"unix:{tmp_path}/nobody"
        for servers, lacks in (((here,), False), ((nobody, here), False), ((nobody,), True)):
            settings = EngineSettings(ast_servers=(here,), tts_servers=servers, engine_token=TOKEN)
            check = EngineServersCheck(settings)
            assert len([each async for each in check.findings()]) == 1 + len(servers)
            assert check.lacks_engines is lacks
    assert not EngineServersCheck(EngineSettings()).lacks_engines


async def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(ConfigError, match="is not the address of an engine server"):
        await findings("gpu one:7")


async def test_another_version_and_a_busy_server_are_worth_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with fake_engines() as server:
        monkeypatch.setattr(engine_servers, "__version__", "99.0")
        (found,) = await findings(server.address)
        assert found.level is Level.NOTE and "This machine has 99.0" in found.what


async def test_no_call_is_rehearsed_when_no_server_can_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def never(_settings: Settings) -> AsyncIterator[Finding]:
        raise RtcServerError("rehearsed")
        yield

    monkeypatch.setattr(examination, "rehearse", never)
    engines = EngineSettings(ast_servers=(f"unix:{tmp_path}/nobody",))
    found = [each async for each in examine(replace(Settings(), engines=engines))]
    assert "No call was rehearsed" in found[-1].what

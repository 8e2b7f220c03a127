"""Sessions that were admitted and have not spoken yet, as engine servers know them."""

import asyncio
import json
import struct
from dataclasses import replace

import pytest

from rtc_server.engines.remote.frames import decode_asking, encode
from rtc_server.engines.remote.messages import EnginePing, ServerHello
from rtc_server.engines.remote.remote_ast import RemoteAst
from rtc_server.engines.remote.server import EngineServer, Served
from rtc_server.errors import EngineError
from tests.support.engine_pool import HeldServer, HeldServers, asked, speaking, talk, translating
from tests.support.fakes import AST_CAPABILITIES
from tests.support.virtual_engine import Machine, virtual_service

FOR_ONE = Machine(0.3, 0.5, capabilities=replace(AST_CAPABILITIES, max_batch=1))
"""Engine that carries one session."""


def with_newcomer(newcomer: object) -> bytes:
    head = {"message": "EnginePing", "fields": {"n": 1}, "newcomer": newcomer}
    text = json.dumps(head).encode()
    return struct.pack("!I", len(text)) + text


def test_a_newcomer_is_where_a_server_of_an_earlier_version_does_not_look() -> None:
    sent = encode(EnginePing(1, "s"))
    assert json.loads(sent[4:]) == json.loads(with_newcomer("s")[4:])
    assert decode_asking(encode(EnginePing(1, "s"))) == EnginePing(1, "s")
    assert decode_asking(encode(EnginePing(1))) == EnginePing(1)


@pytest.mark.parametrize("newcomer", [7, None, ["s"], "s" * 201])
def test_what_is_no_name_is_refused(newcomer: object) -> None:
    with pytest.raises(EngineError, match="cannot be read"):
        decode_asking(with_newcomer(newcomer))


async def test_a_session_is_announced_to_the_server_that_it_will_ask() -> None:
    servers = HeldServers(HeldServer("unix:a"), HeldServer("unix:b"))
    async with translating(servers) as ast:
        for n in range(10):
            ast.expect(f"s{n}")
        await asyncio.sleep(0.01)
        announced = {name: held.ast.expected for name, held in servers.by_name.items()}
        for n in range(10):
            ast.submit(asked(talk(0.1)), session_id=f"s{n}")
        await asyncio.sleep(0.01)
        assert all(announced.values())
        assert announced == {name: held.ast.sessions for name, held in servers.by_name.items()}


async def test_a_voice_is_told_of_newcomers_too() -> None:
    servers = HeldServers(HeldServer("unix:a"))
    async with speaking(servers) as tts:
        tts.expect("s")
        await asyncio.sleep(0.01)
        assert servers.by_name["unix:a"].tts.expected == ["m/s"]


async def test_newcomers_go_with_their_media_process() -> None:
    for serving in translating, speaking:
        servers = HeldServers(HeldServer("unix:a"))
        async with serving(servers) as engine:
            engine.expect("s")
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        held = servers.by_name["unix:a"]
        assert [*held.ast.forgotten, *held.tts.forgotten] == ["m/s"]


async def test_without_a_server_nobody_is_told() -> None:
    servers = HeldServers(HeldServer("unix:a"))
    async with translating(servers) as ast:
        await servers.by_name["unix:a"].kill()
        await asyncio.sleep(0.1)
        ast.expect("s")


async def test_media_processes_that_share_an_engine_know_of_each_other_s_newcomers() -> None:
    async with virtual_service(FOR_ONE) as (service, _):
        await service.submit(asked(talk(3.0)), session_id="first")
        service.forget("first")
        held = HeldServer("unix:a")
        hello = ServerHello("1", "fake", ast=service.capabilities)
        held.server = EngineServer(Served(ast=service, ast_hello=hello))
        servers = HeldServers(held)
        async with translating(servers) as one:
            other = RemoteAst(servers.pool("ast", one._pool._settings))
            await other.start()
            for session in ("s1", "s2", "s3"):
                assert (one.retry_after_s, other.retry_after_s) == (0, 0)
                one.expect(session)
                await asyncio.sleep(0.01)
                if one.retry_after_s:
                    break
            assert one.retry_after_s > 0, "at once, by the answer to its own notice"
            await asyncio.sleep(0.3)
            assert other.retry_after_s > 0, "by its next ping"
            await asyncio.sleep(60)
            assert (one.retry_after_s, other.retry_after_s) == (0, 0), "they never spoke"
            await other.close()

"""Pool of engine servers: the server that a session gets, and servers that get none."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from rtc_server.config import EngineSettings
from rtc_server.engines.remote.rendezvous import affinity, ranked
from rtc_server.errors import EngineUnavailable
from tests.support.engine_pool import (
    HeldServer,
    HeldServers,
    asked,
    asked_server,
    frames_pass,
    held_servers,
    other_than,
    speaking,
    talk,
    translating,
)
from tests.support.fakes import TTS_CAPABILITIES


def test_a_server_that_goes_moves_its_own_sessions_alone() -> None:
    servers = [f"10.0.0.{n}:7070" for n in range(5)]
    before = {f"sess_{n}": ranked(f"sess_{n}", servers)[0] for n in range(2000)}
    after = {key: ranked(key, servers[1:])[0] for key in before}
    moved = {key for key in before if before[key] != after[key]}
    assert moved == {key for key in before if before[key] == servers[0]}
    assert max(Counter(before.values()).values()) < 500


def test_the_languages_of_a_room_share_a_server() -> None:
    assert affinity("room lesson ru") == affinity("room lesson de") == affinity("room lesson")
    assert affinity("room lesson ru") != affinity("room other ru")
    assert affinity("sess_1") == "sess_1"


async def test_a_session_stays_with_its_server_and_sessions_spread() -> None:
    some = held_servers()
    async with translating(some) as ast:
        for _ in range(2):
            for n in range(40):
                ast.submit(asked(talk(0.1)), session_id=f"s{n}")
        await frames_pass()
        seen = [Counter(held.ast.sessions) for held in some.by_name.values()]
        assert not seen[0].keys() & seen[1].keys()
        assert min(len(each) for each in seen) > 10
        assert set(seen[0].values()) == {2}
        assert "m/s0" in seen[0].keys() | seen[1].keys()


async def test_a_slow_engine_is_not_a_hung_server() -> None:
    some = held_servers()
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(1.0)), session_id="s")
        await asyncio.sleep(20)
        held = asked_server(some)
        held.ast.answer("slow")
        assert (await answer).target_text == "slow"
        assert not other_than(some, held).ast.futures


async def test_back_pressure_counts_when_no_server_is_free_and_new_sessions_avoid_it() -> None:
    some = held_servers()
    busy, free = some.by_name.values()
    async with translating(some) as ast:
        busy.ast.retry_after_s = 7
        await asyncio.sleep(1)
        assert ast.retry_after_s == 0
        for n in range(20):
            ast.submit(asked(talk(0.1)), session_id=f"s{n}")
        await frames_pass()
        assert (len(busy.ast.futures), len(free.ast.futures)) == (0, 20)
        free.ast.retry_after_s = 3
        await asyncio.sleep(1)
        assert ast.retry_after_s == 3


async def test_a_server_whose_engine_restarts_is_avoided() -> None:
    some = held_servers()
    restarting, well = some.by_name.values()
    async with translating(some) as ast:
        restarting.ast.ready = False
        await asyncio.sleep(1)
        assert ast.ready
        for n in range(20):
            ast.submit(asked(talk(0.1)), session_id=f"s{n}")
        await frames_pass()
        assert not restarting.ast.futures
        well.ast.ready = False
        await asyncio.sleep(1)
        assert not ast.ready


async def test_a_server_with_another_engine_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    odd = HeldServer("unix:odd", title="Another 2.0", engine="another")
    some = HeldServers(HeldServer("unix:a"), odd)
    async with translating(some) as ast:
        for n in range(10):
            ast.submit(asked(talk(0.1)), session_id=f"s{n}")
        await frames_pass()
        used = [bool(held.ast.futures) for held in some.by_name.values()]
        assert sorted(used) == [False, True]
        assert "cannot stand in" in caplog.text


async def test_no_server_at_the_start_is_said_with_the_reasons() -> None:
    held = HeldServer("unix:a", is_up=False)
    some = HeldServers(held)
    with pytest.raises(EngineUnavailable, match=r"unix:a: cannot be reached"):
        async with translating(some, EngineSettings(engine_start_s=3)):
            pass
    await some.close()


async def test_a_voice_with_another_rate_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    odd = HeldServer("unix:b", tts_capabilities=replace(TTS_CAPABILITIES, sample_rate=8000))
    some = HeldServers(HeldServer("unix:a"), odd)
    async with speaking(some):
        assert "cannot stand in" in caplog.text

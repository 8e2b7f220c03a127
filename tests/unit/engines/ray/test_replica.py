"""A replica as a cluster starts, asks and ends it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from rtc_server.engines.ray.replica import EngineReplica
from rtc_server.engines.remote.server import EngineServer
from rtc_server.errors import EngineUnavailable
from tests.support.engine_pool import HeldServer, HeldServers, asked, talk, translating

PATIENCE_S = 30.0


@dataclass
class Running:
    """Engine server without a socket, with an address as if it listened."""

    held: HeldServer
    ended: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.held.name

    @property
    def server(self) -> EngineServer:
        return self.held.server

    @asynccontextmanager
    async def start(self, host: str) -> AsyncIterator["Running"]:
        self.ended.append(f"started at {host}")
        yield self
        self.ended.append(f"ended with {self.server.calls} open")


def replica_of(running: Running, drain_s: float = 10.0) -> EngineReplica:
    return EngineReplica(running.start, drain_s=drain_s, patience_s=PATIENCE_S)


async def test_it_describes_itself_and_counts_open_calls() -> None:
    held = HeldServer("10.0.0.3:7070")
    replica = replica_of(Running(held))
    assert (await replica.describe())["is_draining"]
    await replica.start("10.0.0.3")
    async with translating(HeldServers(held)) as ast:
        assert await replica.record_autoscaling_stats() == {"calls": 0.0}
        futures = [ast.submit(asked(talk(1.0)), session_id="s") for _ in range(3)]
        await asyncio.sleep(0.1)
        assert await replica.record_autoscaling_stats() == {"calls": 3.0}
        assert await replica.describe() == {
            "address": "10.0.0.3:7070",
            "is_draining": False,
            "calls": 3,
        }
        held.ast.answer()
        await asyncio.gather(*futures)
        assert await replica.record_autoscaling_stats() == {"calls": 0.0}
    await replica.stop()


async def test_its_end_waits_for_what_is_open_and_others_are_asked_for_the_rest() -> None:
    first, second = HeldServer("a"), HeldServer("b")
    running = Running(first)
    replica = replica_of(running)
    await replica.start("10.0.0.3")
    servers = HeldServers(first)
    async with translating(servers) as ast:
        servers.by_name["b"], servers.listed = second, [first.address, second.address]
        await asyncio.sleep(6.0)  # the second is found
        open_ = ast.submit(asked(talk(1.0)), session_id="s")
        for number in range(20):  # wherever this session is, another one is with the first
            ast.submit(asked(talk(1.0)), session_id=f"s{number}").add_done_callback(
                lambda future: future.exception()
            )
        await asyncio.sleep(0.1)
        assert first.ast.futures
        ending = asyncio.create_task(replica.stop())
        await asyncio.sleep(1.0)
        assert (await replica.describe())["is_draining"]
        assert running.ended == ["started at 10.0.0.3"]
        before = len(first.ast.futures)
        for number in range(20):
            ast.submit(asked(talk(1.0)), session_id=f"s{number}").add_done_callback(
                lambda future: future.exception()
            )
        await asyncio.sleep(0.1)
        assert len(first.ast.futures) == before
        first.ast.answer()
        second.ast.answer()
        await ending
        assert running.ended[-1] == "ended with 0 open"
        assert (await open_).target_text == "word"
    await replica.stop()
    assert len(running.ended) == 2


async def test_its_end_does_not_wait_for_ever() -> None:
    held = HeldServer("a")
    running = Running(held)
    replica = replica_of(running, drain_s=5.0)
    await replica.start("10.0.0.3")
    async with translating(HeldServers(held)) as ast:
        lost = ast.submit(asked(talk(1.0)), session_id="s")
        await asyncio.sleep(0.1)
        began_s = asyncio.get_running_loop().time()
        await replica.stop()
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(5.0, abs=0.2)
        assert running.ended[-1] == "ended with 1 open"
        lost.cancel()


async def test_an_engine_may_be_restarted_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rtc_server.engines.ray.replica.monotonic", asyncio.get_running_loop().time)
    held = HeldServer("a")
    replica = replica_of(Running(held))
    await replica.check_health()
    await replica.start("10.0.0.3")
    await replica.check_health()
    held.ast.ready = False
    await asyncio.sleep(PATIENCE_S - 1)
    await replica.check_health()
    held.ast.ready = True
    await replica.check_health()
    held.ast.ready = False
    await asyncio.sleep(PATIENCE_S - 1)
    await replica.check_health()
    await asyncio.sleep(2)
    with pytest.raises(EngineUnavailable, match="not ready for 30 s"):
        await replica.check_health()
    await replica.stop()
    await replica.check_health()  # it ends, which is no fault

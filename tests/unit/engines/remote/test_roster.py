"""Servers of a pool while its directory lists some of them, others, or none, in virtual time."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from rtc_server.engines.remote.directory import ServerAddress
from rtc_server.engines.remote.pooled_server import LOST_S, SUSPECT_S
from rtc_server.engines.remote.remote_ast import RemoteAst
from rtc_server.engines.remote.roster import LOOK_S, MISSED_S, UNLISTED_S
from rtc_server.engines.remote.want import URGENT_S
from rtc_server.errors import EngineTimeout
from tests.support.engine_pool import HeldServer, HeldServers, asked, talk, translating
from tests.support.until import until


def held_servers(*names: str) -> HeldServers:
    return HeldServers(*(HeldServer(name) for name in names or ("unix:a", "unix:b")))


def shown_servers(some: HeldServers) -> set[str]:
    """Return the engine servers that metrics name."""
    samples = [each for metric in some.metrics.registry.collect() for each in metric.samples]
    return {each.labels["server"] for each in samples if "server" in each.labels}


def answered_by(held: HeldServer) -> dict[str, str]:
    return {"kind": "ast", "server": held.name, "outcome": "answered"}


async def settled() -> None:
    """Wait until frames have arrived; no timer of the pool is so short."""
    await asyncio.sleep(0.01)


async def answered_in(ast: RemoteAst, some: HeldServers, session: str) -> tuple[str, float]:
    """Translate; return the server that answered, and the time that it took."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    answer = ast.submit(asked(talk(0.1)), session_id=session)
    while not answer.done():
        await settled()
        for held in some.by_name.values():
            if held.is_up:
                held.ast.answer(held.name)
    return (await answer).target_text, loop.time() - began_s


async def test_a_server_that_answers_stays_though_a_list_leaves_it_out() -> None:
    some = held_servers()
    listed, left_out = some.by_name.values()
    async with translating(some) as ast:
        some.listed = [listed.address]
        await asyncio.sleep(2 * LOOK_S)
        await listed.kill()  # before the list is complete again
        for n in range(10):
            name, took_s = await answered_in(ast, some, f"s{n}")
            assert name == left_out.name
            assert took_s < 0.1


async def test_lists_of_dead_servers_take_none_away_that_answers() -> None:
    some = held_servers()
    dead = [HeldServer(f"unix:dead{n}", is_up=False) for n in range(2)]
    some.by_name |= {held.name: held for held in dead}
    async with translating(some) as ast:
        some.listed = [held.address for held in dead]
        await asyncio.sleep(10 * UNLISTED_S)
        names = {(await answered_in(ast, some, f"s{n}"))[0] for n in range(20)}
        assert names == {"unix:a", "unix:b"}
        dead[0].is_up = True
        await asyncio.sleep(UNLISTED_S)
        names = {(await answered_in(ast, some, f"s{n}"))[0] for n in range(20)}
        assert names == {dead[0].name}
        assert shown_servers(some) == {held.name for held in dead}
        up = [some.sample("rtc_engine_server_up", kind="ast", server=each.name) for each in dead]
        assert up == [1, 0]


async def test_a_server_is_not_sought_once_it_is_gone_and_off_the_list() -> None:
    some = held_servers()
    kept, gone = some.by_name.values()
    async with translating(some):
        some.listed = [kept.address]
        await gone.kill()
        await asyncio.sleep(2 * LOOK_S)
        assert shown_servers(some) == {kept.name}


async def test_calls_of_a_silent_server_go_to_the_first_that_shows_life_again() -> None:
    some = held_servers()
    loop = asyncio.get_running_loop()
    async with translating(some) as ast:
        for held in some.by_name.values():
            held.freeze()
        await asyncio.sleep(SUSPECT_S + 0.5)
        answers = [ast.submit(asked(talk(0.1)), session_id=f"s{n}") for n in range(20)]
        first, other = some.by_name.values()
        first.freeze(frozen=False)
        began_s = loop.time()
        await until(lambda: len(first.ast.futures) == len(answers))
        first.ast.answer(first.name)
        assert {(await each).target_text for each in answers} == {first.name}
        assert loop.time() - began_s < 1.0 < LOST_S - SUSPECT_S
        assert not other.ast.futures


async def test_while_calls_wait_servers_and_the_directory_are_tried_each_second() -> None:
    some = held_servers()
    old, new = some.by_name.values()
    some.listed = [old.address]
    loop = asyncio.get_running_loop()
    async with translating(some) as ast:
        await old.kill()
        await asyncio.sleep(60)  # tries are 10 s apart by now
        answer = ast.submit(asked(talk(0.1)), session_id="s")
        await asyncio.sleep(3.3)
        old.is_up = True
        began_s = loop.time()
        await until(lambda: bool(old.ast.futures))
        assert loop.time() - began_s < URGENT_S + 0.1
        old.ast.answer()
        await answer
        await old.kill()
        answer = ast.submit(asked(talk(0.1)), session_id="s")
        await asyncio.sleep(LOOK_S + 0.3)
        some.listed = [new.address]
        began_s = loop.time()
        await until(lambda: bool(new.ast.futures))
        assert loop.time() - began_s < URGENT_S + 0.1
        new.ast.answer()
        await answer


async def test_the_successor_of_a_lost_server_is_found_within_a_second() -> None:
    some = held_servers("unix:a", "unix:b", "unix:successor")
    lost, left, successor = some.by_name.values()
    some.listed = [lost.address, left.address]
    async with translating(some):
        await lost.kill()  # at once after a look
        await asyncio.sleep(LOOK_S + 0.1)
        some.listed = [left.address, successor.address]
        await asyncio.sleep(URGENT_S + 0.1)
        assert successor.address in some.connected


@pytest.mark.unmeasured
async def test_reasons_that_take_turns_do_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    flapping = HeldServer("unix:flapping")
    some = HeldServers(HeldServer("unix:a"), flapping)
    async with translating(some):
        for _ in range(200):
            await flapping.kill()
            await asyncio.sleep(4)
            flapping.is_up = True
            await asyncio.sleep(11)
    lines = [each for each in caplog.messages if "unix:flapping: " in each]
    assert 5 < len(lines) < 5 + 200 * 15 * 0.01 + 2
    assert "more not logged" in lines[-1]


async def test_an_empty_answer_of_the_directory_changes_nothing() -> None:
    some = held_servers()
    async with translating(some) as ast:
        some.listed = []
        await asyncio.sleep(3 * LOOK_S)
        assert ast.ready
        names = {(await answered_in(ast, some, f"s{n}"))[0] for n in range(20)}
        assert names == some.by_name.keys()


class FailingDirectory(HeldServers):
    """Directory that fails at first, with an unexpected error."""

    def __init__(self, *servers: HeldServer) -> None:
        super().__init__(*servers)
        self.faults = [UnicodeError("label empty or too long")]

    async def addresses(self) -> Sequence[ServerAddress]:
        if self.faults:
            raise self.faults.pop()
        return await super().addresses()


async def test_a_directory_that_fails_in_an_unknown_way_is_asked_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with translating(FailingDirectory(HeldServer("unix:a"))) as ast:
        assert ast.ready
    assert "label empty or too long" in caplog.text


async def test_the_directory_adds_servers_and_takes_them_away() -> None:
    some = held_servers()
    kept, gone = some.by_name.values()
    some.listed = [gone.address]
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(0.1)), session_id="s")
        await settled()
        some.listed = [kept.address]
        await asyncio.sleep(UNLISTED_S + 2 * LOOK_S)
        later = ast.submit(asked(talk(0.1)), session_id="s")
        await settled()
        assert (len(gone.ast.futures), len(kept.ast.futures)) == (1, 1)
        gone.ast.answer("finished")
        kept.ast.answer("kept")
        assert (await answer).target_text == "finished"
        assert (await later).target_text == "kept"
        await asyncio.sleep(2 * LOOK_S)
        assert gone.name not in shown_servers(some)
        assert some.sample("rtc_engine_server_calls_total", **answered_by(kept)) == 1


async def test_an_address_that_is_corrected_takes_effect_once_the_calls_are_answered() -> None:
    held = HeldServer("unix:a")
    some = HeldServers(held)
    async with translating(some) as ast:
        answer = ast.submit(asked(talk(0.1)), session_id="s")
        await settled()
        some.listed = [replace(held.address, certified="engines.internal")]
        await asyncio.sleep(2 * LOOK_S)
        assert some.connected == [held.address]
        assert not ast.ready  # nothing new goes the old way
        held.ast.answer("finished")
        assert (await answer).target_text == "finished"
        await asyncio.sleep(2 * LOOK_S)
        assert some.connected == [held.address, *some.listed]
        assert ast.ready
        await asyncio.sleep(2 * LOOK_S)
        assert len(some.connected) == 2


async def test_a_server_that_is_listed_now_and_then_stays() -> None:
    some = held_servers()
    listed, flickering = some.by_name.values()
    async with translating(some):
        for _ in range(3):
            some.listed = [listed.address]
            await asyncio.sleep(UNLISTED_S - 2 * LOOK_S)
            some.listed = [listed.address, flickering.address]
            await asyncio.sleep(2 * LOOK_S)
        assert some.connected.count(flickering.address) == 1


@pytest.mark.unmeasured
async def test_a_dead_server_that_is_listed_now_and_then_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dead = HeldServer("unix:dead", is_up=False)
    alive = HeldServer("unix:a")
    some = HeldServers(alive, dead)
    async with translating(some):
        for _ in range(100):
            some.listed = [alive.address]
            await asyncio.sleep(2 * LOOK_S)
            some.listed = [alive.address, dead.address]
            await asyncio.sleep(2 * LOOK_S)
    assert len([each for each in caplog.messages if "unix:dead: " in each]) == 1


class CountingDirectory(HeldServers):
    """Directory that counts its requests."""

    looks = 0

    async def addresses(self) -> Sequence[ServerAddress]:
        self.looks += 1
        return await super().addresses()


async def test_nothing_is_tried_more_often_once_no_call_waits_any_more() -> None:
    held = HeldServer("unix:a")
    some = CountingDirectory(held)
    async with translating(some) as ast:
        await held.kill()
        answer = ast.submit(asked(talk(0.1)), session_id="s")
        with pytest.raises(EngineTimeout):
            await answer
        await asyncio.sleep(MISSED_S)
        looks = some.looks
        await asyncio.sleep(20 * LOOK_S)
        assert some.looks - looks <= 21

"""Time in which the loop stood still does not count against anybody."""

import asyncio
import gc
import weakref

import pytest

from rtc_server.standstill import HEARTBEAT_S, Standstills, standstills
from tests.support.virtual_time import watched


async def test_a_loop_that_runs_never_stood_still() -> None:
    async with watched() as loop:
        await asyncio.sleep(100)
        assert standstills().since(0) == 0
        loop.stand_still(HEARTBEAT_S)  # a busy moment
        await asyncio.sleep(1)
        assert standstills().since(0) == 0


async def test_a_standstill_counts_from_any_moment_before_its_end() -> None:
    async with watched() as loop:
        await asyncio.sleep(10)
        before_s = loop.time()
        loop.stand_still(9)
        assert standstills().since(before_s) == pytest.approx(
            9, abs=HEARTBEAT_S
        )  # before a heartbeat shows it
        await asyncio.sleep(1)
        assert standstills().since(before_s) == pytest.approx(9, abs=HEARTBEAT_S)
        assert standstills().since(before_s + 4) == pytest.approx(5, abs=HEARTBEAT_S)
        assert standstills().since(loop.time()) == 0
        loop.stand_still(3)
        await asyncio.sleep(1)
        assert standstills().since(0) == pytest.approx(12, abs=2 * HEARTBEAT_S)


async def test_without_a_watch_nothing_is_known() -> None:
    async with watched() as loop:
        await asyncio.sleep(1)
    loop.stand_still(9)
    assert standstills().since(0) == 0


async def test_waiting_takes_as_long_as_the_loop_runs() -> None:
    async with watched() as loop:
        never = loop.create_future()
        loop.call_later(2, loop.stand_still, 9)
        await standstills().wait({never}, 10)
        assert loop.time() == pytest.approx(19, abs=HEARTBEAT_S)
        never.cancel()


async def test_waiting_ends_with_what_is_waited_for() -> None:
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    loop.call_later(2, done.set_result, None)
    await standstills().wait({done}, 10)
    assert loop.time() == 2


def test_old_standstills_are_forgotten() -> None:
    now_s = 0.0
    still = Standstills(lambda: now_s)
    for _ in range(100):
        still.heartbeat()
        now_s += 9
    assert 0 < still.since(0) < 100 * 9


def test_a_loop_that_is_over_is_forgotten() -> None:
    async def know_of_it() -> None:
        standstills().heartbeat()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(know_of_it())
    loop.close()
    held = weakref.ref(loop)
    del loop
    gc.collect()
    assert held() is None

"""A slow machine is told from a hung engine."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from rtc_server.engines.hang import Activity, CallLimits, CallWatch, Verdict
from rtc_server.engines.process_table import LinuxProcessTable, NoProcessTable
from rtc_server.engines.watching import CallHung, watching

LIMITS = CallLimits(quiet_s=1.5, work_s=1.6, patience_s=30.0)


@dataclass
class Engine:
    """A process of which the table shows what a machine at that load would let it do."""

    share: float = 1.0
    """Part of a processor it gets."""
    wants_cpu: bool = True

    def look(self) -> Activity:
        """Processor time so far, as the kernel counts it: in whole ticks."""
        cpu_s = int(asyncio.get_running_loop().time() * self.share * 100) / 100
        return Activity(cpu_s, self.wants_cpu)


async def call(engine: Engine, wall_s: float, limits: CallLimits = LIMITS) -> float:
    """Ask the engine for what takes so long now; return how long it was waited for."""
    began_s = asyncio.get_running_loop().time()
    try:
        async with watching(limits, engine.look):
            await asyncio.sleep(wall_s)
    except CallHung as hung:
        assert hung.verdict is not Verdict.WORKS
    return asyncio.get_running_loop().time() - began_s


async def test_at_load_ten_calls_are_waited_for() -> None:
    engine = Engine(share=0.1)
    for _ in range(30):  # three minutes of them
        assert await call(engine, 6.0) == pytest.approx(6.0)


@pytest.mark.parametrize("engine", [Engine(0.0, wants_cpu=True), Engine(0.04, wants_cpu=False)])
async def test_one_that_gets_hardly_any_processor_is_waited_for(engine: Engine) -> None:
    assert await call(engine, 20.0) == pytest.approx(20.0)


async def test_a_stopped_process_is_found_within_two_seconds() -> None:
    assert await call(Engine(0.0, wants_cpu=False), 3600.0) < 2.0


async def test_one_that_computes_for_ever_is_found_at_the_hard_limit() -> None:
    waited_s = await call(Engine(), 3600.0)
    assert 31.6 <= waited_s < 32.0


async def test_a_call_may_end_with_an_error_or_a_time_out_of_its_own() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await call(Engine(), 3600.0)
    with pytest.raises(KeyError):
        async with watching(LIMITS, Engine().look):
            raise KeyError


def quiet_until(limits: CallLimits, activity: Activity | None, *, step_s: float = 0.25) -> float:
    watch, now_s = CallWatch(limits, 0.0), 0.0
    while watch.look(now_s, activity) is Verdict.WORKS:
        now_s += step_s
    return now_s


def test_where_nothing_is_known_of_the_process_silence_may_last_as_long_as_the_work() -> None:
    limits = CallLimits(quiet_s=1.5, work_s=4.0, patience_s=30.0)
    assert quiet_until(limits, Activity(7.0, wants_cpu=False)) == 1.5
    assert quiet_until(limits, NoProcessTable().look(1)) == 4.0


def test_heartbeats_are_signs_of_work_too() -> None:
    watch = CallWatch(LIMITS, 0.0)
    for quarter in range(1, 100):
        assert watch.look(quarter / 4, None) is Verdict.WORKS
        watch.beat()
    assert watch.look(26.5, None) is Verdict.WORKS
    assert [watch.look(26.5 + i / 2, None) for i in (1, 2, 3)][-1] is Verdict.QUIET


def test_time_in_which_the_server_stood_still_does_not_count() -> None:
    watch = CallWatch(LIMITS, 0.0)
    watch.look(0.25, Activity(1.0, wants_cpu=False))
    assert watch.look(60.0, Activity(1.0, wants_cpu=False)) is Verdict.WORKS
    assert watch.counted_s <= 1.0


STAT = "7 (a) b) {state} 1 7 7 0 -1 4194560 1 0 0 0 {utime} {stime} 0 0 20 0 2 0 1 1 1\n"


def test_the_process_table_counts_all_threads(tmp_path: Path) -> None:
    for place, state in (("7", "S"), ("7/task/7", "S"), ("7/task/8", "D")):
        (tmp_path / place).mkdir(parents=True)
        text = STAT.format(state=state, utime=250, stime=50)
        (tmp_path / place / "stat").write_text(text, encoding="utf-8")
    table = LinuxProcessTable(tmp_path)
    seen = table.look(7)
    assert seen is not None
    assert seen.wants_cpu
    assert seen.cpu_s > 0
    (tmp_path / "7/task/8/stat").write_text(STAT.format(state="T", utime=1, stime=1))
    assert table.look(7) == Activity(seen.cpu_s, wants_cpu=False)
    assert table.look(8) is None

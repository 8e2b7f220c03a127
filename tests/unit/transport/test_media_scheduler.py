"""Shared tick: numbers by the clock, no burst, one failure stays one."""

import asyncio
import logging

import pytest

from rtc_server.transport.media.tick import PERIOD_S, TickSchedule
from rtc_server.transport.media_scheduler import MediaScheduler


def take_all(schedule: TickSchedule, now_s: float) -> list[int]:
    numbers = []
    while (number := schedule.take(now_s)) is not None:
        numbers.append(number)
    return numbers


def test_ticks_keep_to_the_origin_however_late_each_one_is() -> None:
    schedule = TickSchedule(100.0)
    for number in range(1000):
        assert schedule.due_s == pytest.approx(100.0 + number * 0.02)
        assert take_all(schedule, schedule.due_s - 0.001) == []
        assert take_all(schedule, schedule.due_s + 0.015) == [number]
    assert schedule.skipped == 0


def test_one_missed_tick_is_made_up_for() -> None:
    schedule = TickSchedule(0.0)
    assert take_all(schedule, 0.0) == [0]
    assert take_all(schedule, 0.045) == [1, 2]
    assert take_all(schedule, 0.061) == [3]
    assert schedule.skipped == 0


@pytest.mark.parametrize("stall_s", [0.061, 0.1, 0.5, 3600.0])
def test_after_a_stall_one_tick_has_the_number_of_the_time(stall_s: float) -> None:
    schedule = TickSchedule(0.0)
    assert take_all(schedule, 0.0) == [0]
    numbers = take_all(schedule, stall_s + 0.001)
    assert numbers == [int((stall_s + 0.001) / 0.02)]
    assert schedule.skipped == numbers[0] - 1
    assert take_all(schedule, schedule.due_s) == [numbers[0] + 1]


async def test_subscribers_are_called_in_order_every_20_ms() -> None:
    tick, calls = MediaScheduler(), list[tuple[str, int, float]]()

    def first(number: int, now_s: float) -> None:
        calls.append(("first", number, now_s))

    def second(number: int, now_s: float) -> None:
        calls.append(("second", number, now_s))

    tick.subscribe(first)
    tick.subscribe(second)
    await asyncio.sleep(1.001)
    tick.unsubscribe(first)
    tick.unsubscribe(second)
    await asyncio.sleep(1.0)
    numbers = [number for name, number, _ in calls if name == "first"]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) in (50, 51)
    assert calls[0::2] == [("first", *rest) for _, *rest in calls[1::2]]
    assert all(at_s == pytest.approx(number * PERIOD_S) for _, number, at_s in calls)


async def test_idle_time_is_no_stall() -> None:
    tick, numbers = MediaScheduler(), list[int]()

    def note(number: int, now_s: float) -> None:
        numbers.append(number)

    for _ in range(2):
        tick.subscribe(note)
        await asyncio.sleep(0.05)
        tick.unsubscribe(note)
        await asyncio.sleep(10)
    assert tick.skipped == 0
    assert numbers[-1] - numbers[0] > 490


async def test_a_subscriber_that_fails_is_taken_off_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tick, calls = MediaScheduler(), list[str]()

    def bad(number: int, now_s: float) -> None:
        calls.append("bad")
        raise ValueError("a bug")

    def good(number: int, now_s: float) -> None:
        calls.append("good")

    tick.subscribe(bad)
    tick.subscribe(good)
    with caplog.at_level(logging.ERROR):
        await asyncio.sleep(0.1)
    tick.unsubscribe(good)
    assert calls.count("bad") == 1
    assert calls.count("good") >= 4
    assert len(caplog.records) == 1


async def test_whoever_unsubscribes_another_during_a_tick_is_obeyed() -> None:
    tick, calls = MediaScheduler(), list[str]()

    def first(number: int, now_s: float) -> None:
        calls.append("first")
        tick.unsubscribe(second)
        tick.unsubscribe(first)

    def second(number: int, now_s: float) -> None:
        calls.append("second")

    tick.subscribe(first)
    tick.subscribe(second)
    await asyncio.sleep(0.1)
    assert calls == ["first"]


async def test_what_comes_after_a_tick_comes_once_and_when_all_have_had_it() -> None:
    tick, calls = MediaScheduler(), list[str]()

    def note(number: int, now_s: float) -> None:
        calls.append("tick")
        if len(calls) == 1:
            tick.after(lambda: calls.append("asked for in the tick"))

    tick.after(lambda: calls.append("after"))
    tick.subscribe(note)
    await asyncio.sleep(0.05)
    tick.unsubscribe(note)
    assert calls[:4] == ["tick", "after", "asked for in the tick", "tick"]
    assert set(calls[4:]) <= {"tick"}


async def test_what_comes_after_a_tick_comes_without_subscribers_too() -> None:
    tick, calls = MediaScheduler(), list[float]()
    loop = asyncio.get_running_loop()

    def note(number: int, now_s: float) -> None:
        pass

    tick.subscribe(note)
    tick.after(lambda: calls.append(loop.time()))
    tick.unsubscribe(note)
    await asyncio.sleep(1)
    assert len(calls) == 1
    assert calls[0] == pytest.approx(round(calls[0] / PERIOD_S) * PERIOD_S)


async def test_what_comes_after_a_tick_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    tick, calls = MediaScheduler(), list[str]()

    def fail() -> None:
        raise ValueError("a bug")

    def note(number: int, now_s: float) -> None:
        calls.append("tick")

    tick.subscribe(note)
    tick.after(fail)
    tick.after(lambda: calls.append("after"))
    with caplog.at_level(logging.ERROR):
        await asyncio.sleep(0.1)
    tick.unsubscribe(note)
    assert "after" in calls
    assert calls.count("tick") >= 4
    assert len(caplog.records) == 1


async def test_a_sleep_ends_just_behind_the_nearest_tick_and_does_not_drift() -> None:
    scheduler, loop = MediaScheduler(), asyncio.get_running_loop()
    calls = list[str]()

    def note(number: int, now_s: float) -> None:
        calls.append("tick")

    scheduler.subscribe(note)
    await asyncio.sleep(PERIOD_S / 3)
    for seconds in (0.016, 0.5, 1.0):
        began_s = loop.time()
        await scheduler.sleep(seconds)
        calls.append("slept")
        slept_s = loop.time() - began_s
        assert abs(slept_s - seconds) <= PERIOD_S / 2
        assert loop.time() % PERIOD_S == pytest.approx(0, abs=1e-5)
    began_s = loop.time()
    for _ in range(10):
        await scheduler.sleep(1.0)
    assert loop.time() - began_s == pytest.approx(10.0)
    scheduler.unsubscribe(note)
    assert calls.count("slept") == 3
    assert all(calls[at - 1] == "tick" for at, each in enumerate(calls) if each == "slept")


async def test_lateness_is_observed() -> None:
    tick, late = MediaScheduler(), list[float]()
    tick.observe_lateness_s = late.append

    def note(number: int, now_s: float) -> None:
        pass

    tick.subscribe(note)
    await asyncio.sleep(0.1)
    tick.unsubscribe(note)
    assert len(late) >= 4
    assert all(0 <= each < 1e-6 for each in late)

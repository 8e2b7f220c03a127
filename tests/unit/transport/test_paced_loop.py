"""Reads of a busy server: rare, and never too late for its timers."""

import asyncio
import os
import select
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from rtc_server.transport.media.tick import PERIOD_S as BEAT_S
from rtc_server.transport.paced_loop import (
    AHEAD_S,
    BEHIND_S,
    COARSE_S,
    CROWD_AT_ONCE,
    CROWD_PER_S,
    CROWD_PERIOD_S,
    MANY_PER_S,
    PERIOD_S,
    SLACK_S,
    PacedLoop,
    PacedSelector,
    ReadPacing,
    hurrying,
)


class Watch:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@contextmanager
def all_ready(count: int) -> Iterator[tuple[PacedSelector, Watch]]:
    """A selector with so many sockets, on each of which a datagram is ready."""
    watch = Watch()
    selector = PacedSelector(watch)
    with ExitStack() as stack:
        stack.callback(selector.close)
        for _ in range(count):
            each = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            each.bind(("127.0.0.1", 0))
            each.sendto(b"x", each.getsockname())
            select.select([each], [], [])  # it is there
            selector.register(each, selectors.EVENT_READ)
        yield selector, watch


@contextmanager
def two_ready() -> Iterator[tuple[PacedSelector, Watch]]:
    """A busy selector on which two datagrams always are ready, and that has just found them."""
    with all_ready(2) as (selector, watch):
        for _ in range(200):
            watch.now_s += 0.002
            assert len(selector.select(0)) == 2
        yield selector, watch


def pace(per_s: float, seconds: float = 1.0) -> tuple[ReadPacing, float]:
    """Pacing that has found so many datagrams a second, one at a time, and the time."""
    pacing, now_s = ReadPacing(), 100.0
    for _ in range(round(per_s * seconds)):
        now_s += 1 / per_s
        pacing.found(1, now_s)
    return pacing, now_s


def test_the_packets_of_a_few_calls_are_never_waited_with() -> None:
    for calls in range(1, 6):
        pacing, now_s = pace(50 * calls)
        assert pacing.wait_s(now_s) == 0.0


def test_the_packets_of_many_calls_are_looked_for_once_a_period() -> None:
    pacing, now_s = pace(MANY_PER_S * 2)
    assert pacing.wait_s(now_s) == pytest.approx(PERIOD_S)
    assert pacing.wait_s(now_s + PERIOD_S - 0.001) == pytest.approx(0.001)
    assert pacing.wait_s(now_s + PERIOD_S) == 0.0


def test_those_of_a_crowd_are_looked_for_more_often() -> None:
    pacing, now_s = pace(CROWD_PER_S * 0.9)
    assert not pacing.is_crowded
    assert pacing.wait_s(now_s) == pytest.approx(PERIOD_S)
    pacing, now_s = pace(CROWD_PER_S * 1.1)
    assert pacing.is_crowded
    assert pacing.wait_s(now_s) == pytest.approx(CROWD_PERIOD_S)


def test_looking_seldom_makes_it_no_less_busy() -> None:
    pacing, now_s = pace(MANY_PER_S * 2)
    for _ in range(100):
        now_s += PERIOD_S
        pacing.found(round(MANY_PER_S * 2 * PERIOD_S), now_s)
        assert pacing.wait_s(now_s) > 0


def test_when_most_have_hung_up_it_is_no_longer_busy() -> None:
    pacing, now_s = pace(1000)
    for _ in range(25):
        now_s += 0.02
        pacing.found(1, now_s)
    assert pacing.wait_s(now_s) == 0.0


def test_after_a_silence_the_first_packet_is_not_waited_with() -> None:
    pacing, now_s = pace(1000)
    pacing.found(1, now_s + 60)
    assert pacing.wait_s(now_s + 60) == 0.0


@pytest.mark.real_time
def test_a_busy_selector_waits_before_it_looks() -> None:
    with two_ready() as (selector, watch):
        watch.now_s += PERIOD_S - 0.001
        began_s = time.monotonic()
        assert len(selector.select(None)) == 2
        assert time.monotonic() - began_s > 0.0005
        watch.now_s += PERIOD_S
        assert len(selector.select(None)) == 2


@pytest.mark.real_time
def test_a_crowd_is_read_a_few_at_a_time_and_nobody_twice_before_the_last() -> None:
    count = 2 * CROWD_AT_ONCE + 3
    with all_ready(count) as (selector, watch):
        assert len(selector.select(0)) == count
        while len(selector.select(0)) == count:
            watch.now_s += 0.002
        seen = list[int]()
        sizes = list[int]()
        while len(seen) < count:
            found = [key.fd for key, _ in selector.select(None)]
            sizes.append(len(found))
            seen += found
            for fd in found:
                os.read(fd, 10)  # as the loop does
        assert sizes == [CROWD_AT_ONCE, CROWD_AT_ONCE, 3]
        assert len(set(seen)) == count
        assert not selector.select(0)


@pytest.mark.real_time
def test_a_timer_that_is_near_is_waited_for() -> None:
    with two_ready() as (selector, watch):
        watch.now_s += PERIOD_S - 0.001
        began_s = time.monotonic()
        assert len(selector.select(0.001 + SLACK_S / 2)) == 2
        assert time.monotonic() - began_s > SLACK_S / 2


def noted_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list of the selector's waits from now on; it does not really wait."""
    waits = list[float]()

    def note(*asked: Any) -> tuple[list[int], list[int], list[int]]:
        waits.append(asked[-1])
        return [], [], []

    monkeypatch.setattr(select, "select", note)
    return waits


@pytest.mark.real_time
def test_it_looks_just_before_a_timer_and_again_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with two_ready() as (selector, _):
        waits = noted_waits(monkeypatch)
        assert len(selector.select(0.002)) == 2
        assert len(selector.select(AHEAD_S / 2)) == 2
    assert waits == [0.002 - AHEAD_S, AHEAD_S / 2]


@pytest.mark.real_time
def test_for_a_crowd_it_looks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with all_ready(CROWD_AT_ONCE) as (selector, watch):
        for _ in range(200):
            watch.now_s += 0.002
            assert len(selector.select(0)) == CROWD_AT_ONCE
        waits = noted_waits(monkeypatch)
        assert len(selector.select(0.002)) == CROWD_AT_ONCE
    assert waits == [0.002]


@pytest.mark.real_time
def test_what_is_no_datagram_is_heard_at_once() -> None:
    with two_ready() as (selector, _):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.send(b"x")
            selector.register(ours, selectors.EVENT_READ, "stream")
            found = selector.select(None)
            assert [(key.fileobj, key.data) for key, _ in found] == [(ours, "stream")]
            selector.modify(ours, selectors.EVENT_READ | selectors.EVENT_WRITE, "both")
            key, events = selector.select(None)[0]
            assert (key.data, events) == ("both", selectors.EVENT_READ | selectors.EVENT_WRITE)
            selector.unregister(ours)
            assert len(selector.select(None)) == 2  # nothing but the datagrams is left
        reading, writing = os.pipe()
        os.write(writing, b"x")
        selector.register(reading, selectors.EVENT_READ)
        assert [key.fd for key, _ in selector.select(None)] == [reading]
        selector.unregister(reading)
        os.close(reading)
        os.close(writing)


@pytest.mark.real_time
def test_a_look_that_must_not_wait_does_not() -> None:
    with two_ready() as (selector, _):
        assert len(selector.select(0)) == 2
        assert len(selector.select(-1)) == 2
        assert len(selector.select(0.002)) == 2
        selector.hurried = 1
        assert len(selector.select(None)) == 2


@pytest.mark.real_time
def test_a_paced_loop_reads_every_datagram() -> None:
    sent = 60
    received: list[bytes] = []
    done = asyncio.Event()

    class Protocol(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            received.append(data)
            if len(received) == sent:
                done.set()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, PacedLoop)
        ends = [
            await loop.create_datagram_endpoint(Protocol, local_addr=("127.0.0.1", 0))
            for _ in range(3)
        ]
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            for number in range(sent // 3):
                for transport, _ in ends:
                    client.sendto(bytes([number]), transport.get_extra_info("sockname"))
                await asyncio.sleep(0.002)
            async with asyncio.timeout(10):
                await done.wait()
        with hurrying():
            assert loop.selector.hurried == 1
        assert loop.selector.hurried == 0
        for transport, _ in ends:
            transport.close()

    with asyncio.Runner(loop_factory=PacedLoop) as runner:
        runner.run(main())
    assert sorted(received) == sorted(bytes([n]) for n in range(sent // 3) for _ in range(3))


@pytest.mark.real_time
def test_timers_far_ahead_meet_at_a_beat_and_near_ones_keep_their_time() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        for ahead_s in (1.0, 1.0037, 60.0):
            timer = loop.call_at(now_s + ahead_s, print)
            assert 0 <= timer.when() - (now_s + ahead_s) < BEAT_S + 2 * BEHIND_S
            behind_s = timer.when() - round(timer.when() / BEAT_S) * BEAT_S
            assert 0 < behind_s < 2 * BEHIND_S
            timer.cancel()
        timer = loop.call_at(now_s + COARSE_S / 2, print)
        assert timer.when() == now_s + COARSE_S / 2
        timer.cancel()

    with asyncio.Runner(loop_factory=PacedLoop) as runner:
        runner.run(main())


async def test_on_another_loop_hurrying_changes_nothing() -> None:
    assert not isinstance(asyncio.get_running_loop(), PacedLoop)
    with hurrying():
        await asyncio.sleep(0)

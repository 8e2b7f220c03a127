"""Reads of a busy server: once in a tick, a crowd's in pieces, never of a closed socket.

Sockets and datagrams are real, and on loopback a datagram is there when `sendto` returns; the
event loop's time is virtual.
"""

import asyncio
import logging
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import uvloop

from rtc_server.transport.datagram_reader import (
    AHEAD_S,
    CROWD_AT_ONCE,
    CROWD_PERIOD_S,
    MANY_PER_S,
    MAX_DATAGRAMS,
    PERIOD_S,
    DatagramReader,
)
from rtc_server.transport.media_scheduler import MediaScheduler
from tests.support.until import until

CALLS = round(2 * MANY_PER_S / 50)
"""Sockets, of which each is sent 50 datagrams a second."""


class Ends:
    """Sockets of a reader, and its reads: the number of the socket, and the time."""

    def __init__(self, reader: DatagramReader, count: int, stack: ExitStack) -> None:
        self._reader = reader
        self._sender = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        self._sender.bind(("127.0.0.1", 0))
        self.socks = list[socket.socket]()
        self.read = list[tuple[int, float]]()
        self.errors = list[Exception]()
        self.on_read: Callable[[int], object] = lambda number: None
        """Called with the number of a socket that was read."""
        for number in range(count):
            sock = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            sock.setblocking(False)
            sock.bind(("127.0.0.1", 0))
            self.socks.append(sock)
            reader.add(sock, self._taker(number), self.errors.append)
            stack.callback(reader.remove, sock)

    def _taker(self, number: int) -> Any:
        def take(data: bytes, source: tuple[Any, ...]) -> None:
            assert source == self._sender.getsockname()
            self.read.append((number, asyncio.get_running_loop().time()))
            self.on_read(number)

        return take

    def send(self, *numbers: int) -> None:
        for number in numbers or range(len(self.socks)):
            self._sender.sendto(b"x", self.socks[number].getsockname())

    async def busy(self, per_s: float, seconds: float = 1.0) -> None:
        """Send to one socket after the other, that many datagrams a second."""
        for number in range(round(per_s * seconds)):
            self.send(number % len(self.socks))
            await asyncio.sleep(1 / per_s)


@contextmanager
def ends(reader: DatagramReader, count: int) -> Iterator[Ends]:
    with ExitStack() as stack:
        yield Ends(reader, count, stack)


async def settled() -> None:
    """Let the loop run everything that is due."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_few_are_read_as_they_come() -> None:
    reader = DatagramReader()
    with ends(reader, 2) as sockets:
        await asyncio.sleep(PERIOD_S / 3)
        for number in (0, 1, 1, 0):
            sockets.send(number)
            await settled()
        assert [each for each, _ in sockets.read] == [0, 1, 1, 0]
        assert {at_s for _, at_s in sockets.read} == {PERIOD_S / 3}
        assert not reader.is_batching


async def test_while_many_come_they_are_read_just_before_the_tick() -> None:
    reader = DatagramReader()
    with ends(reader, CALLS) as sockets:
        await sockets.busy(MANY_PER_S * 2)
        assert reader.is_batching
        sockets.read.clear()
        await sockets.busy(MANY_PER_S * 2)
        moments = Counter(round(at_s, 6) for _, at_s in sockets.read)
        assert len(moments) in (50, 51)
        for at_s in moments:
            assert (at_s + AHEAD_S) / PERIOD_S == pytest.approx(round((at_s + AHEAD_S) / PERIOD_S))


async def test_when_they_become_few_each_is_read_as_it_comes_again() -> None:
    reader = DatagramReader()
    with ends(reader, CALLS) as sockets:
        await sockets.busy(MANY_PER_S * 2)
        assert reader.is_batching
        await asyncio.sleep(60)  # and nothing comes
        assert not reader.is_batching
        sockets.read.clear()
        sockets.send(3)
        await settled()
        assert len(sockets.read) == 1


async def test_what_comes_while_it_reads_is_read_at_the_tick() -> None:
    scheduler = MediaScheduler()
    read_before = list[int]()
    with ends(scheduler.reader, CALLS) as sockets:

        def note(_number: int, _now_s: float) -> None:
            read_before.append(len(sockets.read))

        await sockets.busy(MANY_PER_S * 2)
        await asyncio.sleep(1.5 * PERIOD_S)
        sockets.read.clear()
        scheduler.subscribe(note)
        sockets.on_read = lambda number: sockets.send(1) if number == 0 else None
        sockets.send(0)
        await asyncio.sleep(PERIOD_S)
        scheduler.unsubscribe(note)
        assert [number for number, _ in sockets.read] == [0, 1]
        assert sockets.read[1][1] - sockets.read[0][1] == pytest.approx(AHEAD_S)
        assert read_before == [2]


async def test_who_must_not_wait_does_not_while_many_come() -> None:
    reader = DatagramReader()
    with ends(reader, CALLS) as sockets:
        await sockets.busy(MANY_PER_S * 2)
        sockets.read.clear()
        with reader.prompt(), reader.prompt():
            assert not reader.is_batching
            sockets.send(2)
            await settled()
            assert len(sockets.read) == 1
        assert reader.is_batching
        sockets.send(2)
        await settled()
        assert len(sockets.read) == 1


async def test_a_crowd_is_read_a_few_at_a_time_and_others_between() -> None:
    reader, count = DatagramReader(), 4 * CROWD_AT_ONCE + 3
    with ends(reader, count) as sockets:
        for _ in range(100):
            sockets.send()
            await asyncio.sleep(PERIOD_S)
        sockets.read.clear()
        seen = list[int]()

        def others() -> None:
            seen.append(len(sockets.read))

        def note(_number: int) -> None:
            if len(sockets.read) % CROWD_AT_ONCE == 1:  # the first of some
                asyncio.get_running_loop().call_soon(others)

        sockets.on_read = note
        sockets.send()
        await asyncio.sleep(2 * CROWD_PERIOD_S)
        assert seen == [10, 20, 30, 40, count]
        assert sorted(number for number, _ in sockets.read) == list(range(count))  # nobody twice


async def test_what_has_come_is_read_at_once_but_no_flood() -> None:
    reader = DatagramReader()
    with ends(reader, 1) as sockets:
        sockets.send(*[0] * (2 * MAX_DATAGRAMS))
        reader._read()
        assert len(sockets.read) == MAX_DATAGRAMS
        await settled()
        assert len(sockets.read) == 2 * MAX_DATAGRAMS


async def test_a_socket_that_another_one_closes_is_not_read() -> None:
    reader = DatagramReader()
    with ends(reader, 2) as sockets:
        sockets.on_read = lambda number: reader.remove(sockets.socks[1 - number])
        sockets.send()
        await settled()
        assert len(sockets.read) == 1
        reader.remove(sockets.socks[0])
        reader.remove(sockets.socks[1])
        reader._read()  # as was asked for before the last was closed
        sockets.send()
        await settled()
        assert len(sockets.read) == 1


async def test_one_that_fails_keeps_no_other_from_being_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = DatagramReader()
    with ends(reader, 2) as sockets, caplog.at_level(logging.ERROR):

        def fail(number: int) -> None:
            if number == 0:
                raise ValueError("a bug")

        sockets.on_read = fail
        sockets.send(0)
        sockets.send(1)
        await settled()
        assert [number for number, _ in sockets.read] == [0, 1]
        assert len(caplog.records) == 1


async def test_the_tick_at_which_a_call_begins_to_connect_misses_no_packet() -> None:
    reader = DatagramReader()
    with ends(reader, CALLS) as sockets:
        await sockets.busy(MANY_PER_S * 2)
        assert reader.is_batching
        sockets.read.clear()
        sockets.send()
        with reader.prompt():  # the loop has not looked for events since
            reader.catch_up()  # as at a tick
            assert len(sockets.read) == CALLS


async def test_nothing_is_left_when_the_last_socket_is_closed() -> None:
    reader = DatagramReader()
    with ends(reader, CALLS) as sockets:
        await sockets.busy(MANY_PER_S * 2)
        assert reader.is_batching
    assert not reader.is_batching
    assert reader._epoll is None
    with ends(reader, 1) as sockets:  # and it may be used again
        sockets.send()
        await asyncio.sleep(PERIOD_S)
        assert len(sockets.read) == 1


@pytest.mark.parametrize("platform", ["linux", "darwin", "freebsd14"])
async def test_without_batches_each_is_read_as_it_comes(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    reader = DatagramReader(batches=platform != "linux")
    with ends(reader, 2) as sockets:
        await sockets.busy(MANY_PER_S * 2)
        assert not reader.is_batching
        assert len(sockets.read) == MANY_PER_S * 2
        with reader.prompt():
            reader.catch_up()


@pytest.mark.real_time
@pytest.mark.parametrize("batches", [True, False])
@pytest.mark.parametrize(
    "loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
async def test_every_datagram_is_read_on_each_loop(loop_factory: object, *, batches: bool) -> None:
    reader, sent = DatagramReader(batches=batches), Counter[int]()
    with ends(reader, 3) as sockets:
        batched = False
        for number in range(900):
            sockets.send(number % 3)
            sent[number % 3] += 1
            await asyncio.sleep(0.001)
            batched |= reader.is_batching
        await until(lambda: Counter(number for number, _ in sockets.read) == sent)
        assert batches or not batched

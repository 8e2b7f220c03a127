"""A log whose reader has stopped."""

import fcntl
import json
import logging
import os
import select
import threading
from collections.abc import Iterator

import pytest

from rtc_server.cli.log import QueuedLog
from rtc_server.cli.log_format import LINE_CHARS, JsonFormat

F_SETPIPE_SZ = 1031
PIPE_BYTES = 4096


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that holds one page."""
    reads, writes = os.pipe()
    fcntl.fcntl(writes, F_SETPIPE_SZ, PIPE_BYTES)
    yield reads, writes
    for end in (reads, writes):
        os.close(end)


def record(text: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("a.logger", logging.INFO, __file__, 1, text, args, None)


def read(descriptor: int) -> str:
    return os.read(descriptor, 1 << 20).decode()


def the_rest(log: QueuedLog, descriptor: int) -> str:
    """Close the log; return the rest that it wrote. Its thread must be over: else it would write
    into the next test's pipe, which has the same number.
    """
    closing = threading.Thread(target=log.close)
    closing.start()
    writing = [thread for thread in threading.enumerate() if thread.name == "log"]
    taken = ""
    while any(thread.is_alive() for thread in (closing, *writing)):
        readable, _, _ = select.select([descriptor], [], [], 0.01)
        taken += read(descriptor) if readable else ""
    return taken


def test_lines_come_out_in_order_and_the_end_waits_for_them(pipe: tuple[int, int]) -> None:
    log = QueuedLog(pipe[1])
    for number in range(20):
        log.emit(record("line %d", number))
    log.close()
    lines = read(pipe[0]).splitlines()
    assert [line.rpartition("line ")[2] for line in lines] == list(map(str, range(20)))
    assert "INFO    a.logger: line 0" in lines[0]


def test_a_reader_that_stands_still_costs_lines_and_no_time(pipe: tuple[int, int]) -> None:
    drops: list[str] = []
    log = QueuedLog(pipe[1], lines=10)
    log.on_drop = lambda: drops.append(threading.current_thread().name)
    for _ in range(100):
        log.emit(record("x" * 1000))  # would never return if it wrote
    assert 80 <= len(drops) < 100
    taken = read(pipe[0])
    while "dropped: the log was not being read" not in taken:
        log.emit(record("once more"))
        taken += read(pipe[0])
    the_rest(log, pipe[0])


def test_a_program_reads_every_line_that_of_dropped_ones_too(pipe: tuple[int, int]) -> None:
    log = QueuedLog(pipe[1], JsonFormat(), lines=2)
    for _ in range(100):
        log.emit(record("x" * 1000))
    taken = read(pipe[0])
    while "dropped: the log was not being read" not in taken:
        log.emit(record("once more"))
        taken += read(pipe[0])
    taken += the_rest(log, pipe[0])
    whole, _, _ = taken.rpartition("\n")
    assert all(json.loads(line)["message"] for line in whole.splitlines())


def test_a_line_has_an_end(pipe: tuple[int, int]) -> None:
    log = QueuedLog(pipe[1])
    threading.Thread(target=log.emit, args=[record("%s", "x" * 10 * LINE_CHARS)]).start()
    taken = ""
    while not taken.endswith("\n"):
        taken += read(pipe[0])
    log.close()
    assert len(taken) < LINE_CHARS + 100 and "more characters)" in taken

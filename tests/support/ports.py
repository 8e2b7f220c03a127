"""Ports for programs that need a port number as an option."""

import contextlib
import fcntl
import random
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

HOST = "127.0.0.1"
_BELOW_EPHEMERAL = range(10_000, 30_000)
"""Ports that the kernel does not give out: one that is free here stays free until the program has
started.
"""
_LOCKS = Path(tempfile.gettempdir()) / "rtc-test-ports"
"""A file for each port, locked by the test that has it: others may run beside, and choose between
the look and the program's start."""


@contextlib.contextmanager
def free_ports(count: int, among: range = _BELOW_EPHEMERAL) -> Iterator[list[int]]:
    """Yield a range of ports that are free for UDP and for TCP, and that no other test gets
    meanwhile.
    """
    while True:
        first = random.choice(among)
        ports = [first + number for number in range(count)]
        with contextlib.ExitStack() as reserved:
            if all(_reserve(port, reserved) and _is_free(port) for port in ports):
                yield ports
                return


def _reserve(port: int, reserved: contextlib.ExitStack) -> bool:
    _LOCKS.mkdir(exist_ok=True)
    lock = reserved.enter_context((_LOCKS / str(port)).open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            one = stack.enter_context(socket.socket(socket.AF_INET, kind))
            one.bind((HOST, port))
        return True
    return False

"""Ports for programs that must be told theirs."""

import contextlib
import random
import socket

HOST = "127.0.0.1"
_BELOW_EPHEMERAL = range(10_000, 30_000)
"""None that the kernel hands out: what is free here stays so until the program has started."""


def free_ports(count: int) -> list[int]:
    """So many ports in a row that are free for UDP and for TCP."""
    while True:
        first = random.choice(_BELOW_EPHEMERAL)
        ports = [first + number for number in range(count)]
        if all(map(_is_free, ports)):
            return ports


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            one = stack.enter_context(socket.socket(socket.AF_INET, kind))
            one.bind((HOST, port))
        return True
    return False

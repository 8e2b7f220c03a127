"""Process of a worker (``--workers``); the supervisor starts it, nobody else does."""

import asyncio
import json
import logging
import pickle
import signal
import socket
import struct
import sys

from rtc_server.app.connections import raise_file_limit
from rtc_server.app.workers.engine_host import host_engines
from rtc_server.app.workers.process import FINGERPRINT
from rtc_server.app.workers.worker import work
from rtc_server.app.workers.worker_order import EngineOrder, WorkerOrder
from rtc_server.cli.exact_timers import new_loop
from rtc_server.cli.log import logging_to
from rtc_server.cli.log_format import FORMATS
from rtc_server.cli.serve import STDERR, TALKATIVE


def main() -> int:
    """Run the order that comes over the socket whose descriptor is the argument."""
    end = socket.socket(fileno=int(sys.argv[1]))
    if (order := read_order(end)) is None:
        return 2
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _passed_over)  # the supervisor says when; engines inherit no handler
    raise_file_limit()
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    http = order.http if isinstance(order, EngineOrder) else order.settings.http
    with (
        logging_to(STDERR, http.log_level, FORMATS[http.log_format]()),
        asyncio.Runner(loop_factory=new_loop) as runner,
    ):
        if isinstance(order, EngineOrder):
            return runner.run(host_engines(order, end))
        return runner.run(work(order, end))


def read_order(end: socket.socket) -> WorkerOrder | EngineOrder | None:
    """Return the supervisor's order; None, with a message to it, if its version is another."""
    if _read(end, len(FINGERPRINT)) != FINGERPRINT:
        said = ["failed", 0, {"message": "Another version is installed; restart the server."}]
        end.sendall(json.dumps(said).encode() + b"\n")
        return None
    order: WorkerOrder | EngineOrder = pickle.loads(
        _read(end, struct.unpack("!I", _read(end, 4))[0])
    )
    return order


def _passed_over(_number: int, _frame: object) -> None:
    """Do nothing."""


def _read(end: socket.socket, size: int) -> bytes:
    """Return `size` bytes; later ones stay in the socket for the control channel."""
    data = b""
    while len(data) < size:
        piece = end.recv(size - len(data))
        if not piece:
            raise SystemExit(2)
        data += piece
    return data


if __name__ == "__main__":
    sys.exit(main())

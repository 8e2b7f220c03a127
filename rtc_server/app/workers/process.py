"""One worker's process, or that of the engines, as the supervisor has it."""

import asyncio
import contextlib
import logging
import os
import pickle
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from rtc_server.app.workers.control import (
    ChannelClosed,
    ControlChannel,
    Fields,
    Handler,
    RequestFailed,
)
from rtc_server.app.workers.worker_order import EngineOrder, WorkerOrder, fingerprint
from rtc_server.errors import ConfigError

MODULE = "rtc_server.cli.worker"
"""Module that the process runs; named, not imported: it stands above this one."""
FINGERPRINT = fingerprint()
"""Of the version that this process runs, whatever is installed later."""
ASKED_S = 2.0
"""Time limit for a worker's metrics."""

_log = logging.getLogger(__name__)


class WorkerProcess:
    """Process and control channel of a worker. `watch` returns when both have ended."""

    def __init__(self, order: WorkerOrder | EngineOrder, handlers: Mapping[str, Handler]) -> None:
        self.number = order.number
        self.socket_path = order.socket_path
        self._order = order
        self.channel = ControlChannel(
            {**handlers, "ready": self._became_ready, "failed": self._failed}
        )
        self.announcement: asyncio.Future[Fields] = asyncio.get_running_loop().create_future()
        """Set once it takes calls: its engines. Raises `ConfigError` when it cannot."""
        self.gone = asyncio.Event()
        """Set when it has ended."""
        self.is_stopping = False
        """True once it was requested to end."""
        self._child: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the process. Raises `OSError`."""
        ours, theirs = socket.socketpair()
        with theirs:
            blob = pickle.dumps(self._order)  # to a child of ours, over a socket of ours
            ours.sendall(FINGERPRINT + struct.pack("!I", len(blob)) + blob)
            here = str(Path.cwd())
            path = os.pathsep.join(entry or here for entry in sys.path)
            try:
                self._child = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-P",
                    "-m",
                    MODULE,
                    str(theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    env={**os.environ, "PYTHONPATH": path},
                    start_new_session=True,  # signals of the terminal are for the supervisor
                )
            except BaseException:
                ours.close()
                raise
        await self.channel.open(ours)

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._child is not None
        return self._child.pid

    @property
    def has_announced(self) -> bool:
        """True once it takes calls."""
        done = self.announcement.done() and not self.announcement.cancelled()
        return done and self.announcement.exception() is None

    async def watch(self) -> int:
        """Read until its end; return its exit code, negative for a signal."""
        assert self._child is not None
        try:
            await self.channel.run()  # all that it has sent, also shortly before it was killed
            code = await self._child.wait()
        except asyncio.CancelledError:
            await self.kill()
            raise
        finally:
            self.gone.set()
            if not self.announcement.done():
                self.announcement.set_exception(ConfigError("A media process did not start."))
            self.announcement.exception()
            with contextlib.suppress(OSError):
                os.unlink(self.socket_path)  # noqa: PTH108 - quick, in a folder of ours
        return code

    async def metrics(self) -> str | None:
        """Return its metrics; None if it is gone, or does not say."""
        with contextlib.suppress(TimeoutError, ChannelClosed, RequestFailed):
            async with asyncio.timeout(ASKED_S):
                text: str = (await self.channel.request("metrics"))["text"]
                return None if self.gone.is_set() else text
        return None

    async def kill(self) -> None:
        """End it at once."""
        assert self._child is not None
        with contextlib.suppress(ProcessLookupError):
            self._child.kill()
        await self._child.wait()

    def _became_ready(self, fields: Fields) -> None:
        if not self.announcement.done():
            self.announcement.set_result(fields)

    def _failed(self, fields: Fields) -> None:
        if not self.announcement.done():
            self.announcement.set_exception(ConfigError(fields["message"]))


Make: TypeAlias = Callable[[WorkerOrder, dict[str, Handler]], WorkerProcess]
"""Makes a worker's process, which is not yet started. Raises `OSError`."""

"""Engines of all workers in one process: an engine server on a Unix socket."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace

from rtc_server.app.engine_server import KINDS, engine_server
from rtc_server.app.workers.control import ControlChannel, Fields
from rtc_server.app.workers.process import WorkerProcess
from rtc_server.app.workers.restarts import WorkerRestarts, start_again
from rtc_server.app.workers.worker_order import EngineOrder
from rtc_server.clock import monotonic
from rtc_server.config import EngineSettings, HttpSettings
from rtc_server.engines.plugin import OptionValue
from rtc_server.errors import RtcServerError

ENGINE_HOST = 0
"""Number of this process among the workers."""


async def host_engines(order: EngineOrder, end: socket.socket) -> int:
    """Serve engines until the supervisor sends a stop or is gone; return the exit code."""
    stop = asyncio.Event()
    exposition: list[Callable[[], bytes]] = []

    def drain(_fields: Fields) -> None:
        stop.set()

    def metrics(_fields: Fields) -> Fields:
        return {"text": exposition[0]().decode() if exposition else ""}

    channel = ControlChannel({"drain": drain, "metrics": metrics})
    await channel.open(end)
    reading = asyncio.create_task(channel.run(), name="control")
    reading.add_done_callback(lambda _: stop.set())
    listen = f"unix:{order.socket_path}"
    try:
        async with engine_server(
            listen, order.kinds, order.engines, order.http, order.plugins
        ) as running:
            exposition.append(running.metrics.exposition)
            channel.send("ready")
            await stop.wait()
            await running.server.drain(0.0)
    except RtcServerError as error:
        channel.send("failed", message=str(error))
        return 2
    finally:
        await asyncio.sleep(0)  # lets the last messages go out
        reading.cancel()
        await asyncio.wait([reading])
    return 0


class SharedEngines:
    """The engines' process, which is restarted when it ends unexpectedly."""

    def __init__(
        self,
        engines: EngineSettings,
        http: HttpSettings,
        plugins: Mapping[str, OptionValue],
        socket_path: str,
        ended: Callable[[int], None] = lambda _number: None,
    ) -> None:
        """`ended`: called with `ENGINE_HOST` at each end of the process."""
        self._ended = ended
        servers = {"ast": engines.ast_servers, "tts": engines.tts_servers}
        kinds = tuple(each for each in KINDS if not servers[each])
        self._engines = engines
        # The workers themselves use engine servers that are named; this process has engines only.
        own = replace(engines, ast_servers=(), tts_servers=())
        self._order = EngineOrder(ENGINE_HOST, socket_path, own, http, kinds, plugins)
        self._restarts = WorkerRestarts()
        self.process: WorkerProcess | None = None
        """Current process."""
        self._is_stopping = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of this process's engines; the other kinds are on named engine servers."""
        return self._order.kinds

    async def start(self) -> WorkerProcess:
        """Start it; its `announcement` comes while `watch` runs, once the engines are warm."""
        self._restarts.began(monotonic())
        process = WorkerProcess(self._order, {})
        await process.start()
        self.process = process
        return process

    async def watch(self) -> None:
        """Keep it running, until `stop`."""
        while not self._is_stopping:
            assert self.process is not None
            code = await self.process.watch()
            self._ended(ENGINE_HOST)
            if self._is_stopping:
                return
            await start_again(
                "The engines' process",
                code,
                self._restarts,
                self.start,
                lambda: not self._is_stopping,
            )

    @property
    def settings(self) -> EngineSettings:
        """Settings for workers, which use these engines as remote ones."""
        engines, address = self._engines, (f"unix:{self._order.socket_path}",)
        ast_servers = address if "ast" in self.kinds else engines.ast_servers
        tts_servers = address if "tts" in self.kinds else engines.tts_servers
        return replace(engines, ast_servers=ast_servers, tts_servers=tts_servers)

    async def stop(self, within_s: float) -> None:
        """Stop the process, after the workers."""
        self._is_stopping = True
        if (process := self.process) is None:
            return
        process.channel.send("drain")
        if process.has_announced:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await process.gone.wait()
        if not process.gone.is_set():
            await process.kill()

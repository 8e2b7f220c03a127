"""Keeps one engine process alive and fed: starts it, hands it work, replaces it when it is gone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias, TypeVar

from rtc_server.engines.base import AstCapabilities, EngineOptions, TtsCapabilities
from rtc_server.engines.process import EngineProcess
from rtc_server.engines.registry import Kind, resolve
from rtc_server.error_location import location_of
from rtc_server.errors import EngineUnavailable
from rtc_server.metrics import Metrics

_log = logging.getLogger(__name__)

C = TypeVar("C", bound=AstCapabilities | TtsCapabilities)

TryOut: TypeAlias = Callable[[EngineProcess], Awaitable[None]]


async def _not_tried(_process: EngineProcess) -> None:
    """Try nothing."""


_WORK: dict[Kind, str] = {"ast": "translate speech", "tts": "synthesize speech"}
_BACKOFF_FIRST_S = 0.1
_BACKOFF_MOST_S = 10.0
_GOOD_S = 60.0
"""A process that lived so long was well: what ended it is no reason to wait."""


def backoff_s(failures: int) -> float:
    """Wait before the next start, after `failures` processes in a row that did not live long.

    None after a process that had worked: its users are waiting.
    """
    if failures == 0:
        return 0.0
    return min(_BACKOFF_MOST_S, _BACKOFF_FIRST_S * 2.0 ** min(failures - 1, 30))


class Restarts:
    """Counts the processes that did not live long. The first to fall is replaced at once."""

    def __init__(self) -> None:
        self._failures = -1

    def failed(self, lived_s: float = 0.0) -> None:
        """Note that a process is gone; 0 for one that did not even start."""
        self._failures = 0 if lived_s >= _GOOD_S else self._failures + 1

    @property
    def wait_s(self) -> float:
        """Time to wait before the next start."""
        return backoff_s(max(self._failures, 0))


class EngineHost:
    """One engine's process and its successors, and the one task that feeds them."""

    def __init__(
        self,
        *,
        kind: Kind,
        name: str,
        options: EngineOptions,
        start_s: float,
        memory_mb: int = 0,
        metrics: Metrics,
        serve: Callable[[EngineProcess], Awaitable[bool]],
    ) -> None:
        """`serve` makes the next call, if there is one to make, and returns whether there was."""
        self._kind = kind
        self._name = name
        self._options = options
        self._start_s = start_s
        self._memory_mb = memory_mb
        self._metrics = metrics
        self._serve = serve
        self._process: EngineProcess | None = None
        self._restarts = Restarts()
        self._started_s = 0.0
        self._wake = asyncio.Event()
        self._feeder: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """True while a warm process is there, and fed."""
        fed = self._feeder is not None and not self._feeder.done()
        return fed and self._process is not None and self._process.alive

    async def start(self, wanted: type[C], try_out: TryOut = _not_tried) -> C:
        """Start the first process and begin to serve.

        Args:
            wanted: kind of engine.
            try_out: what to do with the process before it is asked anything.

        Raises:
            EngineUnavailable: unknown name, it does not start, or it is of another kind than
                `wanted`; the sentence says why.
        """
        process = await self._spawn()
        if not isinstance(process.capabilities, wanted):
            await self.close()
            raise EngineUnavailable(f"Engine {self._name} does not {_WORK[self._kind]}.")
        try:
            await try_out(process)
        except BaseException:
            await self.close()
            raise
        if not process.alive:
            await self._bury_unready(process)
        self._feeder = asyncio.create_task(self._feed(), name=f"{self._name} feeder")
        return process.capabilities

    def wake(self) -> None:
        """Wake the feeding task: there is something to serve."""
        self._wake.set()

    async def close(self) -> None:
        """Stop serving and end the process. Idempotent."""
        if self._feeder is not None:
            self._feeder.cancel()
            await asyncio.wait([self._feeder])
            self._feeder = None
        if self._process is not None:
            await self._process.close()
            self._process = None

    async def _feed(self) -> None:
        failures = 0
        while True:
            await self._wake.wait()
            try:
                process = await self._living_process()
                if not await self._serve(process):
                    self._wake.clear()
                failures = 0
            except Exception as exc:
                # A bug of ours must not leave every session of this engine unserved for good.
                failures += 1
                # Not its text: that may quote what was said.
                _log.error("Feeding engine %s: %s", self._name, location_of(exc))
                await asyncio.sleep(backoff_s(failures))

    async def _living_process(self) -> EngineProcess:
        """Return the process; a dead one is replaced first, for as long as that takes."""
        while self._process is None or not self._process.alive:
            if self._process is not None:
                await self._bury_served(self._process)
            await asyncio.sleep(self._restarts.wait_s)
            try:
                await self._spawn()
            except EngineUnavailable as exc:
                self._restarts.failed()
                _log.error("%s Next try in %.1f s.", exc, self._restarts.wait_s)
        return self._process

    async def _spawn(self) -> EngineProcess:
        factory = resolve(self._kind, self._name)
        process = await EngineProcess.start(
            self._name, factory, self._options, self._start_s, self._memory_mb
        )
        process.on_exit(self._wake)
        self._process = process
        self._started_s = asyncio.get_running_loop().time()
        return process

    async def _bury_unready(self, dead: EngineProcess) -> None:
        """Bury a process that ended at its first call; the feeder starts another.

        That is part of the start, as a process is that ends while it loads: nobody was served, so
        nothing was restarted, and the metric's alert would report a crash that no session saw.
        """
        await self._bury(dead)
        _log.warning("Engine %s ended at its first call (%s).", self._name, dead.cause_of_death)

    async def _bury_served(self, dead: EngineProcess) -> None:
        await self._bury(dead)
        self._metrics.engine_restarts.labels(kind=self._kind, cause=dead.cause_of_death).inc()
        _log.warning("Engine %s is being restarted (%s).", self._name, dead.cause_of_death)

    async def _bury(self, dead: EngineProcess) -> None:
        await dead.close()
        self._process = None
        self._restarts.failed(asyncio.get_running_loop().time() - self._started_s)


async def start_all(hosts: Iterable[EngineHost], wanted: type[C], try_out: TryOut) -> C:
    """Start the processes of one engine at once. Raises as `EngineHost.start`."""
    try:
        async with asyncio.TaskGroup() as tasks:
            starts = [tasks.create_task(host.start(wanted, try_out)) for host in hosts]
    except* Exception as group:  # one process's sentence is what a person can use
        raise group.exceptions[0] from None
    return starts[0].result()

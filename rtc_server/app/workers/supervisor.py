"""The supervisor: the port, the workers behind it, and what they have in common.

Start: HTTP first, so that ``/readyz`` can say "warming up"; then engines and workers. A worker that
ends unasked is started again, and its sessions go on in others. Stop: all workers drain at once.
`replace` starts a worker beside each old one, which goes on with the calls it has and takes no new
ones.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from rtc_server.app.workers.control import Fields
from rtc_server.app.workers.desk import Desk
from rtc_server.app.workers.engine_host import SharedEngines
from rtc_server.app.workers.messages import WorkerMessages
from rtc_server.app.workers.moves import SessionMoves
from rtc_server.app.workers.placement import Life, Placement, Target, WorkerLoad
from rtc_server.app.workers.process import Make, WorkerProcess
from rtc_server.app.workers.records import Records
from rtc_server.app.workers.restarts import WorkerRestarts, start_again
from rtc_server.app.workers.silence import end_silent
from rtc_server.app.workers.spawned import Spawned
from rtc_server.app.workers.totals import Totals
from rtc_server.app.workers.worker_order import WorkerOrder
from rtc_server.clock import monotonic, wall
from rtc_server.config import Settings
from rtc_server.errors import ConfigError, NotReady
from rtc_server.metrics import Metrics
from rtc_server.session.admission import Admission

RETRY_STARTING_S = 2
RETRY_STOPPING_S = 5
GONE_S = 1.0
"""Time within which a worker whose connection failed is seen to be gone, if it is."""
STOP_MARGIN_S = 7.0
"""Time beyond ``--drain-s`` after which a worker that should end is killed."""
ENGINES_STOP_S = 2.0
"""Time that the engines' process has then. Together less than the documented 10 s."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Slot:
    """Place of one worker and its successors."""

    restarts: WorkerRestarts = field(default_factory=WorkerRestarts)
    process: WorkerProcess | None = None
    """The one that takes calls, or starts."""


class Supervisor:
    """Implementation of `proxy.Workers`, for use inside ``async with supervisor.running()``."""

    def __init__(
        self, settings: Settings, folder: Path, metrics: Metrics, make: Make = WorkerProcess
    ) -> None:
        """`settings`: of each worker; `folder`: for their sockets, nobody else's."""
        self._settings, self._folder, self._metrics = settings, folder, metrics
        self._make = make
        self.admission = Admission(settings.http.admission_limits())
        self._desk = Desk(self.admission, monotonic, wall, self._send)
        self._placement, self._records, self._totals = Placement(), Records(), Totals()
        self._numbers = itertools.count(1)
        self._living: dict[int, WorkerProcess] = {}
        self._slots = [_Slot() for _ in range(settings.workers.count())]
        self._messages = WorkerMessages(self._desk, self._records, self._placement, self._totals)
        self._moves = SessionMoves(
            self._records, self._desk, self._placement, self._request, metrics
        )
        self._replacing = asyncio.Lock()
        self._is_stopping = False
        self.engines: SharedEngines | None = None
        """Engines of all workers; None where engine servers are named for both."""
        self._tasks = Spawned()
        metrics.ready.set_function(lambda: self._is_ready)
        metrics.workers.set_function(lambda: self.takes_calls)
        metrics.waiting_callers.set_function(lambda: self.admission.waiting(monotonic()))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Fields]:
        """Run all workers until the block ends; yields the engines, as the first one has them.

        Raises:
            ConfigError: a worker cannot work with these settings.
        """
        try:
            await self._start_engines()
            started = [await self._start(slot) for slot in self._slots]
            announced = [await asyncio.shield(each.announcement) for each in started]
            self._tasks.spawn(self._end_silent(), "silent workers")
            yield announced[0]
        finally:
            await self._stop()

    def worker(self, number: int) -> WorkerProcess:
        """Return a worker that is not gone. Raises `KeyError`."""
        return self._living[number]

    @property
    def takes_calls(self) -> int:
        """Number of workers that take calls."""
        return sum(map(self._takes, self._living))

    def replace_soon(self) -> None:
        """Begin `replace`, and return; the end of the server ends it."""
        if not self._is_stopping:
            self._tasks.spawn(self.replace(), "replace")

    async def replace(self) -> None:
        """Replace all workers, one after the other. No call is refused or cut for it.

        One that does not start leaves the old one in its place, and ends the attempt.
        """
        async with self._replacing:
            for slot in self._slots:
                old = slot.process
                if old is None or self._is_stopping:
                    continue
                try:
                    new = await self._start(slot, beside=True)
                    await asyncio.shield(new.announcement)
                except (ConfigError, OSError) as error:
                    _log.error(
                        "Worker %d goes on, its successor does not start: %s", old.number, error
                    )
                    return
                if slot.process is not None:  # the old one, or what came after it meanwhile
                    self._retire(slot.process)
                slot.process = new
                _log.info("Worker %d is replaced by worker %d.", old.number, new.number)

    # ---------------------------------------------------------------- for the proxy

    async def for_request(self, target: Target) -> tuple[int, str]:
        """See `proxy.Workers.for_request`."""
        if target.session:
            await self._moves.settled(target.session)
        number = self._placement.place(target, monotonic())
        if number is None:
            self.check_ready()
            raise NotReady("A part of the server is being restarted.", RETRY_STARTING_S)
        return number, self._living[number].socket_path

    def opening(self, worker: int, change: int) -> None:
        """See `proxy.Workers.opening`."""
        if (load := self._placement.workers.get(worker)) is not None:
            load.opening += change

    async def failed(self, worker: int) -> bool:
        """See `proxy.Workers.failed`."""
        process = self._living.get(worker)
        if process is None:
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GONE_S):
                await process.gone.wait()
        return worker not in self._living or process.gone.is_set()

    async def exposition(self) -> str:
        """See `proxy.Workers.exposition`."""
        asked = list(self._living.values())
        if self.engines is not None and self.engines.process is not None:
            asked.append(self.engines.process)
        await asyncio.gather(*map(self._ask_metrics, asked))
        return self._totals.exposition(self._metrics.exposition().decode())

    def check_ready(self) -> None:
        """See `proxy.Workers.check_ready`."""
        if self._is_stopping:
            raise NotReady("The server is stopping.", RETRY_STOPPING_S)
        if not self._is_ready:
            raise NotReady("The engines are warming up.", RETRY_STARTING_S)

    # ---------------------------------------------------------------- workers

    async def _start_engines(self) -> None:
        """Start the engines that no engine server holds, for all workers together."""
        settings = self._settings
        path = str(self._folder / "engines.sock")
        host = SharedEngines(
            settings.engines, settings.http, settings.plugins, path, self._totals.end
        )
        if not host.kinds:
            return
        self.engines = host
        process = await host.start()
        self._tasks.spawn(host.watch(), "engines")
        await asyncio.shield(process.announcement)
        self._settings = replace(settings, engines=host.settings)

    @property
    def _is_ready(self) -> bool:
        return not self._is_stopping and any(map(self._takes, self._living))

    def _takes(self, worker: int) -> bool:
        load = self._placement.workers[worker]
        return load.life is Life.TAKING and load.is_ready

    async def _start(self, slot: _Slot, *, beside: bool = False) -> WorkerProcess:
        """Start a worker and watch it. `beside`: its predecessor still takes calls."""
        number = next(self._numbers)
        order = WorkerOrder(number, str(self._folder / f"{number}.sock"), self._settings)
        process = self._make(order, self._messages.handlers(number))
        slot.restarts.began(monotonic())
        await process.start()
        self._living[number] = process
        self._placement.workers[number] = WorkerLoad()
        if not beside:
            slot.process = process
        process.announcement.add_done_callback(partial(self._announced, number))
        self._tasks.spawn(self._watch(slot, process), f"worker {number}")
        return process

    def _announced(self, number: int, announcement: asyncio.Future[Fields]) -> None:
        load = self._placement.workers.get(number)
        # One that was retired before it was warm goes on retiring.
        if load is None or load.life is not Life.STARTING or self._is_stopping:
            return
        if announcement.exception() is None:
            load.life, load.is_ready = Life.TAKING, True
            load.seen_s = asyncio.get_running_loop().time()
            self._moves.notify()

    async def _end_silent(self) -> None:
        await end_silent(self._placement, lambda number: self._living[number].kill())

    def _retire(self, process: WorkerProcess) -> None:
        process.is_stopping = True
        if (load := self._placement.workers.get(process.number)) is not None:
            load.life = Life.RETIRING
        process.channel.send("retire")

    async def _watch(self, slot: _Slot, process: WorkerProcess) -> None:
        code = await process.watch()
        asked = self._is_stopping or process.is_stopping
        self._ended(process)
        if asked or slot.process is not process:
            return
        self._metrics.worker_restarts.inc()
        await start_again(
            f"Worker {process.number}",
            code,
            slot.restarts,
            partial(self._start, slot),
            lambda: not self._is_stopping and slot.process is process,
        )

    def _ended(self, process: WorkerProcess) -> None:
        number, lost_s = process.number, monotonic()
        del self._living[number]
        self._placement.remove(number)
        self._totals.end(number)
        orphans = [] if self._is_stopping else self._records.of_worker(number)
        self._desk.lose(number, {record.place for record in orphans})
        for record in orphans:
            if not self._desk.holds((number, record.place)):
                self._records.closed(record.session)
        waiting = [each for each in orphans if self._records.find(each.session) is each]
        until_s = lost_s + self._settings.transport.resume_s
        if waiting:
            self._tasks.spawn(self._moves.move(waiting, until_s, lost_s), "sessions move")
        self._moves.notify()

    async def _stop(self) -> None:
        self._is_stopping = True
        self._moves.stop()
        within_s = self._settings.http.drain_s
        for process in list(self._living.values()):
            if process.announcement.done():
                process.channel.send("drain", within_s=within_s)
            else:
                await process.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s + STOP_MARGIN_S):
                for process in list(self._living.values()):
                    await process.gone.wait()
        for process in list(self._living.values()):
            await process.kill()
        if self.engines is not None:
            await self.engines.stop(ENGINES_STOP_S)
        await self._tasks.cancel()  # what is left waits to start or to move something

    async def _ask_metrics(self, process: WorkerProcess) -> None:
        if (text := await process.metrics()) is not None:
            self._totals.take(process.number, text)

    async def _request(self, worker: int, kind: str, fields: Fields) -> Fields:
        return await self._living[worker].channel.request(kind, **fields)

    def _send(self, worker: int, kind: str, fields: Fields) -> None:
        if (process := self._living.get(worker)) is not None:
            process.channel.send(kind, **fields)

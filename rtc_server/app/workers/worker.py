"""A worker: the server that runs alone otherwise, on a Unix socket, controlled by the
supervisor. Started by ``rtc_server.cli.worker``.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from rtc_server.app.parts import Parts, Shared, build, drain_all
from rtc_server.app.server import below, start_up_kept
from rtc_server.app.workers.codec import claimant_of, record_of
from rtc_server.app.workers.control import ControlChannel, Fields
from rtc_server.app.workers.hop import hop_middleware
from rtc_server.app.workers.journal import journals
from rtc_server.app.workers.placement import session_prefix
from rtc_server.app.workers.shared_admission import SharedAdmission
from rtc_server.app.workers.shared_rates import SharedRates
from rtc_server.app.workers.worker_order import WorkerOrder
from rtc_server.background import beside
from rtc_server.clock import monotonic, wall
from rtc_server.errors import RtcServerError
from rtc_server.metrics import Metrics
from rtc_server.session.places import Kind
from rtc_server.signaling.access_log import AccessLog, server_logger

REPORT_S = 0.5
"""Interval of reports to the supervisor."""
METRICS_EACH = 10
"""Reports after which metrics are sent, too: what a killed worker has counted since is lost."""
KEEPALIVE_S = 3600.0
"""The supervisor ends each connection itself."""

_log = logging.getLogger(__name__)


async def work(order: WorkerOrder, end: socket.socket) -> int:
    """Serve until a request to stop, or until the supervisor is gone; return the exit code."""
    worker = _Worker(order)
    await worker.channel.open(end)
    reading = asyncio.create_task(worker.channel.run(), name="control")
    reading.add_done_callback(lambda _: worker.stop.set())
    try:
        await worker.run()
    except RtcServerError as error:
        worker.channel.send("failed", message=str(error))
        return 2
    finally:
        await asyncio.sleep(0)  # the last message goes out
        reading.cancel()
        await asyncio.wait([reading])
    return 0


class _Worker:
    def __init__(self, order: WorkerOrder) -> None:
        self._order, self._settings = order, order.settings
        self.channel = ControlChannel(
            {
                "drain": self._drain,
                "retire": self._retire,
                "give_up": self._give_up,
                "usage": self._take_usage,
                "take_over": self._take_over,
                "metrics": lambda _: {"text": self._parts.metrics.exposition().decode()},
            }
        )
        limits = self._settings.http.admission_limits()
        self._admission = SharedAdmission(self.channel, limits, monotonic, wall)
        self._parts: Parts
        self.stop = asyncio.Event()
        self._drain_s = 0.0
        self._is_retiring = False
        self._idle_since_s: float | None = None

    async def run(self) -> None:
        self._parts = parts = build(self._settings, self._shared)
        parts.http.middlewares.insert(0, hop_middleware())
        http = below(self._settings.http.path_prefix, parts.http)
        async with _on_unix_socket(http, self._order.socket_path), parts.working():
            with start_up_kept():
                self.channel.send("ready", **self._announcement())
                async with beside(self._report(), name="reports"):
                    await self.stop.wait()
                    await drain_all(parts.engines, parts.manager, parts.rooms, self._drain_s)
        self.channel.send("metrics", text=parts.metrics.exposition().decode())

    def _shared(self, metrics: Metrics) -> Shared:
        on_drop = metrics.queue_drops.labels("journal").inc
        journal = journals(self.channel, monotonic, self._admission.number_of, on_drop)
        rates = SharedRates(self.channel)
        return Shared(self._admission, journal, session_prefix(self._order.number), rates)

    def _announcement(self) -> Fields:
        engines = self._parts.engines
        cards = {"Translation": engines.ast, "Voice": engines.tts}
        return {
            "engine_set": engines.engine_set,
            "engines": [
                [role, card.title, card.licence, list(card.notes)]
                for role, card in cards.items()
                if card is not None
            ],
        }

    async def _report(self) -> None:
        count = 0
        while True:
            engines = self._parts.engines
            self.channel.send(
                "state",
                ready=engines.ready,
                reason=engines.reason,
                rooms=sorted(self._parts.rooms.names),
            )
            if count % METRICS_EACH == 0:
                self.channel.send("metrics", text=self._parts.metrics.exposition().decode())
            count += 1
            self._stop_when_idle()
            await asyncio.sleep(REPORT_S)

    def _stop_when_idle(self) -> None:
        """End a retiring worker once it has nothing left, and nobody can read a transcript more."""
        if not self._is_retiring:
            return
        if self._parts.manager.sessions or self._parts.rooms.names or self._admission.places:
            self._idle_since_s = None
        elif self._idle_since_s is None:
            self._idle_since_s = monotonic()
        if (
            self._idle_since_s is not None
            and monotonic() - self._idle_since_s >= self._settings.transport.resume_s
        ):
            self.stop.set()

    # ---------------------------------------------------------------- from the supervisor

    def _drain(self, fields: Fields) -> None:
        self._drain_s = fields["within_s"]
        self.stop.set()

    def _retire(self, _fields: Fields) -> None:
        self._is_retiring = True

    def _give_up(self, fields: Fields) -> None:
        self._admission.give_up(fields)

    def _take_usage(self, fields: Fields) -> None:
        self._admission.usage(fields)

    def _take_over(self, fields: Fields) -> Fields:
        record = record_of(fields["record"])
        claimant = claimant_of(fields["record"]["request"]["claimant"])
        kept = {"end_s": fields["record"]["end_s"], "expires_at": fields["record"]["expires_at"]}
        number, place = self._admission.take_over(Kind.SESSION, claimant, {**fields, **kept})
        try:
            self._parts.manager.take_over(record, place)
        except BaseException:
            place.end(monotonic(), wall())
            raise
        return {"place": number}


@asynccontextmanager
async def _on_unix_socket(http: web.Application, path: str) -> AsyncIterator[None]:
    runner = web.AppRunner(
        http,
        access_log_class=AccessLog,
        access_log=logging.getLogger("rtc_server.access"),
        logger=server_logger(),
        keepalive_timeout=KEEPALIVE_S,
        shutdown_timeout=5.0,
    )
    await runner.setup()
    try:
        await web.UnixSite(runner, path).start()
        yield
    finally:
        await runner.cleanup()

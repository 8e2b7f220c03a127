"""Parts of a server, built and not yet started, and the order in which they start and stop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiohttp import web

from rtc_server.app.engines import Engines
from rtc_server.app.quota_file import QuotaFile, kept_quotas
from rtc_server.app.traces import Traces, make_traces
from rtc_server.app.usage import UsageLedger
from rtc_server.audio.vad import make_vad_factory
from rtc_server.background import beside
from rtc_server.clock import monotonic, wall
from rtc_server.config import Settings
from rtc_server.metrics import Metrics
from rtc_server.rooms.room_manager import RoomManager
from rtc_server.session.admission import Admission
from rtc_server.session.admission_desk import AdmissionDesk
from rtc_server.session.call_transport import ConnectCall
from rtc_server.session.journal import MakeJournal, no_journal
from rtc_server.session.manager import SessionManager
from rtc_server.session.services import Services
from rtc_server.signaling.http_app import make_http_app
from rtc_server.signaling.request_rates import RequestRates
from rtc_server.standstill import standstills
from rtc_server.transport.discovery import with_public_address
from rtc_server.transport.logs import limited_logs
from rtc_server.transport.media_scheduler import MediaScheduler
from rtc_server.transport.sdp import Offer, Role, parse_offer
from rtc_server.transport.transport_api import NextPacket, TransportObserver
from rtc_server.transport.webrtc import WebRtcTransport

LAG_PROBE_S = 0.1
"""Period of the timer whose lateness is the event loop's lag."""


async def drain_all(
    engines: Engines, manager: SessionManager, rooms: RoomManager, within_s: float
) -> None:
    """Take no new calls; wait until sessions and rooms have finished their sentence."""
    engines.drain()
    await asyncio.gather(manager.drain(within_s), rooms.drain(within_s))


class NetworkSettings:
    """Network settings for calls, complete once `learn` has returned."""

    def __init__(self, settings: Settings) -> None:
        self._host = settings.http.host
        self.settings = settings.transport

    async def learn(self) -> None:
        """Ask for the public address if it is needed. Raises `ConfigError` if no server answers."""
        self.settings = await with_public_address(self.settings, self._host, monotonic)


@dataclass(frozen=True, slots=True)
class Shared:
    """Parts that one process of several shares with the others."""

    admission: AdmissionDesk
    journal: MakeJournal
    id_prefix: str
    """Prefix of its sessions' ids."""
    rates: RequestRates


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of a server that is built and not yet started."""

    http: web.Application
    manager: SessionManager
    rooms: RoomManager
    engines: Engines
    metrics: Metrics
    network: NetworkSettings
    usage: UsageLedger
    traces: Traces
    scheduler: MediaScheduler
    kept_quotas: Callable[[], AbstractAsyncContextManager[None]]

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Run all but HTTP until the block ends; engines first, so that sessions find them warm."""
        with limited_logs():
            await self.network.learn()
            async with self._working():
                yield

    @asynccontextmanager
    async def _working(self) -> AsyncIterator[None]:
        async with (
            self.usage.running(),
            self.traces.exporting(),
            self.kept_quotas(),
            self.engines.running(),
            self.manager.open(),
            self.rooms.open(),
            beside(probe_lag(self.metrics), name="loop lag"),
            beside(standstills().watch(), name="standstills"),
        ):
            self.scheduler.observe_lateness_s = self.metrics.tick_lateness_seconds.observe
            loop = asyncio.get_running_loop()
            self.metrics.tasks.set_function(lambda: len(asyncio.all_tasks(loop)))
            try:
                yield
            finally:
                self.scheduler.observe_lateness_s = None


def build(
    settings: Settings,
    share: Callable[[Metrics], Shared] | None = None,
    scheduler: MediaScheduler | None = None,
) -> Parts:
    """Return the parts of a server, joined. Raises `ConfigError`.

    `share`: makes the parts that are shared with other processes, for one process of several.
    `scheduler`: the scheduler of a host application; without it the server makes its own.
    """
    scheduler = scheduler or MediaScheduler()
    metrics = Metrics()
    shared = share(metrics) if share is not None else None
    engines = Engines(settings.engines, metrics, settings.plugins)
    usage = UsageLedger(settings.usage, metrics)
    traces = make_traces(settings.http, monotonic, wall)
    services = Services(
        ast=engines.ast_service,
        tts=engines.tts_service,
        make_vad=make_vad_factory(settings.segmenter.vad),
        segmenter=settings.segmenter,
        interpreter=settings.interpreter,
        metrics=metrics,
        clock=monotonic,
        resume_s=settings.transport.resume_s,
        phrases=engines.phrases,
        record_usage=usage.record,
        tracer=traces.tracer,
        scheduler=scheduler,
        journal=shared.journal if shared is not None else no_journal,
    )

    network = NetworkSettings(settings)

    async def answer(
        offer: Offer, observer: TransportObserver, next_packet: NextPacket | None = None
    ) -> WebRtcTransport:
        return await WebRtcTransport.answer(
            offer,
            observer,
            network.settings,
            host=settings.http.host,
            clock=monotonic,
            scheduler=scheduler,
            next_packet=next_packet,
        )

    def negotiate(offer_sdp: str) -> ConnectCall:
        return partial(answer, parse_offer(offer_sdp, Role.CALLER))

    async def accept(
        offer_sdp: str,
        observer: TransportObserver,
        role: Role,
        next_packet: NextPacket | None,
    ) -> WebRtcTransport:
        return await answer(parse_offer(offer_sdp, role), observer, next_packet)

    admission = Admission(settings.http.admission_limits())
    metrics.waiting_callers.set_function(lambda: admission.waiting(monotonic()))
    quota_path = settings.access.quota_file
    quota_file = QuotaFile(Path(quota_path)) if quota_path else None
    quotas = partial(kept_quotas, admission.quotas, quota_file, monotonic, wall)
    desk = shared.admission if shared is not None else admission
    id_prefix = shared.id_prefix if shared is not None else "sess_"
    manager = SessionManager(services, negotiate, engines, desk, id_prefix=id_prefix)
    rooms = RoomManager(services, accept, engines, settings.rooms, desk)
    rates = shared.rates if shared is not None else None
    http = make_http_app(
        manager,
        engines,
        engines,
        metrics,
        settings,
        rooms=rooms,
        rates=rates,
        scheduler=scheduler,
    )
    return Parts(http, manager, rooms, engines, metrics, network, usage, traces, scheduler, quotas)


async def probe_lag(metrics: Metrics) -> None:
    """Observe the lateness of a timer, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_PROBE_S
        await asyncio.sleep(LAG_PROBE_S)
        metrics.loop_lag_seconds.observe(max(loop.time() - due, 0.0))

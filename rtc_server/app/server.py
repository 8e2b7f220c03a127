"""The server as a whole.

Start: HTTP first, so that ``/readyz`` can say "warming up"; then the engines side by side.
Stop: no new calls, the sentences that are being spoken, then sessions, engines and HTTP. Each is an
``async with``, so a failure anywhere undoes just what had been started.
"""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiohttp import web

from rtc_server.app.engines import Engines
from rtc_server.app.listening import listening
from rtc_server.app.quota_file import QuotaFile, kept_quotas
from rtc_server.app.usage import UsageLedger
from rtc_server.audio.vad import make_vad_factory
from rtc_server.background import beside
from rtc_server.clock import monotonic, wall
from rtc_server.config import Settings
from rtc_server.metrics import Metrics
from rtc_server.rooms.manager import RoomManager
from rtc_server.session.admission import Admission, AdmissionLimits
from rtc_server.session.manager import SessionManager
from rtc_server.session.services import Services
from rtc_server.signaling import make_http_app
from rtc_server.standstill import standstills
from rtc_server.transport.discovery import with_public_address
from rtc_server.transport.logs import limited_logs
from rtc_server.transport.media.tick import shared_tick
from rtc_server.transport.sdp import Role
from rtc_server.transport.transport_api import NextPacket, TransportObserver
from rtc_server.transport.webrtc import WebRtcTransport

LAG_PROBE_S = 0.1
"""Period of the timer whose lateness is the event loop's lag."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers HTTP and whose engines are warm."""

    url: str
    """URL of the page, without a slash at the end."""
    port: int
    """The TCP port, also when 0 was asked for."""
    manager: SessionManager
    rooms: RoomManager
    engines: Engines
    metrics: Metrics

    async def drain(self, within_s: float) -> None:
        """Take no more calls, and let those that are open finish their sentence."""
        await _drain(self.engines, self.manager, self.rooms, within_s)


async def _drain(
    engines: Engines, manager: SessionManager, rooms: RoomManager, within_s: float
) -> None:
    engines.drain()
    await asyncio.gather(manager.drain(within_s), rooms.drain(within_s))


class _Network:
    """Network settings of this machine that calls use, complete once `learn` has returned."""

    def __init__(self, settings: Settings) -> None:
        self._host = settings.http.host
        self.settings = settings.transport

    async def learn(self) -> None:
        """Raises `ConfigError` when the public address is asked for and nobody tells it."""
        self.settings = await with_public_address(self.settings, self._host, monotonic)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A server that is built and not started."""

    http: web.Application
    manager: SessionManager
    rooms: RoomManager
    engines: Engines
    metrics: Metrics
    network: _Network
    usage: UsageLedger
    kept_quotas: Callable[[], AbstractAsyncContextManager[None]]

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Run what is behind the HTTP: engines first, so that sessions find them warm."""
        with limited_logs():
            await self.network.learn()
            async with self._working():
                yield

    @asynccontextmanager
    async def _working(self) -> AsyncIterator[None]:
        async with (
            self.usage.running(),
            self.kept_quotas(),
            self.engines.running(),
            self.manager.open(),
            self.rooms.open(),
            beside(_probe_lag(self.metrics), name="loop lag"),
            beside(standstills().watch(), name="standstills"),
        ):
            shared_tick().observe_lateness_s = self.metrics.tick_lateness_seconds.observe
            loop = asyncio.get_running_loop()
            self.metrics.tasks.set_function(lambda: len(asyncio.all_tasks(loop)))
            try:
                yield
            finally:
                shared_tick().observe_lateness_s = None


def _build(settings: Settings) -> _Parts:
    metrics = Metrics()
    engines = Engines(settings.engines, metrics)
    usage = UsageLedger(settings.usage, metrics)
    services = Services(
        ast=engines.ast_service,
        tts=engines.tts_service,
        make_vad=make_vad_factory(settings.listener.vad),
        segmenter=settings.listener,
        interpreter=settings.interpreter,
        metrics=metrics,
        clock=monotonic,
        resume_s=settings.transport.resume_s,
        phrases=engines.phrases,
        record_usage=usage.record,
    )

    network = _Network(settings)

    async def accept(
        offer_sdp: str,
        observer: TransportObserver,
        role: Role = Role.CALLER,
        next_packet: NextPacket | None = None,
    ) -> WebRtcTransport:
        return await WebRtcTransport.accept(
            offer_sdp,
            observer,
            network.settings,
            host=settings.http.host,
            clock=monotonic,
            role=role,
            next_packet=next_packet,
        )

    limits = AdmissionLimits(settings.http.max_sessions, settings.http.address_sessions)
    admission = Admission(limits)
    quota_path = settings.access.quota_file
    quota_file = QuotaFile(Path(quota_path)) if quota_path else None
    quotas = partial(kept_quotas, admission.quotas, quota_file, monotonic, wall)
    manager = SessionManager(services, accept, engines, admission)
    rooms = RoomManager(services, accept, engines, settings.rooms, admission)
    http = make_http_app(manager, engines, engines, metrics, settings, rooms=rooms)
    return _Parts(http, manager, rooms, engines, metrics, network, usage, quotas)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RunningServer]:
    """Run a server until the block ends.

    Raises:
        ConfigError: a setting cannot work here (a port in use, a missing detector).
        EngineUnavailable: an engine cannot be started.
    """
    parts = _build(settings)
    own = settings.http
    async with (
        listening(_below(own.path_prefix, parts.http), own, parts.metrics) as port,
        parts.working(),
    ):
        scheme = "https" if own.tls_cert else "http"
        host = f"[{own.host}]" if ":" in own.host else own.host
        url = f"{scheme}://{host}:{port}{own.path_prefix}"
        yield RunningServer(url, port, parts.manager, parts.rooms, parts.engines, parts.metrics)


def mountable(settings: Settings) -> web.Application:
    """Return the whole server as an application for another one's ``add_subapp``.

    It starts and stops with the other: the other's start waits until the engines are warm, and its
    end until people have finished their sentence, ``settings.http.drain_s`` at most. Where it
    listens is the other's affair; ``settings.http.host`` still says whether media stays on
    loopback, and whether a key is needed.

    Raises:
        ConfigError: a setting cannot work here. On start also `EngineUnavailable`.
    """
    parts = _build(settings)
    work = AsyncExitStack()

    async def working(_app: web.Application) -> AsyncIterator[None]:
        await work.enter_async_context(parts.working())
        yield
        await work.aclose()

    async def stop(_app: web.Application) -> None:
        # Before the host waits for open requests: a session's WebSocket would keep it waiting.
        await _drain(parts.engines, parts.manager, parts.rooms, settings.http.drain_s)
        await work.aclose()

    parts.http.cleanup_ctx.append(working)
    parts.http.on_shutdown.append(stop)
    return parts.http


def _below(prefix: str, http: web.Application) -> web.Application:
    """Return the application below a path; the path itself without its slash leads there."""
    if not prefix:
        return http

    async def with_slash(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPPermanentRedirect(f"{prefix}/")

    root = web.Application()
    root.router.add_get(prefix, with_slash)
    root.add_subapp(prefix, http)
    return root


@contextmanager
def _start_up_kept() -> Iterator[None]:
    """Exempt from garbage collection what start-up made, for it stays: each scan of it would hold
    up the media for some 30 ms.

    A session that has ended is a web of callbacks, some 150 objects that only a full collection
    frees. One would wait for a quarter as many as start-up left, or 70,000: 25 MB of dead sessions.
    The second collection forgets the start-up's number, and the threshold asks for one after some
    70 sessions. With 50 living ones it takes about 5 ms.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.collect()
    gc.set_threshold(*thresholds[:2], 1)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


async def serve(
    settings: Settings, announce: Callable[[RunningServer], None] = lambda _server: None
) -> None:
    """Run a server until SIGINT or SIGTERM; `announce` is called once it takes calls.

    A signal during the warm-up gives it up; a second one while stopping ends the process at once.
    Needs the main thread, which alone may handle signals; `running` needs neither.

    Raises:
        ConfigError: a setting cannot work here (a port in use, a missing detector).
        EngineUnavailable: an engine cannot be started.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()
    started = False

    def interrupted() -> None:
        for name in STOP_SIGNALS:
            loop.remove_signal_handler(name)
        stop.set()
        if not started and main:
            main.cancel()

    for name in STOP_SIGNALS:
        loop.add_signal_handler(name, interrupted)
    try:
        async with running(settings) as server:
            started = True
            with _start_up_kept():
                announce(server)
                await stop.wait()
                logger.info("Stopping.")
                await server.drain(settings.http.drain_s)
    except asyncio.CancelledError:
        if not stop.is_set():
            raise


async def _probe_lag(metrics: Metrics) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_PROBE_S
        await asyncio.sleep(LAG_PROBE_S)
        metrics.loop_lag_seconds.observe(max(loop.time() - due, 0.0))

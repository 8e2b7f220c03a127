"""The server as a whole.

Start: HTTP first, so that ``/readyz`` can say "warming up"; then the engines side by side.
Stop: no new calls, the end of the current sentences, then sessions, engines and HTTP. Each is an
``async with``, so that a failure stops exactly the parts that were started.
"""

import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

from aiohttp import web

from rtc_server.app.engines import Engines
from rtc_server.app.listening import listening, url_of
from rtc_server.app.parts import build, drain_all
from rtc_server.app.stop_signals import stoppable
from rtc_server.config import Settings
from rtc_server.metrics import Metrics
from rtc_server.rooms.room_manager import RoomManager
from rtc_server.session.manager import SessionManager
from rtc_server.transport.media_scheduler import MediaScheduler

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers HTTP and whose engines are warm."""

    url: str
    """URL of the page, without a slash at the end."""
    port: int
    """TCP port in use, also if the settings have 0."""
    manager: SessionManager
    rooms: RoomManager
    engines: Engines
    metrics: Metrics

    async def drain(self, within_s: float) -> None:
        """Take no new calls; wait until open ones have finished their sentence."""
        await drain_all(self.engines, self.manager, self.rooms, within_s)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RunningServer]:
    """Run a server until the block ends.

    Raises:
        ConfigError: a setting cannot work here (a port in use, a missing detector).
        EngineUnavailable: an engine cannot be started.
    """
    parts = build(settings)
    own = settings.http
    async with (
        listening(below(own.path_prefix, parts.http), own, parts.metrics) as port,
        parts.working(),
    ):
        url = url_of(own, port)
        yield RunningServer(url, port, parts.manager, parts.rooms, parts.engines, parts.metrics)


def mountable(settings: Settings, *, scheduler: MediaScheduler | None = None) -> web.Application:
    """Return the whole server as an application for another one's ``add_subapp``.

    It starts and stops with the other: the other's start waits until the engines are warm, and its
    end until people have finished their sentence, ``settings.http.drain_s`` at most. Where it
    listens is up to the other; ``settings.http.host`` still decides whether media stays on
    loopback, and whether a key is needed.

    `scheduler`: when media is sent and read. Without it the server has one of its own, which reads
    datagrams at the tick while many come; several servers of one application may share one.

    Raises:
        ConfigError: a setting cannot work here. On start also `EngineUnavailable`.
    """
    parts = build(settings, scheduler=scheduler)
    work = AsyncExitStack()

    async def working(_app: web.Application) -> AsyncIterator[None]:
        await work.enter_async_context(parts.working())
        yield
        await work.aclose()

    async def stop(_app: web.Application) -> None:
        # Before the host waits for open requests: a session's WebSocket would keep it waiting.
        await drain_all(parts.engines, parts.manager, parts.rooms, settings.http.drain_s)
        await work.aclose()

    parts.http.cleanup_ctx.append(working)
    parts.http.on_shutdown.append(stop)
    return parts.http


def below(prefix: str, http: web.Application) -> web.Application:
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
def start_up_kept() -> Iterator[None]:
    """Exempt the objects of start-up from garbage collection.

    Each scan of them would delay media by some 30 ms.

    An ended session leaves cycles of callbacks, some 150 objects that only a full collection frees.
    Python would put that off until a quarter as many objects as start-up left are new, some 70,000:
    25 MB of ended sessions. The second collection resets the number that start-up left, and the
    threshold then causes one after some 70 sessions. With 50 open ones it takes about 5 ms.
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

    A signal during the warm-up cancels it; a second one while stopping ends the process at once.
    Only the main thread may call it, because of the signals; `running` may run in any.

    Raises:
        ConfigError: a setting cannot work here (a port in use, a missing detector).
        EngineUnavailable: an engine cannot be started.
    """
    async with stoppable() as stopped, running(settings) as server:
        with start_up_kept():
            announce(server)
            await stopped()
            logger.info("Stopping.")
            await server.drain(settings.http.drain_s)

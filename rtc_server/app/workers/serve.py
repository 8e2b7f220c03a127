"""``rtc-server serve --workers N``: supervisor and HTTP together, until a signal."""

import asyncio
import logging
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rtc_server.app.listening import listening, url_of
from rtc_server.app.parts import probe_lag
from rtc_server.app.quota_file import QuotaFile, kept_quotas
from rtc_server.app.stop_signals import stoppable
from rtc_server.app.workers.control import Fields, Handler
from rtc_server.app.workers.process import WorkerProcess
from rtc_server.app.workers.proxy import Proxy
from rtc_server.app.workers.signing_key import SigningKey
from rtc_server.app.workers.supervisor import Supervisor
from rtc_server.app.workers.worker_order import WorkerOrder
from rtc_server.background import beside
from rtc_server.clock import monotonic, wall
from rtc_server.config import Settings
from rtc_server.errors import ConfigError
from rtc_server.host_system import is_linux
from rtc_server.metrics import Metrics
from rtc_server.standstill import standstills

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunningWorkers:
    """Workers that take calls."""

    url: str
    """URL of the page, without a slash at the end."""
    port: int
    supervisor: Supervisor
    metrics: Metrics
    announcement: Fields
    """Engines in use."""


@asynccontextmanager
async def running_workers(settings: Settings) -> AsyncIterator[RunningWorkers]:
    """Run a server of several processes until the block ends.

    Raises:
        ConfigError: a setting cannot work here, or this is not Linux.
    """
    if not is_linux():
        raise ConfigError("Several workers need Linux. Leave --workers at 1 here.")
    metrics, http = Metrics(), settings.http
    with tempfile.TemporaryDirectory(prefix="rtc-server-") as folder:
        key = SigningKey(Path(folder) / "secret")

        def make(order: WorkerOrder, handlers: dict[str, Handler]) -> WorkerProcess:
            if not settings.access.secret_key_file:
                key.write()
            return WorkerProcess(order, handlers)

        supervisor = Supervisor(_of_a_worker(settings, key), Path(folder), metrics, make)
        application = Proxy(supervisor, settings).application()
        path = settings.access.quota_file
        file = QuotaFile(Path(path)) if path else None
        async with (
            listening(application, http, metrics, passes_on=True) as port,
            kept_quotas(supervisor.admission.quotas, file, monotonic, wall),
            beside(probe_lag(metrics), name="loop lag"),
            beside(standstills().watch(), name="standstills"),
            supervisor.running() as announcement,
        ):
            yield RunningWorkers(url_of(http, port), port, supervisor, metrics, announcement)


async def serve_workers(
    settings: Settings, announce: Callable[[RunningWorkers], None] = lambda _running: None
) -> None:
    """Run until SIGINT or SIGTERM; SIGHUP replaces the workers.

    A signal during the warm-up gives it up; a second one while stopping ends the process at once,
    and the workers with it.

    Raises:
        ConfigError: as `running_workers`.
    """
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    async with stoppable() as stopped, running_workers(settings) as running:
        loop.add_signal_handler(signal.SIGHUP, running.supervisor.replace_soon)
        announce(running)
        await stopped()
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        _log.info("Stopping.")


def _of_a_worker(settings: Settings, key: SigningKey) -> Settings:
    """Return the settings of each worker: what the supervisor does is taken out."""
    access = replace(settings.access, quota_file="")
    if not access.secret_key_file:
        access = replace(access, secret_key_file=str(key.path))
    return replace(settings, access=access)

"""Listening sockets and the accept loop.

asyncio's own accept loop logs each failure and tries at once again: without a file descriptor left
it wrote 41 to 121 MB of log in 45 s. Nor does it limit connections. Ours accepts one connection at
a time if `ConnectionBook` allows, and pauses while no descriptor is free.
"""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from rtc_server.app.connections import (
    Connection,
    ConnectionBook,
    ConnectionLimits,
    ConnectionRefused,
    descriptor_reserve,
    file_limit,
    usual_total,
)
from rtc_server.app.tls import renewing, tls_context
from rtc_server.clock import monotonic
from rtc_server.config import HttpSettings
from rtc_server.errors import ConfigError
from rtc_server.limits import LogLimit
from rtc_server.metrics import Metrics
from rtc_server.signaling.access_log import AccessLog, server_logger
from rtc_server.signaling.proxies import TrustedProxies, counted_source

SHUTDOWN_S = 5.0
"""Seconds that open HTTP requests may take when the server stops."""
LINGERING_S = 2.0
"""Seconds for which a refused body is still read and dropped, so that the refusal arrives."""
KEEPALIVE_S = 10.0
"""Seconds that a connection may wait for its first or next request."""
PROXY_KEEPALIVE_S = 75.0
"""`KEEPALIVE_S` behind proxies: longer than nginx keeps an idle connection (60 s)."""
HANDSHAKE_S = 10.0
"""Seconds that TLS may take to begin."""
UNREAD_MS = 20_000
"""Milliseconds for which a client may leave sent data unacknowledged (TCP_USER_TIMEOUT)."""
BACKLOG = 1024
PAUSE_S = 0.5
"""Seconds without accepting when descriptors or memory have run out."""
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

logger = logging.getLogger(__name__)


@asynccontextmanager
async def listening(
    http: web.Application,
    settings: HttpSettings,
    metrics: Metrics,
    engines: str = "the engines are warming up",
    *,
    passes_on: bool = False,
) -> AsyncIterator[int]:
    """Serve `http` until the block ends; yields the TCP port. `engines` is for the log.

    Args:
        passes_on: requests are answered by another process, which logs them and has to be told
            at once when a client leaves.

    Raises:
        ConfigError: the address cannot be listened on, or the certificate cannot be used.
    """
    certificate, key = Path(settings.tls_cert), Path(settings.tls_key)
    tls = tls_context(certificate, key) if settings.tls_cert else None
    runner = web.AppRunner(
        http,
        access_log_class=AccessLog,
        access_log=None if passes_on else logging.getLogger("rtc_server.access"),
        handler_cancellation=passes_on,
        logger=server_logger(),
        keepalive_timeout=keepalive_s(settings),
        lingering_time=LINGERING_S,
        shutdown_timeout=SHUTDOWN_S,
    )
    await runner.setup()
    try:
        sockets = await _bound(settings)
        port: int = sockets[0].getsockname()[1]
        logger.info("Listening on %s port %d; %s.", settings.host, port, engines)
        acceptor = Acceptor(runner.server, settings, metrics, tls)
        async with (
            renewing(tls, certificate, key) if tls else nullcontext(),
            acceptor.accepting(sockets),
        ):
            yield port
    finally:
        await runner.cleanup()


def url_of(settings: HttpSettings, port: int) -> str:
    """Return the URL of what listens on a port with these settings, without a slash at the end."""
    scheme = "https" if settings.tls_cert else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{port}{settings.path_prefix}"


def keepalive_s(settings: HttpSettings) -> float:
    """Return the seconds for which a connection may wait for a request."""
    usual_s = PROXY_KEEPALIVE_S if settings.trusted_proxies else KEEPALIVE_S
    return settings.keepalive_s or usual_s


def connection_limits(settings: HttpSettings) -> ConnectionLimits:
    """Return the limits on connections, from the settings or else from the file descriptors."""
    total = settings.max_connections or usual_total(file_limit())
    return ConnectionLimits(total, settings.address_connections)


class Acceptor:
    """Accept loop of an aiohttp server, on one event loop."""

    def __init__(
        self,
        server: Any,
        settings: HttpSettings,
        metrics: Metrics,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`server`: an `aiohttp.web.Server`, which makes protocols and is notified of their end."""
        self._server, self._metrics, self._tls = server, metrics, tls
        self._proxies = TrustedProxies.named(settings.trusted_proxies)
        self.book = ConnectionBook(connection_limits(settings))
        self._descriptors = file_limit()
        self._records: dict[web.RequestHandler, Connection] = {}
        self._starting: set[asyncio.Task[None]] = set()
        self._complaints = LogLimit(burst=3, per_second=0.02)
        lost = server.connection_lost

        def connection_lost(
            handler: web.RequestHandler, error: BaseException | None = None
        ) -> None:
            lost(handler, error)
            self._forget(self._records.pop(handler, None))

        server.connection_lost = connection_lost  # called by each protocol once, at its end

    @asynccontextmanager
    async def accepting(self, sockets: list[socket.socket]) -> AsyncIterator[None]:
        """Accept on these sockets, which are closed at the end; connections go on."""
        try:
            loops = [asyncio.create_task(self._accept(each), name="accept") for each in sockets]
            try:
                yield
            finally:
                for task in (*loops, *self._starting):
                    task.cancel()
                await asyncio.gather(*loops, *self._starting, return_exceptions=True)
        finally:
            for each in sockets:
                each.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listener)
            except OSError as error:
                if error.errno in EXHAUSTED:
                    self._refused("descriptors")
                    self.book.make_room()
                    await asyncio.sleep(PAUSE_S)
                continue  # else the client disconnected before
            self._take(connection, str(address[0]))
            await asyncio.sleep(0)  # so that a flood of connections does not starve other tasks

    def _take(self, connection: socket.socket, address: str) -> None:
        # The system uses the lowest free descriptor: a high one means that few are left.
        left = self._descriptors - connection.fileno()
        is_short = left <= descriptor_reserve(self._descriptors)
        try:
            record = self.book.admit(counted_source(address, self._proxies), is_short=is_short)
        except ConnectionRefused as error:
            connection.close()
            self._refused(error.reason)
            return
        self._metrics.connections.set(len(self.book))
        with contextlib.suppress(OSError, AttributeError):  # only on Linux
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
        handler = self._server()
        self._records[handler] = record
        task = asyncio.create_task(self._start(connection, handler, record), name="connect")
        record.close = partial(_cancel, task)
        self._starting.add(task)
        task.add_done_callback(partial(self._started, connection, handler))

    async def _start(
        self, connection: socket.socket, handler: web.RequestHandler, record: Connection
    ) -> None:
        """Hand the connection to its protocol, after the TLS handshake where there is one."""
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: handler,
            connection,
            ssl=self._tls,
            ssl_handshake_timeout=HANDSHAKE_S if self._tls else None,
        )
        record.is_idle = lambda: is_idle(handler)
        record.close = handler.force_close

    def _started(
        self, connection: socket.socket, handler: web.RequestHandler, task: asyncio.Task[None]
    ) -> None:
        self._starting.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None and not task.cancelled():
            return
        connection.close()
        self._forget(self._records.pop(handler, None))
        if error is not None and not isinstance(error, OSError):  # a stranger's handshake failed
            logger.error("A connection could not be served", exc_info=error)

    def _forget(self, record: Connection | None) -> None:
        if record is not None:
            self.book.remove(record)
            self._metrics.connections.set(len(self.book))

    def _refused(self, reason: str) -> None:
        self._metrics.connections_refused.labels(reason).inc()
        held_back = self._complaints.admit(monotonic())
        if held_back is not None:
            logger.warning(
                "A connection was not accepted (%s; %d more not logged). %d are open.",
                reason,
                held_back,
                len(self.book),
            )


def is_idle(handler: web.RequestHandler) -> bool:
    """Return True if an aiohttp connection waits for a request.

    `_waiter` is private to aiohttp; ``tests/unit/app/test_contracts.py`` pins what it means.
    """
    waiter: asyncio.Future[None] | None = handler._waiter
    return waiter is not None and not waiter.done()


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


async def _bound(settings: HttpSettings) -> list[socket.socket]:
    """Return bound sockets, one for each address of the host name."""
    loop = asyncio.get_running_loop()
    sockets: list[socket.socket] = []
    try:
        found = await loop.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, address in dict.fromkeys((each[0], each[4]) for each in found):
            listener = socket.create_server(address, family=family, backlog=BACKLOG)
            sockets.append(listener)
            listener.setblocking(False)
    except OSError as error:
        for each in sockets:
            each.close()
        reason = str(error.strerror).partition(" (while ")[0]  # Python repeats the address there
        raise ConfigError(
            f"Cannot listen on {settings.host}:{settings.port} ({reason}). "
            "Choose another --host or --port, or stop what is using it."
        ) from None
    return sockets

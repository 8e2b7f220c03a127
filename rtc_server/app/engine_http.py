"""HTTP of an engine server: its WebSocket, its health and its metrics."""

import hmac
import logging
import re

from aiohttp import web

from rtc_server.app.engine_channel import CLOSE_S, PATH, WebSocketChannel
from rtc_server.clock import monotonic
from rtc_server.engines.registry import Kind
from rtc_server.engines.remote.frames import MOST_FRAME_BYTES
from rtc_server.engines.remote.messages import PROTOCOL
from rtc_server.engines.remote.server import EngineServer
from rtc_server.errors import EngineUnavailable
from rtc_server.limits import LogLimit
from rtc_server.metrics import Metrics

_KINDS: dict[str, Kind] = {"ast": "ast", "tts": "tts"}
_CLIENT = re.compile(r"[A-Za-z0-9_-]{1,64}")

_log = logging.getLogger(__name__)


class EngineHttp:
    """Routes of an engine server."""

    def __init__(self, server: EngineServer, token: str, metrics: Metrics) -> None:
        """Make the routes. With an empty token everyone who reaches the socket is let in."""
        self._server, self._token, self._metrics = server, token.encode(), metrics
        self._complaints = LogLimit(burst=5, per_second=0.1)
        self.app = web.Application(client_max_size=1024)
        """Application to serve."""
        self.app.router.add_get(PATH, self._connect)
        self.app.router.add_get("/healthz", self._health)
        self.app.router.add_get("/readyz", self._ready)
        self.app.router.add_get("/metrics", self._metrics_text)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        if "Origin" in request.headers:
            # Any page in a browser can open a WebSocket to loopback, where no token is needed.
            self._refuse(request, "it is a web page")
            return web.Response(status=403, text="Web pages are not served.\n")
        self._let_in(request)
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        if PROTOCOL not in (each.strip() for each in offered.split(",")):
            self._refuse(request, f"it does not speak {PROTOCOL}")
            return web.Response(status=426, text=f"This engine server speaks {PROTOCOL}.\n")
        kind, client = _KINDS.get(request.query.get("kind", "")), request.query.get("client", "")
        if kind is None or not _CLIENT.fullmatch(client):
            self._refuse(request, "it named no kind or no client")
            return web.Response(status=400, text="Name kind (ast or tts) and client.\n")
        try:
            self._server.check(kind)
        except EngineUnavailable as error:
            self._refuse(request, str(error))
            return web.Response(status=503, text=f"{error}\n")
        # No compression: audio does not shrink, and texts are short.
        socket = web.WebSocketResponse(
            protocols=(PROTOCOL,), max_msg_size=MOST_FRAME_BYTES, compress=False, timeout=CLOSE_S
        )
        await socket.prepare(request)
        await self._server.serve(kind, client, WebSocketChannel(socket))
        return socket

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _ready(self, _request: web.Request) -> web.Response:
        if self._server.ready:
            return web.Response(text="ready\n")
        return web.Response(status=503, text="An engine is being restarted, or the server stops.\n")

    async def _metrics_text(self, request: web.Request) -> web.Response:
        self._let_in(request)
        return web.Response(
            body=self._metrics.exposition(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    def _let_in(self, request: web.Request) -> None:
        """Raise a 401 unless the caller shows the token."""
        if not self._token:
            return
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token):
            self._refuse(request, "it sent no token, or a wrong one")
            raise web.HTTPUnauthorized(
                text="Send the engine token.\n", headers={"WWW-Authenticate": "Bearer"}
            )

    def _refuse(self, request: web.Request, reason: str) -> None:
        held_back = self._complaints.admit(monotonic())
        if held_back is not None:
            _log.warning(
                "A media process at %s was refused: %s (%d more not logged).",
                request.remote or "the Unix socket",
                reason,
                held_back,
            )

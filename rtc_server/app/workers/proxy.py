"""HTTP of the supervisor: each request goes to the worker that `Workers` names, and comes back.

Requests are read whole and written anew, so that two parsers never disagree about where one ends;
bodies are small here, and a request can be given to another worker when its own has just died. A
connection to a worker carries one request. After an upgrade (`tunnel`) bytes pass as they are.
"""

from functools import partial
from typing import Final, Protocol

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict
from yarl import URL

from rtc_server.app.workers.hop import ADDRESS, SCHEME
from rtc_server.app.workers.placement import STREAMS, Target, target_of
from rtc_server.app.workers.tunnel import WorkerGone, tunnel
from rtc_server.config import Settings
from rtc_server.errors import BodyTimeout, NotReady, PayloadTooLarge
from rtc_server.signaling.bodies import WRAPPED_LIMIT_BYTES, read_body
from rtc_server.signaling.http_app import common_headers, origin_policy
from rtc_server.signaling.origins import cors_headers
from rtc_server.signaling.problems import problem_middleware

HOP_BY_HOP: Final = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "expect", ADDRESS.lower(), SCHEME.lower(),
    }
)  # fmt: skip
TRIES: Final = 3
"""Workers that a request may lose."""
RETRY_S: Final = 1
WAIT: Final = aiohttp.ClientTimeout(total=None, sock_connect=5.0)
"""An answer may take as long as it takes: captions are a stream."""


class Workers(Protocol):
    """The workers, as the proxy needs them."""

    async def for_request(self, target: Target) -> tuple[int, str]:
        """Return the number and the socket of the worker for a request. Raises `NotReady`."""

    def opening(self, worker: int, change: int) -> None:
        """Count a call on its way to that worker (1), or that it is there or refused (-1)."""

    async def failed(self, worker: int) -> bool:
        """Return whether a worker to which a connection failed is gone; waits a moment for that."""

    async def exposition(self) -> str:
        """Return the metrics of all."""

    def check_ready(self) -> None:
        """Raise `NotReady` unless some worker takes calls."""


class Proxy:
    """HTTP application that passes each request to its worker."""

    def __init__(self, workers: Workers, settings: Settings) -> None:
        self._workers, self._prefix = workers, settings.http.path_prefix
        self._origins, self._headers = origin_policy(settings), common_headers(settings)

    def application(self) -> web.Application:
        """Return the application, which takes every address."""
        app = web.Application(middlewares=[problem_middleware()])
        app.router.add_route("*", "/{path:.*}", self._handle)

        async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
            # A worker's answer has all of them; this is for those that come from here.
            cors = cors_headers(self._origins, request.headers.get(hdrs.ORIGIN))
            for name, value in {**self._headers, **cors}.items():
                response.headers.setdefault(name, value)

        app.on_response_prepare.append(add_headers)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(self._prefix) if self._prefix else request.path
        reads = request.method in (hdrs.METH_GET, hdrs.METH_HEAD)
        if path == "/healthz" and reads:
            return web.json_response({"status": "ok"}, headers={hdrs.CACHE_CONTROL: "no-store"})
        if path == "/readyz":
            self._workers.check_ready()
        # Elsewhere the header has no effect, and is left out like all of this connection.
        is_requested = request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"
        upgrades = is_requested and request.method == hdrs.METH_GET and path in STREAMS
        target = target_of(request.method, path, request.query, upgrades=upgrades)
        body = b"" if upgrades else await read_body(request, WRAPPED_LIMIT_BYTES)
        for _ in range(TRIES):
            worker, socket_path = await self._workers.for_request(target)
            if target.opens:
                self._workers.opening(worker, 1)
            try:
                if upgrades:
                    arrived = partial(self._arrived, target, worker)
                    return await tunnel(request, _head(request), socket_path, arrived)
                metrics = path == "/metrics" and reads
                return await self._forward(request, body, socket_path, metrics=metrics)
            except WorkerGone:
                if not await self._workers.failed(worker):
                    break
            finally:
                if not upgrades:  # else it has said so itself
                    self._arrived(target, worker)
        raise NotReady("A part of the server is being restarted. Try again soon.", RETRY_S)

    def _arrived(self, target: Target, worker: int) -> None:
        if target.opens:
            self._workers.opening(worker, -1)

    async def _forward(
        self, request: web.Request, body: bytes, socket_path: str, *, metrics: bool
    ) -> web.StreamResponse:
        connector = aiohttp.UnixConnector(socket_path, force_close=True)
        async with aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            timeout=WAIT,
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as client:
            try:
                answer = await client.request(
                    request.method,
                    URL(f"http://worker{_raw_path(request)}", encoded=True),
                    headers=_headers(request),
                    data=body or None,
                    allow_redirects=False,
                    skip_auto_headers=(
                        hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.USER_AGENT, hdrs.CONTENT_TYPE,
                    ),
                )  # fmt: skip
            except aiohttp.ClientError as error:
                raise WorkerGone from error
            async with answer:
                if metrics and answer.status == web.HTTPOk.status_code:
                    return await self._metrics(answer)
                return await _relay(request, answer)

    async def _metrics(self, answer: aiohttp.ClientResponse) -> web.Response:
        """Return the metrics of all, to a request that one worker has let in."""
        response = web.Response(body=(await self._workers.exposition()).encode())
        response.headers[hdrs.CONTENT_TYPE] = answer.headers[hdrs.CONTENT_TYPE]
        return response


async def _relay(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """Return the worker's answer to the client, as it comes."""
    headers = CIMultiDict(
        (name, value) for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP
    )
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
    if answer.status in (PayloadTooLarge.status, BodyTimeout.status):
        response.force_close()
    await response.prepare(request)
    try:
        async for piece in answer.content.iter_any():
            await response.write(piece)
        await response.write_eof()
    except aiohttp.ClientError:  # the worker broke off: so do we, or the client would take it whole
        if request.transport is not None:
            request.transport.abort()
    return response


def _raw_path(request: web.Request) -> str:
    """Return path and query as the client wrote them, without scheme and host."""
    raw = request.raw_path
    return raw if raw.startswith("/") else request.rel_url.raw_path_qs


def _headers(request: web.Request) -> CIMultiDict[str]:
    """Return the client's headers but for those of its own connection, and ours."""
    named = {name.strip().lower() for name in request.headers.get(hdrs.CONNECTION, "").split(",")}
    left_out = HOP_BY_HOP | named | {"content-length"}
    headers = CIMultiDict(
        (name, value) for name, value in request.headers.items() if name.lower() not in left_out
    )
    headers[ADDRESS] = request.remote or ""
    headers[SCHEME] = request.scheme
    return headers


def _head(request: web.Request) -> bytes:
    """Return a request for an upgrade as bytes."""
    headers = _headers(request)
    headers[hdrs.CONNECTION] = "Upgrade"
    headers[hdrs.UPGRADE] = request.headers[hdrs.UPGRADE]
    lines = [f"{request.method} {_raw_path(request)} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")

"""The WebSocket endpoints: a session on the connection that requested it."""

import asyncio
import contextlib
import socket as sockets
from collections.abc import Callable
from dataclasses import replace

from aiohttp import WebSocketError, WSMsgType, hdrs, web

from rtc_server.clock import monotonic
from rtc_server.errors import RemoteError, RtcServerError
from rtc_server.metrics import Metrics
from rtc_server.session.session_api import Calls
from rtc_server.signaling.auth import caller_of
from rtc_server.signaling.bodies import last_seen, query_text, session_request
from rtc_server.transport.media_scheduler import MediaScheduler
from rtc_server.transport.reads import limit_read_bytes
from rtc_server.transport.transport_api import TransportObserver
from rtc_server.transport.transport_settings import TransportSettings
from rtc_server.transport.websocket.forms import Form
from rtc_server.transport.websocket.plain import PlainForm
from rtc_server.transport.websocket.socket_port import Control
from rtc_server.transport.websocket.translations import TranslationsForm
from rtc_server.transport.websocket.transport import WebSocketTransport

PLAIN_PATH = "/ws/audio"
TRANSLATIONS_PATH = "/v1/realtime/translations"

SUBPROTOCOL = "realtime"
"""Subprotocol that browser clients of OpenAI's API offer beside their key."""
CLOSE_ANSWER_S = 2.0
"""Time limit for the peer's answer to our close."""
SEND_BUFFER_BYTES = 64 * 1024
"""Of the kernel, for each connection: what lies there can no longer be dropped when the peer is
slow. Linux doubles it; that is four seconds of raw 16 kHz audio."""
UNSENT_BYTES = 4 * 1024
"""Of ours, before that: more, and a send waits until the peer reads."""
READ_BYTES = 64 * 1024
"""Size of a read's buffer. asyncio's 256 KiB are fresh pages from the system each time."""


class AiohttpSocket:
    """aiohttp's WebSocket as a `Socket`."""

    def __init__(self, response: web.WebSocketResponse, request: web.Request) -> None:
        self._response = response
        self._transport = request.transport

    async def receive(self) -> str | bytes | Control:
        """See `Socket.receive`."""
        message = await self._response.receive()
        match message.type:
            case WSMsgType.TEXT | WSMsgType.BINARY:
                data: str | bytes = message.data
                return data
            case WSMsgType.PING:
                with contextlib.suppress(ConnectionError):
                    await self._response.pong(message.data)
                return Control.ALIVE
            case WSMsgType.PONG:
                return Control.ALIVE
            case WSMsgType.CLOSE | WSMsgType.CLOSING:
                return Control.CLOSED
        return Control.CLOSED if isinstance(message.data, WebSocketError) else Control.LOST

    async def send(self, message: str | bytes) -> None:
        """See `Socket.send`."""
        if isinstance(message, str):
            await self._response.send_str(message)
        else:
            await self._response.send_bytes(message)

    async def ping(self) -> None:
        """See `Socket.ping`."""
        await self._response.ping()

    async def close(self) -> None:
        """See `Socket.close`."""
        try:
            async with asyncio.timeout(CLOSE_ANSWER_S):
                await self._response.close()
        except (TimeoutError, ConnectionError):
            self.abort()

    def abort(self) -> None:
        """See `Socket.abort`."""
        if self._transport is not None:
            self._transport.abort()


class WebSocketRoutes:
    """Handlers over `Calls`."""

    def __init__(
        self,
        calls: Calls,
        metrics: Metrics,
        settings: TransportSettings,
        scheduler: MediaScheduler,
    ) -> None:
        self._calls, self._metrics, self._settings = calls, metrics, settings
        self._scheduler = scheduler

    async def plain(self, request: web.Request) -> web.StreamResponse:
        """Serve raw PCM and events."""
        return await self._serve(request, PlainForm, stats=True)

    async def translations(self, request: web.Request) -> web.StreamResponse:
        """OpenAI's Realtime Translations."""
        return await self._serve(request, TranslationsForm, stats=False)

    async def _serve(
        self, request: web.Request, make_form: Callable[[], Form], *, stats: bool
    ) -> web.StreamResponse:
        """Refuse over HTTP while that is possible; then stay until the session is over."""
        form = make_form()
        response = web.WebSocketResponse(
            timeout=CLOSE_ANSWER_S,
            autoping=False,  # signs of life are the transport's business
            compress=False,
            protocols=(SUBPROTOCOL,),
            max_msg_size=form.max_message_bytes,
            writer_limit=UNSENT_BYTES,
        )

        async def upgrade(observer: TransportObserver) -> WebSocketTransport:
            await response.prepare(request)
            bound_buffers(request)
            return WebSocketTransport(
                AiohttpSocket(response, request),
                form,
                observer,
                dead_peer_timeout_s=self._settings.dead_peer_timeout_s,
                clock=monotonic,
                scheduler=self._scheduler,
            )

        try:
            _check_subprotocol(request)
            asked = caller_of(request).asking(session_request(None, request.query))
            resumed = query_text(request.query, "resume")
            if resumed is not None:
                caller_of(request).must_own(self._calls.owner(resumed))
            if not response.can_prepare(request):
                # A browser's WebSocket does not report why it was refused; this does, over HTTP.
                if resumed is None:
                    await self._calls.check_admission(asked)
                raise RemoteError("This address speaks WebSocket: connect with ws:// or wss://.")
            if resumed is not None:
                await self._calls.resume_stream(resumed, upgrade, last_seen(request.query))
            else:
                # It could not read its ticket, and would queue behind itself by its next GET.
                claimant = replace(asked.claimant, may_join=False)
                await self._calls.run_stream(
                    upgrade, replace(asked, stats=stats, claimant=claimant)
                )
        except RtcServerError as error:
            # A request for the line by an upgrade is repeated by GET, and counted there.
            if not ("queue" in request.query and response.can_prepare(request)):
                self._metrics.count_refusal(error)
            raise
        return response


def _check_subprotocol(request: web.Request) -> None:
    offered = request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL)
    # Looked at before aiohttp does, which would log the offer, and a key may stand in it.
    if offered is not None and SUBPROTOCOL not in map(str.strip, offered.split(",")):
        raise RemoteError(f"Offer the subprotocol {SUBPROTOCOL}, or none.")


def bound_buffers(request: web.Request) -> None:
    """Keep what waits for a WebSocket's client short, in the kernel and here."""
    transport = request.transport
    if transport is None:  # gone already; the first receive reports it
        return
    transport.set_write_buffer_limits(high=UNSENT_BYTES)
    limit_read_bytes(transport, READ_BYTES)
    connection = transport.get_extra_info("socket")
    if connection is None:
        return
    with contextlib.suppress(OSError):  # as above
        connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, SEND_BUFFER_BYTES)

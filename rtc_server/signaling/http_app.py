"""aiohttp application: the parts behind `route_table`, and what every answer has in common."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

from aiohttp import hdrs, web

from rtc_server.background import beside
from rtc_server.clock import monotonic, wall
from rtc_server.interpreter.interpreter_settings import InterpreterSettings
from rtc_server.metrics import Metrics
from rtc_server.resources import resource_folder
from rtc_server.rooms.room_api import Rooms
from rtc_server.rooms.room_settings import RoomSettings
from rtc_server.session.session_api import Calls, Catalogue, Readiness
from rtc_server.signaling.access_settings import AccessSettings
from rtc_server.signaling.auth import AccessControl
from rtc_server.signaling.calls import CallRoutes
from rtc_server.signaling.client_secrets import ClientSecretRoutes
from rtc_server.signaling.description import DescriptionRoutes
from rtc_server.signaling.http_settings import HttpSettings
from rtc_server.signaling.info import InfoRoutes
from rtc_server.signaling.key_ring import KeyRing
from rtc_server.signaling.negotiation import Negotiation
from rtc_server.signaling.origins import OriginPolicy, cors_headers
from rtc_server.signaling.page import PageRoutes
from rtc_server.signaling.problems import problem_middleware
from rtc_server.signaling.proxies import (
    TrustedProxies,
    as_the_client_sees,
    proxy_middleware,
)
from rtc_server.signaling.request_rates import OwnRates, RequestRates
from rtc_server.signaling.rooms import RoomRoutes
from rtc_server.signaling.route_table import (
    access_by_name,
    add_routes,
    routes_of_rooms,
    routes_of_the_server,
)
from rtc_server.signaling.secret_signer import SecretSigner, server_key
from rtc_server.signaling.websocket import WebSocketRoutes
from rtc_server.signaling.whep import whep_routes
from rtc_server.signaling.whip import whip_routes
from rtc_server.transport.media_scheduler import MediaScheduler
from rtc_server.transport.transport_settings import TransportSettings

KEY_FILE_CHECK_S = 1.0
"""Interval at which the key file is looked at."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Everything from here, nothing inline: a caption that holds markup stays text."""

COMMON_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), display-capture=(self), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    hdrs.SERVER: "rtc-server",
}
"""On every answer, errors included."""


HSTS_S = 180 * 86_400
"""For how long a browser that came by HTTPS comes by nothing else. Not for subdomains, which may be
another's."""


class HttpSections(Protocol):
    """Sections of the settings that HTTP reads."""

    @property
    def http(self) -> HttpSettings:
        """Addresses, TLS, proxies."""

    @property
    def access(self) -> AccessSettings:
        """Keys and origins."""

    @property
    def transport(self) -> TransportSettings:
        """ICE servers, for clients."""

    @property
    def interpreter(self) -> InterpreterSettings:
        """Defaults of a session, to be shown."""

    @property
    def rooms(self) -> RoomSettings:
        """Links of rooms."""


def make_http_app(
    calls: Calls,
    readiness: Readiness,
    catalogue: Catalogue,
    metrics: Metrics,
    settings: HttpSections,
    *,
    rooms: Rooms | None = None,
    rates: RequestRates | None = None,
    page_folder: Path | None = None,
    scheduler: MediaScheduler | None = None,
) -> web.Application:
    """Return the application of everything that is served over HTTP. Runs alone, or below a prefix
    by ``add_subapp``.

    Without `rooms` there are no routes of rooms. `page_folder` is served instead of the page that
    comes with this package. `rates`: of one process of several, what counts for all of them.
    `scheduler` ticks for sessions that come by WebSocket; the one of all others, or one of their
    own.
    """
    rates = rates or OwnRates(monotonic)
    ring = key_ring(settings)
    secret_key_file = settings.access.secret_key_file
    signer = SecretSigner(
        server_key(Path(secret_key_file) if secret_key_file else None),
        lambda key_id: key.digest if (key := ring.by_id(key_id)) else None,
    )
    origins = origin_policy(settings)
    proxies = TrustedProxies.named(settings.http.trusted_proxies)
    ice = settings.transport.ice()
    negotiation = Negotiation(metrics, ice, wall)
    page = PageRoutes(page_folder or resource_folder("static"))
    routes = routes_of_the_server(
        call=CallRoutes(calls, negotiation, rates),
        secret=ClientSecretRoutes(calls, catalogue, ring, signer, ice, rates=rates, wall=wall),
        socket=WebSocketRoutes(calls, metrics, settings.transport, scheduler or MediaScheduler()),
        info=InfoRoutes(readiness, catalogue, metrics, settings.interpreter, rates),
        description=DescriptionRoutes(),
        page=page,
    )
    if rooms is not None:
        room = RoomRoutes(
            rooms,
            signer,
            page,
            link_hours=settings.rooms.room_link_hours,
            rates=rates,
            wall=wall,
        )
        routes += routes_of_rooms(
            room, whip_routes(rooms, negotiation), whep_routes(rooms, negotiation)
        )
    access = access_by_name(routes)
    control = AccessControl(
        ring,
        signer,
        origins,
        access,
        proxies=proxies,
        rates=rates,
        clock=monotonic,
        wall=wall,
    )
    app = web.Application(
        middlewares=[proxy_middleware(proxies), problem_middleware(), control.middleware()]
    )
    app.cleanup_ctx.append(_watching_keys(ring, calls))
    add_routes(app.router, routes)

    headers = common_headers(settings)

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(headers)
        response.headers.update(cors_headers(origins, request.headers.get(hdrs.ORIGIN)))
        if hdrs.LOCATION in response.headers:
            location = as_the_client_sees(request, response.headers[hdrs.LOCATION])
            response.headers[hdrs.LOCATION] = location

    app.on_response_prepare.append(add_headers)
    return app


def origin_policy(settings: HttpSections) -> OriginPolicy:
    """Return the rules about origins that the settings name."""
    return OriginPolicy(
        cors_origins=settings.access.cors_origins,
        server_names=settings.access.server_names,
        loopback=settings.http.is_loopback(),
    )


def common_headers(settings: HttpSections) -> dict[str, str]:
    """Return the headers of every answer of a server with these settings."""
    headers = dict(COMMON_HEADERS)
    if settings.http.tls_cert:
        headers["Strict-Transport-Security"] = f"max-age={HSTS_S}"
    return headers


def key_ring(settings: HttpSections) -> KeyRing:
    """Return the keys that the settings name. Raises `ConfigError` when their file
    cannot be read.
    """
    access = settings.access
    path = Path(access.api_keys) if access.api_keys else None
    return KeyRing(
        settings.http.api_key, path, access.key_limits(), page=access.page_access == "open"
    )


def _watching_keys(ring: KeyRing, calls: Calls) -> Callable[[web.Application], AsyncIterator[None]]:
    """Return a context that looks at the key file while the application runs; a revoked key's
    sessions end.
    """

    async def watch() -> None:
        while True:
            await asyncio.sleep(KEY_FILE_CHECK_S)
            for key_id in ring.reload():
                calls.revoke(key_id)

    async def watching(_app: web.Application) -> AsyncIterator[None]:
        async with beside(watch(), name="key file"):
            yield

    return watching

"""The aiohttp application: routes, and what every answer has in common."""

from pathlib import Path

from aiohttp import hdrs, web

from rtc_server.config import Settings
from rtc_server.ice import parse_ice_server
from rtc_server.metrics import Metrics
from rtc_server.resources import resource_folder
from rtc_server.session.base import Calls, Catalogue, Readiness
from rtc_server.signaling.auth import auth_middleware
from rtc_server.signaling.calls import CallRoutes
from rtc_server.signaling.info import InfoRoutes
from rtc_server.signaling.page import PageRoutes
from rtc_server.signaling.problems import problem_middleware

PUBLIC_ROUTES = frozenset({"page", "static", "healthz", "readyz"})
"""Names of the routes that never need a key: the page asks for one, probes have none."""

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
    "Permissions-Policy": "microphone=(self), display-capture=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    hdrs.SERVER: "rtc-server",
}
"""On every answer, errors included."""


def make_http_app(
    calls: Calls,
    readiness: Readiness,
    catalogue: Catalogue,
    metrics: Metrics,
    settings: Settings,
    *,
    page_folder: Path | None = None,
) -> web.Application:
    """Everything that is served over HTTP. Runs alone, or below a prefix by ``add_subapp``.

    `page_folder` is served instead of the page that comes with this package.
    """
    app = web.Application(
        middlewares=[problem_middleware(), auth_middleware(settings.http.api_key, PUBLIC_ROUTES)]
    )
    ice_servers = [parse_ice_server(text) for text in settings.transport.ice_servers]
    CallRoutes(calls, metrics, ice_servers).add_to(app.router)
    InfoRoutes(readiness, catalogue, metrics, settings.interpreter).add_to(app.router)
    PageRoutes(page_folder or resource_folder("static")).add_to(app.router)
    app.on_response_prepare.append(_add_common_headers)
    return app


async def _add_common_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(COMMON_HEADERS)

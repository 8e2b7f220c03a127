"""Two headers from the supervisor to a worker, about the client that the Unix socket hides.

Only the supervisor reaches the worker's socket, and it removes these headers from clients'
requests. Behind the middleware a request looks as if its client had connected to the worker.
"""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from rtc_server.signaling.proxies import CLIENT

ADDRESS = "X-Rtc-Address"
"""Header with the IP address of the client's connection."""
SCHEME = "X-Rtc-Scheme"
"""Header with ``http`` or ``https``."""


def hop_middleware() -> Middleware:
    """Return the middleware that stands before all others in a worker."""

    @web.middleware
    async def behind_supervisor(request: web.Request, handler: Handler) -> web.StreamResponse:
        address = request.headers.get(ADDRESS, "")
        clone = request.clone(remote=address, scheme=request.headers.get(SCHEME, "http"))
        try:
            return await handler(clone)
        finally:
            request[CLIENT] = clone.get(CLIENT, address)  # for the access log

    return behind_supervisor

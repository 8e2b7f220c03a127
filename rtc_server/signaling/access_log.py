"""One line for each request. Never a query, a session id, a token or an address beyond the peer's.

The route is logged as it was declared (``…/calls/{session_id}``), so that nothing a caller typed
reaches the log.
"""

import logging

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from rtc_server.clock import monotonic
from rtc_server.signaling.log_limit import LogLimit


def route_name(request: web.BaseRequest) -> str:
    """The declared path of the route that answered, or what stands for it."""
    if isinstance(request, web.Request):
        resource = request.match_info.route.resource
        if resource is not None:
            return resource.canonical
    return "(no route)"


class AccessLog(AbstractAccessLogger):
    """Give it to `aiohttp.web.AppRunner` as ``access_log_class``."""

    def __init__(self, logger: logging.Logger, log_format: str) -> None:
        super().__init__(logger, log_format)
        self._errors = LogLimit(burst=20, per_second=2)

    @property
    def enabled(self) -> bool:
        """Whether anybody reads the lines."""
        return self.logger.isEnabledFor(logging.INFO)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write the line; failures are rate-limited."""
        more = ""
        if response.status >= 400:
            held_back = self._errors.admit(monotonic())
            if held_back is None:
                return
            more = f" ({held_back} failed requests before it not logged)" if held_back else ""
        self.logger.info(
            "%s %s %s %d %d bytes %.0f ms%s",
            request.remote,
            request.method,
            route_name(request),
            response.status,
            response.body_length,
            time * 1000,
            more,
        )

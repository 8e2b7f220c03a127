"""Access log: requests without their query, session id, token and headers.

Routes are logged as they were declared (``…/calls/{session_id}``), so that nothing a caller typed
reaches the log.
"""

import contextlib
import logging

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError

from rtc_server.clock import monotonic
from rtc_server.limits import LogLimit
from rtc_server.signaling.proxies import CLIENT

THEIRS = (HttpProcessingError, ConnectionError)
"""Exceptions of aiohttp's for a client that sends what is no HTTP, or has left."""
QUIET = frozenset({"healthz", "readyz", "static"})
"""Names of routes that are polled; their answers below 400 are not logged."""


def route_name(request: web.BaseRequest) -> str:
    """Return the declared path of the route that answered, or what stands for it."""
    try:
        resource = _resource(request)
    except (AssertionError, AttributeError):
        return "(not HTTP)"  # refused by the parser: never came to be routed
    return resource.canonical if resource is not None else "(no route)"


def _resource(request: web.BaseRequest) -> web.AbstractResource | None:
    return request.match_info.route.resource if isinstance(request, web.Request) else None


def _resource_name(request: web.BaseRequest) -> str | None:
    with contextlib.suppress(AssertionError, AttributeError):
        resource = _resource(request)
        return resource.name if resource is not None else None
    return None


class AccessLog(AbstractAccessLogger):
    """One line for each request. Give it to `aiohttp.web.AppRunner` as ``access_log_class``."""

    def __init__(self, logger: logging.Logger, log_format: str) -> None:
        super().__init__(logger, log_format)
        self._errors = LogLimit(burst=20, per_second=2)

    @property
    def enabled(self) -> bool:
        """True if anybody reads the lines."""
        return self.logger.isEnabledFor(logging.INFO)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write the line, unless nobody would miss it; failures are rate-limited."""
        more = ""
        if response.status < 400 and _resource_name(request) in QUIET:
            return
        if response.status >= 400:
            held_back = self._errors.admit(monotonic())
            if held_back is None:
                return
            more = f" ({held_back} failed requests before it not logged)" if held_back else ""
        self.logger.info(
            "%s %s %s %d %d bytes %.0f ms%s",
            request.get(CLIENT, request.remote),
            request.method,
            route_name(request),
            response.status,
            response.body_length,
            time * 1000,
            more,
        )


class ServerLogFilter(logging.Filter):
    """For aiohttp's own logger, which would quote whatever it could not parse, keys included.

    Leaves the sentence and the type of the exception, and rate-limits them. That a client sent what
    is no HTTP, or left before its answer, is no error of ours.
    """

    def __init__(self) -> None:
        super().__init__()
        self._limit = LogLimit(burst=10, per_second=0.2)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is written; remove from it what must not be logged."""
        if record.exc_info and isinstance(record.exc_info[1], THEIRS):
            record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
            if not logging.getLogger(record.name).isEnabledFor(record.levelno):
                return False
        if self._limit.admit(monotonic()) is None:
            return False
        if record.exc_info and record.exc_info[0]:
            record.msg = f"{record.getMessage()} ({record.exc_info[0].__qualname__})"
            record.args = None
        record.exc_info = record.exc_text = None
        return True


def server_logger() -> logging.Logger:
    """Give it to `aiohttp.web.AppRunner` as ``logger``."""
    logger = logging.getLogger("rtc_server.http")
    if not any(isinstance(known, ServerLogFilter) for known in logger.filters):
        logger.addFilter(ServerLogFilter())
    return logger

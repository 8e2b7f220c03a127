"""Every error as problem JSON (RFC 9457) with OpenAI's ``error`` object beside it."""

import asyncio
import logging
import traceback
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from msgspec import UNSET

from rtc_server.clock import monotonic
from rtc_server.errors import (
    AdmissionRefused,
    BodyTimeout,
    EngineError,
    LineTicket,
    PayloadTooLarge,
    RemoteError,
    RtcServerError,
    Unauthorized,
    UnsupportedMedia,
)
from rtc_server.limits import LogLimit
from rtc_server.signaling.response_bodies import Problem, ProblemError, json_text

_log = logging.getLogger(__name__)

ENGINE_RETRY_AFTER_S = 2
"""An engine's process is usually back within this."""

_ROUTING = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not answer {method}; it answers {allow}."),
    413: (PayloadTooLarge.code, "The request is too large."),
}
"""Errors of aiohttp itself, as code and sentence."""
_TITLES = {
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
}
"""Phrases that Python 3.13 renamed after RFC 9110: a client sees the same from every Python."""
_REALTIME = "/v1/realtime"
_TRANSLATIONS = f"{_REALTIME}/translations"
_ELSEWHERE = {
    "": _TRANSLATIONS,
    "/calls": f"{_TRANSLATIONS}/calls",
    "/client_secrets": f"{_TRANSLATIONS}/client_secrets",
    "/sessions": f"{_TRANSLATIONS}/client_secrets",
}
"""Addresses of OpenAI's conversation API, behind `_REALTIME`, and what this server has instead."""


def problem(
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str] | None = None,
    line_ticket: LineTicket | None = None,
) -> web.Response:
    """Return an error response. `message` is a sentence for people; nothing internal.
    `line_ticket`: of a caller that waits in line.
    """
    kind = "invalid_request_error" if status < 500 else "server_error"
    body = Problem(
        "about:blank",
        _TITLES.get(status) or HTTPStatus(status).phrase,
        status,
        message,
        ProblemError(kind, code, message),
        UNSET if line_ticket is None else line_ticket,
    )
    response = web.Response(
        status=status,
        text=json_text(body),
        content_type="application/problem+json",
        headers={**(headers or {}), hdrs.CACHE_CONTROL: "no-store"},
    )
    if status in (PayloadTooLarge.status, BodyTimeout.status):
        response.force_close()  # the rest of the body is still on its way
    return response


def problem_of(error: RtcServerError, method: str) -> web.Response:
    """Return the response that an error of ours becomes, to a request with `method`."""
    headers: dict[str, str] = {}
    line_ticket: LineTicket | None = None
    status = HTTPStatus.SERVICE_UNAVAILABLE.value
    match error:
        case Unauthorized():
            status = error.status
            headers[hdrs.WWW_AUTHENTICATE] = 'Bearer realm="rtc-server"'
        case UnsupportedMedia():
            status = error.status
            accept = "Accept-Patch" if method == hdrs.METH_PATCH else "Accept-Post"
            headers[accept] = ", ".join(error.accepted)
        case RemoteError():
            status = error.status
        case AdmissionRefused():
            status = error.status
            headers[hdrs.RETRY_AFTER] = str(error.retry_after_s)
            line_ticket = error.line_ticket
        case EngineError():
            if error.retryable:
                headers[hdrs.RETRY_AFTER] = str(ENGINE_RETRY_AFTER_S)
        case _:
            return internal_error()
    return problem(status, error.code, str(error), headers, line_ticket)


def internal_error() -> web.Response:
    """Return a fault of the server, without its place in the code."""
    return problem(
        500, RtcServerError.code, "Something went wrong in the server. Its log says what."
    )


def client_is_gone(request: web.Request) -> bool:
    """Return whether nobody is left to read the answer."""
    return request.transport is None or request.transport.is_closing()


def problem_middleware() -> Middleware:
    """Return the outermost middleware: nothing leaves as an exception or as a page of aiohttp's."""
    tracebacks = LogLimit(burst=10, per_second=0.2)

    @web.middleware
    async def answer_with_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return _refused_by_aiohttp(request, error)
        except RtcServerError as error:
            return problem_of(error, request.method)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if isinstance(error, ConnectionError) and client_is_gone(request):
                raise
            held_back = tracebacks.admit(monotonic())
            if held_back is not None:
                # Type and location only: the exception's text may quote an offer or a path.
                location = "".join(traceback.format_tb(error.__traceback__))
                kind = type(error).__qualname__
                _log.error(
                    "A request failed (%d more not logged): %s\n%s", held_back, kind, location
                )
            return internal_error()

    return answer_with_problems


def _refused_by_aiohttp(request: web.Request, error: web.HTTPException) -> web.Response:
    allow = error.headers.get(hdrs.ALLOW, "")
    code, sentence = _ROUTING.get(
        error.status, ("invalid_request", HTTPStatus(error.status).description or error.reason)
    )
    message = sentence.format(method=request.method, allow=allow.replace(",", ", "))
    if error.status == HTTPStatus.NOT_FOUND:
        message += _hint(request.path)
    return problem(error.status, code, message, {hdrs.ALLOW: allow} if allow else None)


def _hint(path: str) -> str:
    """Return a further sentence for an address that is nearly right, or nothing."""
    plain = path.rstrip("/")
    _, realtime, rest = plain.rpartition(_REALTIME)
    if realtime and rest in _ELSEWHERE:
        return (
            f" This server interprets: it has the Realtime Translations API, at {_ELSEWHERE[rest]}."
        )
    if plain and plain != path:
        return " Addresses here do not end with a slash."
    return ""

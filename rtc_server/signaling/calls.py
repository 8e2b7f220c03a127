"""The call endpoints: offer in, answer out; trickle; another peer for a session; its
transcript; hang up."""

import contextlib
from enum import StrEnum
from typing import TypeVar

from aiohttp import hdrs, web

from rtc_server.clock import Clock
from rtc_server.errors import RemoteError, RtcServerError, UnknownSession
from rtc_server.ice import IceServer, IceServers
from rtc_server.metrics import Metrics
from rtc_server.session.session_api import Calls, OpenedCall
from rtc_server.session.subtitles import CONTENT_TYPES, Format, Side, written
from rtc_server.signaling.auth import caller_of
from rtc_server.signaling.bodies import (
    SDP,
    last_seen,
    read_call,
    read_fragment,
    session_request,
)

PATH = "/v1/realtime/translations/calls"
CALLS = "calls"
"""Name of the route that opens calls."""
ONE_CALL = "call"
"""Name of the route of one call, for its Location."""
RESUME = "resume"
"""Name of the route that gives a call another peer."""
TRANSCRIPT = "transcript"
"""Name of the route that tells what was said in a call."""


class CallRoutes:
    """Handlers over `Calls`."""

    def __init__(self, calls: Calls, metrics: Metrics, ice: IceServers, wall: Clock) -> None:
        """`ice`: what the client may use, handed out with each answer."""
        self._calls = calls
        self._metrics = metrics
        self._ice, self._wall = ice, wall

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Declare the routes."""
        router.add_post(PATH, self.open, name=CALLS)
        one = router.add_resource(PATH + "/{session_id}", name=ONE_CALL)
        one.add_route(hdrs.METH_PATCH, self.trickle)
        one.add_route(hdrs.METH_DELETE, self.close)
        router.add_post(PATH + "/{session_id}/resume", self.resume, name=RESUME)
        router.add_get(PATH + "/{session_id}/transcript", self.transcript, name=TRANSCRIPT)

    async def open(self, request: web.Request) -> web.StreamResponse:
        """``POST``: 201 with the answer. A client that left meanwhile leaves no session."""
        try:
            body = await read_call(request)
            wanted = caller_of(request).asking(session_request(body.session, request.query))
            opened = await self._calls.open_call(body.offer_sdp, wanted)
        except RtcServerError as error:
            self._metrics.calls_refused.labels(error.code).inc()
            raise
        response = self._answer(request, opened)
        try:
            # Sent here and not after the return: only here a client that left can be told.
            await response.prepare(request)
            await response.write_eof()
        except BaseException:
            with contextlib.suppress(UnknownSession):
                await self._calls.close_call(opened.session_id, drain=False)
            raise
        return response

    async def resume(self, request: web.Request) -> web.StreamResponse:
        """``POST``: 201 with the answer of a new peer, as for a new call.

        A client that left meanwhile has its session for as long as after a loss.
        """
        session_id, seen = self._own(request), last_seen(request.query)
        body = await read_call(request)
        opened = await self._calls.resume_call(session_id, body.offer_sdp, seen)
        return self._answer(request, opened)

    async def trickle(self, request: web.Request) -> web.StreamResponse:
        """``PATCH``: more candidates; 204."""
        fragment, etag = await read_fragment(request), _if_match(request)
        await self._calls.trickle(self._own(request), fragment, etag)
        return web.Response(status=204)

    async def transcript(self, request: web.Request) -> web.StreamResponse:
        """``GET``: what was understood so far, as a file; also shortly after the end."""
        session_id = self._own(request)
        form = _choice(request, "format", Format.TXT)
        side = _choice(request, "side", Side.BOTH)
        text = written(self._calls.transcript(session_id), form, side)
        return web.Response(
            text=text,
            content_type=CONTENT_TYPES[form],
            charset="utf-8",
            headers={
                hdrs.CACHE_CONTROL: "no-store",
                hdrs.CONTENT_DISPOSITION: f'attachment; filename="transcript.{form}"',
            },
        )

    async def close(self, request: web.Request) -> web.StreamResponse:
        """``DELETE``: 200 when it is over."""
        drain = request.query.get("drain", "0")
        if drain not in ("0", "1"):
            raise RemoteError("The query parameter drain must be 0 or 1.")
        await self._calls.close_call(self._own(request), drain=drain == "1")
        return web.Response(status=200)

    def _answer(self, request: web.Request, opened: OpenedCall) -> web.Response:
        response = web.Response(status=201, text=opened.answer_sdp, content_type=SDP)
        location = request.app.router[ONE_CALL].url_for(session_id=opened.session_id)
        response.headers[hdrs.LOCATION] = str(location)
        response.headers[hdrs.CACHE_CONTROL] = "no-store"
        response.etag = opened.etag
        expires_at = int(self._wall()) + self._ice.credential_s
        for server in self._ice.for_client(opened.session_id, expires_at):
            response.headers.add(hdrs.LINK, ice_link(server))
        return response

    def _own(self, request: web.Request) -> str:
        """Return the id of the session in the path, which the caller must have opened."""
        session_id = request.match_info["session_id"]
        caller_of(request).must_own(self._calls.owner(session_id))
        return session_id


def ice_link(server: IceServer) -> str:
    """Return the ``Link`` header value of RFC 9725 §4.6."""
    link = f'<{server.url}>; rel="ice-server"'
    if server.username:
        link += (
            f"; username={_quoted(server.username)}; credential={_quoted(server.credential)}"
            '; credential-type="password"'
        )
    return link


def _quoted(text: str) -> str:
    """Return a quoted-string of RFC 9110 §5.6.4; what cannot stand in one is dropped."""
    kept = "".join(c for c in text if c.isprintable())
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'


Choice = TypeVar("Choice", bound=StrEnum)


def _choice(request: web.Request, key: str, default: Choice) -> Choice:
    """Return a query parameter that takes one of a few words."""
    given = request.query.get(key, default.value)
    try:
        return type(default)(given)
    except ValueError:
        known = ", ".join(type(default))
        raise RemoteError(f"The query parameter {key} must be one of {known}.") from None


def _if_match(request: web.Request) -> str | None:
    """Return the one ETag of If-Match; None when it is absent or ``*``."""
    if hdrs.IF_MATCH not in request.headers:
        return None
    tags = request.if_match or ()
    if len(tags) != 1 or tags[0].is_weak:
        raise RemoteError('If-Match must name one ETag in quotes, such as "abc".')
    return None if tags[0].value == "*" else tags[0].value

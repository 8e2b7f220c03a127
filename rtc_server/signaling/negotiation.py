"""Answers to SDP offers over HTTP, the same for calls, WHIP (RFC 9725) and WHEP.

A POST with an offer is answered by 201 with ``Location``, a strong ``ETag`` and one ``Link`` for
each ICE server; whoever left meanwhile leaves nothing behind. A PATCH names the ETag that it
refers to.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from aiohttp import hdrs, web

from rtc_server.clock import Clock
from rtc_server.errors import RemoteError, RtcServerError, UnknownRoom, UnknownSession
from rtc_server.ice import IceServer, IceServers
from rtc_server.metrics import Metrics
from rtc_server.session.session_api import OpenedCall
from rtc_server.signaling.bodies import SDP


class Negotiation:
    """Makes and sends the answers."""

    def __init__(self, metrics: Metrics, ice: IceServers, wall: Clock) -> None:
        """`ice`: what the client may use, handed out with each answer."""
        self._metrics, self._ice, self._wall = metrics, ice, wall

    @contextmanager
    def counting_refusals(self) -> Iterator[None]:
        """Count what is refused in the block, by its code."""
        try:
            yield
        except RtcServerError as error:
            self._metrics.count_refusal(error)
            raise

    def answer(
        self, request: web.Request, opened: OpenedCall, route: str, **path: str
    ) -> web.Response:
        """Return the answer of a peer that exists; `route` and `path` are its address."""
        response = web.Response(status=201, text=opened.answer_sdp, content_type=SDP)
        response.headers[hdrs.LOCATION] = str(request.app.router[route].url_for(**path))
        response.headers[hdrs.CACHE_CONTROL] = "no-store"
        response.etag = opened.etag
        expires_at = int(self._wall()) + self._ice.credential_s
        for server in self._ice.for_client(opened.session_id, expires_at):
            response.headers.add(hdrs.LINK, ice_link(server))
        return response


async def send_or_undo(
    request: web.Request, response: web.Response, undo: Callable[[], Awaitable[None]]
) -> web.Response:
    """Send an answer, and `undo` what it is about when its client has left.

    Sent here and not after the handler's return: only here a client that left can be noticed.
    """
    try:
        await response.prepare(request)
        await response.write_eof()
    except BaseException:
        with suppress(UnknownSession, UnknownRoom):
            await undo()
        raise
    return response


def if_match(request: web.Request) -> str | None:
    """Return the one ETag of If-Match, unquoted, or ``*``; None when there is no such header."""
    if hdrs.IF_MATCH not in request.headers:
        return None
    tags = request.if_match or ()
    if len(tags) != 1 or tags[0].is_weak:
        raise RemoteError('If-Match must name one ETag in quotes, such as "abc".')
    return tags[0].value


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

"""Common part of WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep).

Both take an offer by ``POST`` and answer 201 with ``Location``, a strong ``ETag`` and the ICE
servers; candidates follow by ``PATCH``, and ``DELETE`` ends it. ``GET`` succeeds and says nothing.
"""

import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import hdrs, web

from rtc_server.clock import Clock
from rtc_server.errors import (
    EtagMissing,
    RemoteError,
    RtcServerError,
    UnknownRoom,
    UnknownSession,
    UnsupportedMedia,
)
from rtc_server.ice import IceServers
from rtc_server.metrics import Metrics
from rtc_server.rooms.room_api import Rooms
from rtc_server.session.session_api import OpenedCall
from rtc_server.signaling.auth import caller_of
from rtc_server.signaling.bodies import (
    OFFER_LIMIT_BYTES,
    SDP,
    SDP_FRAGMENT,
    read_body,
    read_fragment,
)
from rtc_server.signaling.calls import ice_link
from rtc_server.signaling.origins import preflight_answer

ROOM_NAME = "[A-Za-z0-9_-]{1,64}"
"""It needs no escaping, and fits into a link that is read out."""
ROOM = f"{{room:{ROOM_NAME}}}"
"""A room's name in a path."""

OpenPeer: TypeAlias = Callable[[web.Request, str, str], Awaitable[OpenedCall]]
"""Opens what a POST to a room asks for: the request, the room, the offer."""


class PeerRoutes:
    """The endpoint of one protocol and its sessions."""

    def __init__(
        self,
        protocol: str,
        open_peer: OpenPeer,
        rooms: Rooms,
        *,
        metrics: Metrics,
        ice: IceServers,
        wall: Clock,
    ) -> None:
        """`protocol`: ``whip`` or ``whep``, as in the path."""
        self._protocol, self._open_peer = protocol, open_peer
        self._rooms, self._metrics = rooms, metrics
        self._ice, self._wall = ice, wall

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Declare the routes. OPTIONS has resources of its own: it asks for no key."""
        endpoint, session = f"/{self._protocol}/{ROOM}", f"/{self._protocol}/{ROOM}/{{peer}}"
        name = self._protocol
        one = router.add_resource(endpoint, name=name)
        one.add_route(hdrs.METH_POST, self.open)
        one.add_route(hdrs.METH_GET, self.nothing)
        router.add_resource(endpoint, name=f"{name}_options").add_route(
            hdrs.METH_OPTIONS, self.endpoint_options
        )
        two = router.add_resource(session, name=f"{name}_session")
        two.add_route(hdrs.METH_PATCH, self.trickle)
        two.add_route(hdrs.METH_DELETE, self.close)
        two.add_route(hdrs.METH_GET, self.own_nothing)
        router.add_resource(session, name=f"{name}_session_options").add_route(
            hdrs.METH_OPTIONS, self.session_options
        )

    async def open(self, request: web.Request) -> web.StreamResponse:
        """``POST``: 201 with the answer. A client that left meanwhile leaves nothing behind."""
        room = request.match_info["room"]
        try:
            opened = await self._open_peer(request, room, await _read_offer(request))
        except RtcServerError as error:
            self._metrics.calls_refused.labels(error.code).inc()
            raise
        response = web.Response(status=201, text=opened.answer_sdp, content_type=SDP)
        resource = request.app.router[f"{self._protocol}_session"]
        response.headers[hdrs.LOCATION] = str(resource.url_for(room=room, peer=opened.session_id))
        response.headers[hdrs.CACHE_CONTROL] = "no-store"
        response.etag = opened.etag
        expires_at = int(self._wall()) + self._ice.credential_s
        for server in self._ice.for_client(opened.session_id, expires_at):
            response.headers.add(hdrs.LINK, ice_link(server))
        try:
            await response.prepare(request)
            await response.write_eof()
        except BaseException:
            with contextlib.suppress(UnknownSession, UnknownRoom):
                await self._rooms.hang_up(room, opened.session_id)
            raise
        return response

    async def trickle(self, request: web.Request) -> web.StreamResponse:
        """``PATCH``: more candidates; 204."""
        fragment = await read_fragment(request)
        await self._rooms.trickle(*self._own(request), fragment, _etag(request))
        return web.Response(status=204)

    async def close(self, request: web.Request) -> web.StreamResponse:
        """``DELETE``: 200 when it is over, whatever If-Match says."""
        await self._rooms.hang_up(*self._own(request))
        return web.Response(status=200)

    async def nothing(self, _request: web.Request) -> web.StreamResponse:
        """``GET``: there is nothing to be read here (RFC 9725 §4)."""
        return web.Response(status=204)

    async def own_nothing(self, request: web.Request) -> web.StreamResponse:
        """``GET`` of a session, which must be there."""
        self._own(request)
        return web.Response(status=204)

    async def endpoint_options(self, request: web.Request) -> web.StreamResponse:
        """``OPTIONS``: for browsers that ask first, and for whoever wants to know what to send."""
        return _options(request, hdrs.METH_GET, hdrs.METH_POST, accept=("Accept-Post", SDP))

    async def session_options(self, request: web.Request) -> web.StreamResponse:
        """``OPTIONS`` of a session, the same whether it is there or not."""
        fragment = ("Accept-Patch", SDP_FRAGMENT)
        return _options(request, hdrs.METH_DELETE, hdrs.METH_GET, hdrs.METH_PATCH, accept=fragment)

    def _own(self, request: web.Request) -> tuple[str, str]:
        """Return room and peer of the path, which the caller must have opened."""
        room, peer = request.match_info["room"], request.match_info["peer"]
        caller_of(request).must_own(self._rooms.owner(room, peer))
        return room, peer


async def _read_offer(request: web.Request) -> str:
    if request.content_type.lower() != SDP:
        raise UnsupportedMedia(SDP)
    try:
        return (await read_body(request, OFFER_LIMIT_BYTES)).decode()
    except UnicodeDecodeError:
        raise RemoteError("The offer is not UTF-8 text.") from None


def _etag(request: web.Request) -> str:
    """Return the one ETag of If-Match, or ``*``."""
    if hdrs.IF_MATCH not in request.headers:
        raise EtagMissing("Send If-Match with the ETag of the answer.")
    tags = request.if_match or ()
    if len(tags) != 1 or tags[0].is_weak:
        raise RemoteError('If-Match must name one ETag in quotes, such as "abc".')
    return tags[0].value


def _options(request: web.Request, *methods: str, accept: tuple[str, str]) -> web.Response:
    answer = preflight_answer(request, [*methods, hdrs.METH_OPTIONS])
    name, media_type = accept
    answer.set_status(200)
    answer.headers[hdrs.ALLOW] = ", ".join([*methods, hdrs.METH_OPTIONS])
    answer.headers[name] = media_type
    return answer

"""Common part of WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep).

Both take an offer by ``POST`` (`negotiation` makes the answer); candidates follow by ``PATCH``, and
``DELETE`` ends it. ``GET`` succeeds without a body.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from aiohttp import hdrs, web

from rtc_server.errors import EtagMissing, RemoteError, UnsupportedMedia
from rtc_server.rooms.room_api import Rooms
from rtc_server.session.session_api import OpenedCall
from rtc_server.signaling.auth import caller_of
from rtc_server.signaling.bodies import (
    SDP,
    SDP_FRAGMENT,
    read_body,
    read_fragment,
)
from rtc_server.signaling.negotiation import Negotiation, if_match, send_or_undo
from rtc_server.signaling.origins import preflight_answer
from rtc_server.signaling.request_bodies import OFFER_LIMIT_BYTES, ROOM_NAME

ROOM = f"{{room:{ROOM_NAME}}}"
"""A room's name in a path."""

OpenPeer: TypeAlias = Callable[[web.Request, str, str], Awaitable[OpenedCall]]
"""Opens what a POST to a room requests: the request, the room, the offer."""


class PeerRoutes:
    """The endpoint of one protocol and its sessions."""

    def __init__(
        self, protocol: str, open_peer: OpenPeer, rooms: Rooms, negotiation: Negotiation
    ) -> None:
        self.protocol = protocol
        """``whip`` or ``whep``, as in the path."""
        self.session_route = f"{protocol}_session"
        """Name of the route of one peer, for its Location."""
        self._open_peer, self._rooms, self._negotiation = open_peer, rooms, negotiation

    async def open(self, request: web.Request) -> web.StreamResponse:
        """``POST``: 201 with the answer. A client that left meanwhile leaves nothing behind."""
        room = request.match_info["room"]
        with self._negotiation.counting_refusals():
            opened = await self._open_peer(request, room, await _read_offer(request))
        response = self._negotiation.answer(
            request, opened, self.session_route, room=room, peer=opened.session_id
        )
        return await send_or_undo(
            request, response, partial(self._rooms.hang_up, room, opened.session_id)
        )

    async def trickle(self, request: web.Request) -> web.StreamResponse:
        """``PATCH``: more candidates; 204."""
        fragment = await read_fragment(request)
        await self._rooms.trickle(*self._own(request), fragment, _etag(request))
        return web.Response(status=204)

    async def close(self, request: web.Request) -> web.StreamResponse:
        """``DELETE``: 200 when it is over, whatever If-Match is."""
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
    """Return the one ETag of If-Match, or ``*``. Raises `EtagMissing`."""
    etag = if_match(request)
    if etag is None:
        raise EtagMissing("Send If-Match with the ETag of the answer.")
    return etag


def _options(request: web.Request, *methods: str, accept: tuple[str, str]) -> web.Response:
    answer = preflight_answer(request, [*methods, hdrs.METH_OPTIONS])
    name, media_type = accept
    answer.set_status(200)
    answer.headers[hdrs.ALLOW] = ", ".join([*methods, hdrs.METH_OPTIONS])
    answer.headers[name] = media_type
    return answer

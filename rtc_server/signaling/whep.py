"""``POST /whep/{room}?language=xx``: somebody listens (draft-ietf-wish-whep).

Without counter-offers (406): an offer that cannot be accepted is refused with 400 or 422.
"""

from aiohttp import web

from rtc_server.errors import UnknownRoom
from rtc_server.events.client import language_code
from rtc_server.rooms.room_api import Rooms
from rtc_server.session.session_api import OpenedCall
from rtc_server.signaling.auth import caller_of
from rtc_server.signaling.bodies import query_text
from rtc_server.signaling.negotiation import Negotiation
from rtc_server.signaling.peers import PeerRoutes


def whep_routes(rooms: Rooms, negotiation: Negotiation) -> PeerRoutes:
    """Return the routes. Without ``?language=`` the listener gets the server's usual target."""

    async def listen(request: web.Request, room: str, offer_sdp: str) -> OpenedCall:
        must_be_invited(request, rooms, room)
        claimant = caller_of(request).claimant
        return await rooms.listen(room, offer_sdp, wanted_language(request), claimant)

    return PeerRoutes("whep", listen, rooms, negotiation)


def must_be_invited(request: web.Request, rooms: Rooms, room: str) -> None:
    """Raise `UnknownRoom` for a client secret of somebody else's session or room.

    Any page's visitor may have one of these; in rooms they listen by a join link.
    """
    caller = caller_of(request)
    if not caller.is_invited and not rooms.may_invite(room, caller.owner):
        raise UnknownRoom("There is no such room, or it has closed.")


def wanted_language(request: web.Request) -> str | None:
    """Return ``?language=``, region cut off."""
    text = query_text(request.query, "language")
    return None if text is None else language_code(text)

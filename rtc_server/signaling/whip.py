"""``POST /whip/{room}``: a speaker comes in (RFC 9725), from OBS, GStreamer or a browser."""

from aiohttp import web

from rtc_server.events.client import language_code
from rtc_server.rooms.room_api import Rooms, SpeakerRequest
from rtc_server.session.session_api import OpenedCall
from rtc_server.signaling.auth import caller_of
from rtc_server.signaling.bodies import query_text
from rtc_server.signaling.negotiation import Negotiation
from rtc_server.signaling.peers import PeerRoutes


def whip_routes(rooms: Rooms, negotiation: Negotiation) -> PeerRoutes:
    """Return the routes. ``?source=`` is the language spoken, ``?languages=de,fr`` those to listen
    to.
    """

    async def speak(request: web.Request, room: str, offer_sdp: str) -> OpenedCall:
        caller = caller_of(request)
        bound = caller.secret.settings.source_language if caller.secret else None
        source = bound or _code(query_text(request.query, "source"))
        listed = query_text(request.query, "languages") or ""
        languages = frozenset(language_code(each) for each in listed.split(",") if each.strip())
        wanted = SpeakerRequest(source, languages, caller.claimant)
        return await rooms.speak(room, offer_sdp, wanted)

    return PeerRoutes("whip", speak, rooms, negotiation)


def _code(text: str | None) -> str | None:
    return None if text is None else language_code(text)

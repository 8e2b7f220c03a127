"""``POST /whip/{room}``: a speaker comes in (RFC 9725), from OBS, GStreamer or a browser."""

from aiohttp import web

from rtc_server.clock import Clock
from rtc_server.events.client import language_code
from rtc_server.ice import IceServers
from rtc_server.metrics import Metrics
from rtc_server.rooms.room_api import Rooms, SpeakerRequest
from rtc_server.session.session_api import OpenedCall
from rtc_server.signaling.auth import caller_of
from rtc_server.signaling.bodies import query_text
from rtc_server.signaling.peers import PeerRoutes

WHIP, WHIP_SESSION = "whip", "whip_session"
WHIP_OPTIONS, WHIP_SESSION_OPTIONS = "whip_options", "whip_session_options"
"""Names of the routes."""


def whip_routes(rooms: Rooms, metrics: Metrics, ice: IceServers, wall: Clock) -> PeerRoutes:
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

    return PeerRoutes(WHIP, speak, rooms, metrics=metrics, ice=ice, wall=wall)


def _code(text: str | None) -> str | None:
    return None if text is None else language_code(text)

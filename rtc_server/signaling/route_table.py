"""Table of all routes: methods, path, access and handler of each. Nothing else is served."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from rtc_server.signaling import calls, client_secrets, rooms, websocket
from rtc_server.signaling.auth import Access
from rtc_server.signaling.calls import CallRoutes
from rtc_server.signaling.client_secrets import ClientSecretRoutes
from rtc_server.signaling.description import DescriptionRoutes
from rtc_server.signaling.info import InfoRoutes
from rtc_server.signaling.page import PageRoutes
from rtc_server.signaling.peers import ROOM, PeerRoutes
from rtc_server.signaling.rooms import RoomRoutes
from rtc_server.signaling.websocket import WebSocketRoutes

GET = (hdrs.METH_GET, hdrs.METH_HEAD)
GET_ONLY = (hdrs.METH_GET,)
POST = (hdrs.METH_POST,)
PATCH = (hdrs.METH_PATCH,)
DELETE = (hdrs.METH_DELETE,)
OPTIONS = (hdrs.METH_OPTIONS,)


@dataclass(frozen=True, slots=True)
class Route:
    """One row. Rows of one name follow each other, and have one path and one access."""

    methods: Sequence[str]
    """HTTP methods."""
    path: str
    """Path, as aiohttp writes it."""
    access: Access
    """Access that it requires."""
    handler: Handler
    """Coroutine function that answers."""
    name: str
    """Name of its resource, in the access log's rules and for URLs."""


def routes_of_the_server(
    *,
    call: CallRoutes,
    secret: ClientSecretRoutes,
    socket: WebSocketRoutes,
    info: InfoRoutes,
    description: DescriptionRoutes,
    page: PageRoutes,
) -> list[Route]:
    """Return the routes of every server."""
    one_call = calls.PATH + "/{session_id}"
    return [
        Route(POST, calls.PATH, Access.SECRET, call.open, calls.CALLS),
        Route(PATCH, one_call, Access.SESSION, call.trickle, calls.ONE_CALL),
        Route(DELETE, one_call, Access.SESSION, call.close, calls.ONE_CALL),
        Route(POST, one_call + "/resume", Access.SESSION, call.resume, "resume"),
        Route(GET, one_call + "/transcript", Access.SESSION, call.transcript, "transcript"),
        Route(POST, client_secrets.PATH, Access.KEY, secret.create, "client_secrets"),
        Route(POST, client_secrets.PAGE_PATH, Access.PUBLIC, secret.create_for_page, "page_secret"),
        Route(GET_ONLY, websocket.PLAIN_PATH, Access.STREAM, socket.plain, "ws_audio"),
        Route(
            GET_ONLY,
            websocket.TRANSLATIONS_PATH,
            Access.STREAM,
            socket.translations,
            "ws_translations",
        ),
        Route(GET, "/v1/engines", Access.SECRET, info.engines, "engines"),
        Route(GET, "/v1/languages", Access.SECRET, info.languages, "languages"),
        Route(GET, "/v1/phrases", Access.SECRET, info.phrases, "phrases"),
        Route(GET, "/healthz", Access.PUBLIC, info.alive, "healthz"),
        Route(GET, "/readyz", Access.PUBLIC, info.ready, "readyz"),
        Route(GET, "/metrics", Access.KEY, info.metrics, "metrics"),
        Route(GET, "/v1/openapi.yaml", Access.PUBLIC, description.openapi, "openapi"),
        Route(GET, "/v1/events.schema.json", Access.PUBLIC, description.events, "events"),
        Route(GET, "/", Access.PUBLIC, page.page, "page"),
        Route(GET, "/doctor", Access.PUBLIC, page.doctor, "doctor"),
        Route(GET, "/static/{path:.+}", Access.PUBLIC, page.file, "static"),
    ]


def routes_of_rooms(room: RoomRoutes, whip: PeerRoutes, whep: PeerRoutes) -> list[Route]:
    """Return the routes of a server that has rooms."""
    return [
        *_routes_of_peers(whip, Access.SPEAK),
        *_routes_of_peers(whep, Access.LISTEN),
        Route(GET, f"/v1/rooms/{ROOM}", Access.LISTEN, room.state, "room"),
        Route(
            GET_ONLY, f"/v1/rooms/{ROOM}/captions", Access.LISTEN, room.captions, "room_captions"
        ),
        Route(POST, f"/v1/rooms/{ROOM}/link", Access.SECRET, room.link, "room_link"),
        Route(GET, f"/listen/{ROOM}", Access.PUBLIC, room.listen_page, rooms.LISTEN_PAGE),
        Route(GET, f"/rooms/{ROOM}", Access.PUBLIC, room.speaker_page, "room_page"),
    ]


def _routes_of_peers(peer: PeerRoutes, access: Access) -> list[Route]:
    """Return the routes of WHIP or WHEP. OPTIONS requires no key: it is a resource of its own."""
    name = peer.protocol
    endpoint, session = f"/{name}/{ROOM}", f"/{name}/{ROOM}/{{peer}}"
    return [
        Route(POST, endpoint, access, peer.open, name),
        Route(GET_ONLY, endpoint, access, peer.nothing, name),
        Route(OPTIONS, endpoint, Access.PUBLIC, peer.endpoint_options, f"{name}_options"),
        Route(PATCH, session, Access.SESSION, peer.trickle, peer.session_route),
        Route(DELETE, session, Access.SESSION, peer.close, peer.session_route),
        Route(GET_ONLY, session, Access.SESSION, peer.own_nothing, peer.session_route),
        Route(OPTIONS, session, Access.PUBLIC, peer.session_options, f"{name}_session_options"),
    ]


def access_by_name(routes: Iterable[Route]) -> dict[str, Access]:
    """Return the access of each resource, for `AccessControl`."""
    return {route.name: route.access for route in routes}


def add_routes(router: web.UrlDispatcher, routes: Iterable[Route]) -> None:
    """Declare the routes."""
    for route in routes:
        resource = router.add_resource(route.path, name=route.name)
        for method in route.methods:
            resource.add_route(method, route.handler)

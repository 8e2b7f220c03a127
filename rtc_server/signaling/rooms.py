"""Endpoints of a room besides its sound: its state, captions as text, the link to join."""

import asyncio
import io
import secrets
from collections import OrderedDict
from functools import lru_cache

import segno
from aiohttp import hdrs, web

from rtc_server.clock import Clock
from rtc_server.errors import Forbidden, RemoteError
from rtc_server.limits import Rate
from rtc_server.rooms.caption_tape import Caption
from rtc_server.rooms.room_api import Rooms
from rtc_server.signaling.auth import caller_of
from rtc_server.signaling.caller_rate import CallerRate
from rtc_server.signaling.key_ring import NO_KEY
from rtc_server.signaling.origins import is_own
from rtc_server.signaling.page import PageRoutes
from rtc_server.signaling.proxies import as_the_client_sees
from rtc_server.signaling.request_rates import Counted, RequestRates
from rtc_server.signaling.response_bodies import RoomLink, json_answer
from rtc_server.signaling.secret_signer import ClientSecret, SecretSigner
from rtc_server.signaling.whep import must_be_invited, wanted_language

LISTEN_PAGE = "listen_page"
"""Name of the route that a join link leads to."""
HEARTBEAT_S = 15.0
"""A comment goes out after so much silence, so that proxies and readers know it lives."""
STALL_S = 20.0
"""A reader that takes nothing for so long is let go."""
URL_LIMIT_CHARS = 2000
"""Of a join link: what a QR code of medium error correction holds, and a little less."""
LINK_RATE = Rate(burst=20, per_second=0.5)
"""Rate at which one caller may ask for a link."""
LINK_FRESH = 0.9
"""Part of its time that a link must have left to be given again."""
LINKS = 256
"""Links kept; as many QR codes."""
RETRY_MS = 3000
"""Time after which a reader comes back."""


class RoomRoutes:
    """Handlers over `Rooms`."""

    def __init__(
        self,
        rooms: Rooms,
        signer: SecretSigner,
        page: PageRoutes,
        *,
        link_hours: int,
        rates: RequestRates,
        wall: Clock,
    ) -> None:
        self._rooms, self._signer, self._page = rooms, signer, page
        self._link_s, self._wall = link_hours * 3600, wall
        self._links: OrderedDict[tuple[str, str], tuple[str, int]] = OrderedDict()
        """By key and address of the room: its link, and when that expires."""
        self._link_rate = CallerRate(Counted.ROOM_LINKS, LINK_RATE, rates)

    async def state(self, request: web.Request) -> web.StreamResponse:
        """Return the speaker's language, and the number of listeners of each language."""
        room = request.match_info["room"]
        must_be_invited(request, self._rooms, room)
        state = self._rooms.state(room, caller_of(request).owner)
        return json_answer(state)

    async def captions(self, request: web.Request) -> web.StreamResponse:
        """Stream server-sent events: each an ``x.segment``, its id for ``Last-Event-ID``."""
        room, last_id = request.match_info["room"], request.headers.get("Last-Event-ID")
        must_be_invited(request, self._rooms, room)
        claimant = caller_of(request).claimant
        with self._rooms.read(room, wanted_language(request), last_id, claimant) as reader:
            response = web.StreamResponse(
                headers={
                    hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
                    hdrs.CACHE_CONTROL: "no-store",
                    "X-Accel-Buffering": "no",
                }
            )
            await response.prepare(request)
            chunk = f"retry: {RETRY_MS}\n\n"
            try:
                while True:
                    async with asyncio.timeout(STALL_S):
                        await response.write(chunk.encode())
                    if reader.is_over:
                        break
                    chunk = _event(await reader.next(HEARTBEAT_S))
            except TimeoutError:
                if request.transport is not None:
                    request.transport.abort()
            except ConnectionError:
                pass  # the reader has left
        return response

    async def link(self, request: web.Request) -> web.StreamResponse:
        """Return what the speaker shows to the others: a link, and the same as a QR code."""
        await self._link_rate.take(request)
        room, caller = request.match_info["room"], caller_of(request)
        path = as_the_client_sees(request, str(request.app.router[LISTEN_PAGE].url_for(room=room)))
        url, expires_at = _origin(request) + path, None
        if caller.owner.key != NO_KEY:
            if not self._rooms.may_invite(room, caller.owner):
                raise Forbidden("This room is somebody else's. Only they may invite to it.")
            url, expires_at = self._with_secret(url, room, caller.owner.key)
        if len(url) > URL_LIMIT_CHARS:
            raise RemoteError(
                f"The link would be longer than {URL_LIMIT_CHARS} characters. "
                "Use a shorter name of this server."
            )
        # Drawing it takes tens of milliseconds, in which others would be kept waiting.
        qr_svg = await asyncio.to_thread(_qr_svg, url)
        return json_answer(RoomLink(url, expires_at, qr_svg))

    def _with_secret(self, url: str, room: str, key: str) -> tuple[str, int]:
        """Return the link with a client secret, and when that expires: the one made before while
        it is new.
        """
        now_s = int(self._wall())
        known = self._links.get((key, url))
        if known is not None and known[1] - now_s > LINK_FRESH * self._link_s:
            _, _, token = known[0].partition("#")
            if self._signer.read(token) is not None:  # else the key was given another text
                return known
        expires_at = now_s + self._link_s
        secret = ClientSecret("room_" + secrets.token_urlsafe(9), key, expires_at, room=room)
        # In the fragment, which browsers keep to themselves: no log and no referrer has it.
        made = f"{url}#{self._signer.sign(secret)}", expires_at
        self._links[key, url] = made
        if len(self._links) > LINKS:
            self._links.popitem(last=False)
        return made

    async def listen_page(self, _request: web.Request) -> web.StreamResponse:
        """Return the page that the link leads to."""
        return self._page.serve("listen.html")

    async def speaker_page(self, _request: web.Request) -> web.StreamResponse:
        """Return the page of the room's speaker."""
        return self._page.serve("room.html")


def _event(caption: Caption | None) -> str:
    if caption is None:
        return ": still here\n\n"
    return f"id: {caption.id}\ndata: {caption.text}\n\n"


def _origin(request: web.Request) -> str:
    """Return the origin at which the caller's browser found us; behind a proxy it is more
    reliable than ours.
    """
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and is_own(request.host, origin):
        return origin
    return f"{request.scheme}://{request.host}"


@lru_cache(maxsize=LINKS)
def _qr_svg(text: str) -> str:
    svg = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        svg, kind="svg", scale=8, border=4, light="#fff", xmldecl=False, title=None
    )
    return svg.getvalue().decode()

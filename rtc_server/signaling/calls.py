"""The call endpoints: offer in, answer out; trickle; another peer for a session; its
transcript; hang up."""

import asyncio
from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from typing import TypeVar

from aiohttp import hdrs, web

from rtc_server.errors import RemoteError
from rtc_server.limits import Rate
from rtc_server.session.session_api import Calls, OpenedCall
from rtc_server.session.subtitles import CONTENT_TYPES, Format, Side, pieces
from rtc_server.signaling.auth import caller_of
from rtc_server.signaling.bodies import (
    last_seen,
    read_fragment,
    read_offer,
    session_request,
)
from rtc_server.signaling.caller_rate import CallerRate
from rtc_server.signaling.negotiation import Negotiation, if_match, send_or_undo
from rtc_server.signaling.request_bodies import CallRequest, OfferRequest
from rtc_server.signaling.request_rates import Counted, RequestRates

PATH = "/v1/realtime/translations/calls"
CALLS = "calls"
"""Name of the route that opens calls."""
ONE_CALL = "call"
"""Name of the route of one call, for its Location."""
TRANSCRIPT_RATE = Rate(burst=20, per_second=0.2)
"""Rate at which one caller may ask for transcripts: one of a day is a second of work."""
PIECES_AT_ONCE = 8
"""Pieces of a transcript that are written before others have their turn: a millisecond."""


class CallRoutes:
    """Handlers over `Calls`."""

    def __init__(self, calls: Calls, negotiation: Negotiation, rates: RequestRates) -> None:
        self._calls, self._negotiation = calls, negotiation
        self._transcripts = CallerRate(Counted.TRANSCRIPTS, TRANSCRIPT_RATE, rates)

    async def open(self, request: web.Request) -> web.StreamResponse:
        """``POST``: 201 with the answer. A client that left meanwhile leaves no session."""
        with self._negotiation.counting_refusals():
            body = await read_offer(request, CallRequest)
            wanted = caller_of(request).asking(session_request(body.session, request.query))
            opened = await self._calls.open_call(body.sdp, wanted)
        undo = partial(self._calls.close_call, opened.session_id, drain=False)
        return await send_or_undo(request, self._answer(request, opened), undo)

    async def resume(self, request: web.Request) -> web.StreamResponse:
        """``POST``: 201 with the answer of a new peer, as for a new call.

        A client that left meanwhile has its session for as long as after a loss.
        """
        session_id, seen = self._own(request), last_seen(request.query)
        body = await read_offer(request, OfferRequest)
        opened = await self._calls.resume_call(session_id, body.sdp, seen)
        return self._answer(request, opened)

    async def trickle(self, request: web.Request) -> web.StreamResponse:
        """``PATCH``: more candidates; 204."""
        fragment, etag = await read_fragment(request), if_match(request)
        await self._calls.trickle(self._own(request), fragment, None if etag == "*" else etag)
        return web.Response(status=204)

    async def transcript(self, request: web.Request) -> web.StreamResponse:
        """``GET``: what was understood so far, as a file; also shortly after the end."""
        session_id = self._own(request)
        form = _choice(request, "format", Format.TXT)
        side = _choice(request, "side", Side.BOTH)
        await self._transcripts.take(request)
        return web.Response(
            text=await _in_turns(pieces(self._calls.transcript(session_id), form, side)),
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
        return self._negotiation.answer(request, opened, ONE_CALL, session_id=opened.session_id)

    def _own(self, request: web.Request) -> str:
        """Return the id of the session in the path, which the caller must have opened."""
        session_id = request.match_info["session_id"]
        caller_of(request).must_own(self._calls.owner(session_id))
        return session_id


Choice = TypeVar("Choice", bound=StrEnum)


def _choice(request: web.Request, key: str, default: Choice) -> Choice:
    """Return a query parameter that takes one of a few words."""
    given = request.query.get(key, default.value)
    try:
        return type(default)(given)
    except ValueError:
        known = ", ".join(type(default))
        raise RemoteError(f"The query parameter {key} must be one of {known}.") from None


async def _in_turns(parts: Iterable[str]) -> str:
    """Join what is work to make, and let others have their turn in between."""
    made: list[str] = []
    for part in parts:
        made.append(part)
        if len(made) % PIECES_AT_ONCE == 0:
            await asyncio.sleep(0)
    return "".join(made)

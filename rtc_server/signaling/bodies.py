"""Reading of requests: bodies bounded in size and time and checked, and parameters of queries."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, Never, TypeVar

from aiohttp import hdrs, web
from msgspec import Struct

from rtc_server.errors import (
    BadEvent,
    BadOffer,
    BodyTimeout,
    PayloadTooLarge,
    RemoteError,
    UnsupportedMedia,
)
from rtc_server.events.client import SessionPatch, language_code
from rtc_server.events.faults import checked
from rtc_server.events.fields import SHORT_CHARS
from rtc_server.session.session_api import Claimant, LastSeen, SessionRequest
from rtc_server.signaling.multipart import split_form
from rtc_server.signaling.request_bodies import (
    OFFER_LIMIT_BYTES,
    OfferRequest,
    SecretRequest,
    SessionBody,
)

SESSION_LIMIT_BYTES = 16 * 1024
"""Largest ``session`` object beside it."""
FRAGMENT_LIMIT_BYTES = 16 * 1024
"""Largest trickle fragment."""
WRAPPED_LIMIT_BYTES = 2 * OFFER_LIMIT_BYTES
"""Largest JSON or multipart body: an offer whose line ends are escaped, a session, envelopes."""
BODY_TIMEOUT_S = 10.0
"""A body that is not here after this long is not waited for."""

_COUNT = re.compile(r"[0-9]{1,15}")
_EVENT_ID = re.compile(r"event_[0-9]{1,15}")

SDP = "application/sdp"
MULTIPART = "multipart/form-data"
JSON = "application/json"
SDP_FRAGMENT = "application/trickle-ice-sdpfrag"


_Offer = TypeVar("_Offer", bound=OfferRequest)
_Body = TypeVar("_Body", bound=Struct)


async def read_body(request: web.Request, limit_bytes: int) -> bytes:
    """Read the body, or raise `PayloadTooLarge` / `BodyTimeout` without waiting for
    the rest of it.
    """
    if (request.content_length or 0) > limit_bytes:
        _too_large(limit_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit_bytes:
                    _too_large(limit_bytes)
    except TimeoutError:
        raise BodyTimeout("The request's body came too slowly. Send it again.") from None
    except web.RequestPayloadError:
        raise RemoteError("The request's body is incomplete or wrongly encoded.") from None
    return bytes(body)


async def read_fragment(request: web.Request) -> str:
    """Read the trickle fragment of a PATCH."""
    if request.content_type.lower() != SDP_FRAGMENT:
        raise UnsupportedMedia(SDP_FRAGMENT)
    return _text(await read_body(request, FRAGMENT_LIMIT_BYTES), "The fragment")


async def read_offer(request: web.Request, form: type[_Offer]) -> _Offer:
    """Read the offer of a call, and what `form` has beside it, from any of the three media types.

    Raises:
        RemoteError: with the status that fits.
    """
    match request.content_type.lower():
        case "application/sdp":
            fields: object = {
                "sdp": _text(await read_body(request, OFFER_LIMIT_BYTES), "The offer")
            }
        case "application/json":
            fields = _json(
                await read_body(request, WRAPPED_LIMIT_BYTES), '{"sdp": …, "session": …}'
            )
        case "multipart/form-data":
            body = await read_body(request, WRAPPED_LIMIT_BYTES)
            fields = _from_multipart(request.headers[hdrs.CONTENT_TYPE], body)
        case _:
            raise UnsupportedMedia(SDP, MULTIPART, JSON)
    if not isinstance(fields, dict):
        raise RemoteError("The body must be a JSON object with sdp and session.")
    offer = _checked(form, fields)
    if not offer.sdp.strip():
        raise BadOffer("The offer is empty. Send the SDP of RTCPeerConnection.createOffer().")
    if len(_utf8(offer.sdp, "sdp")) > OFFER_LIMIT_BYTES:
        _too_large(OFFER_LIMIT_BYTES)
    return offer


async def read_secret_request(request: web.Request) -> SecretRequest:
    """Read the body of a request for a client secret.

    Raises:
        RemoteError: with the status that fits.
    """
    if request.content_type.lower() != JSON:
        raise UnsupportedMedia(JSON)
    fields = _json(await read_body(request, SESSION_LIMIT_BYTES), '{"session": …}')
    if not isinstance(fields, dict):
        raise RemoteError("The body must be a JSON object with session.")
    return _checked(SecretRequest, fields)


def session_request(session: SessionBody | None, query: Mapping[str, str]) -> SessionRequest:
    """Return the session that a call requests. The query wins over the ``session`` object.

    Raises:
        RemoteError: a parameter of the query is not short printable text.
    """
    named = {key: query_text(query, key) for key in ("model", "source", "target")}
    source, target = (
        None if named[key] is None else language_code(str(named[key]))
        for key in ("source", "target")
    )
    asked = SessionPatch(source_language=source, target_language=target)
    session = session or SessionBody()
    return SessionRequest(
        model=session.model if named["model"] is None else named["model"],
        settings=asked.over(session.patch()),
        claimant=Claimant(ticket=query_text(query, "queue")),
    )


def query_text(query: Mapping[str, str], key: str) -> str | None:
    """Return a parameter that can be shown back; None when it is absent or empty."""
    text = query.get(key, "").strip()
    if len(text) > SHORT_CHARS or not text.isprintable():
        raise RemoteError(f"The query parameter {key} must be a short string of printable text.")
    return text or None


def last_seen(query: Mapping[str, str]) -> LastSeen:
    """Return the last event that a client has received: ``last_seq`` and ``last_event_id``.

    Raises:
        RemoteError: one of them is not what the server sent.
    """
    seq, event_id = query_text(query, "last_seq"), query_text(query, "last_event_id")
    if seq is not None and not _COUNT.fullmatch(seq):
        raise RemoteError("The query parameter last_seq must be the seq of an event.")
    if event_id is not None and not _EVENT_ID.fullmatch(event_id):
        raise RemoteError("The query parameter last_event_id must be the event_id of an event.")
    return LastSeen(
        seq=None if seq is None else int(seq),
        number=None if event_id is None else int(event_id.removeprefix("event_")),
    )


def _checked(form: type[_Body], fields: object) -> _Body:
    try:
        return checked(form, fields)
    except BadEvent as error:
        raise RemoteError(str(error)) from None


def _json(body: bytes, example: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RemoteError(f"The body is not JSON. Send {example}.") from None


def _from_multipart(content_type: str, body: bytes) -> dict[str, object]:
    """Return the fields ``sdp`` and ``session``, in any order; others are passed over."""
    parts = [part for part in split_form(content_type, body) if part[0] in ("sdp", "session")]
    fields = {name: _text(data, f"The field {name}") for name, data in parts}
    if len(fields) < len(parts):
        raise RemoteError("The body has a field twice. Send each field once.")
    if "sdp" not in fields:
        raise RemoteError("The body has no field sdp.")
    return {"sdp": fields["sdp"], "session": _json_field(fields.get("session"))}


def _json_field(text: str | None) -> Any:
    if text is None:
        return None
    if len(text.encode()) > SESSION_LIMIT_BYTES:
        _too_large(SESSION_LIMIT_BYTES)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise RemoteError("The field session is not JSON.") from None


def _utf8(text: str, what: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise RemoteError(f"{what} holds characters that are not text.") from None


def _text(data: bytes, what: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise RemoteError(f"{what} is not UTF-8 text.") from None


def _too_large(limit_bytes: int) -> Never:
    raise PayloadTooLarge(f"The request is too large; at most {limit_bytes // 1024} kB is read.")

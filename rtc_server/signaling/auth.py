"""Access control: every request passes here, from the right page and with the right key.

One middleware decides for every route, WebSockets included: origin and host, preflights, the key or
client secret, and the rate of its requests. A handler gets the caller from `caller_of`.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from rtc_server.clock import Clock
from rtc_server.errors import Forbidden, RateLimited, Unauthorized, UnknownSession
from rtc_server.events.client import SessionPatch
from rtc_server.limits import LogLimit, Rate
from rtc_server.session.session_api import Claimant, Owner, SessionRequest
from rtc_server.signaling.bodies import query_text
from rtc_server.signaling.key_ring import NO_KEY, KeyRing, ValidKey
from rtc_server.signaling.origins import OriginPolicy, is_preflight, preflight_answer, same_origin
from rtc_server.signaling.proxies import TrustedProxies, counted_source, source_of
from rtc_server.signaling.request_rates import Counted, RequestRates
from rtc_server.signaling.secret_signer import PREFIX, ClientSecret, SecretSigner

WRONG_KEYS = Rate(burst=20, per_second=0.2)
"""Rate at which one address may show a wrong key."""
LINK = Rate(burst=1000, per_second=50)
"""Rate of requests of all who share one join link, where requests are limited at all."""
SUBPROTOCOL = "openai-insecure-api-key."
"""Subprotocol that carries the secret of a browser's WebSocket, which cannot set headers."""

_log = logging.getLogger(__name__)


class Access(Enum):
    """Access that a route requires."""

    PUBLIC = "nothing"
    SECRET = "a key or a client secret"
    SESSION = "a key or the client secret that opened the session, expired or not"
    STREAM = "as SESSION when ?resume= names one, else as SECRET"
    SPEAK = "as SECRET, or the secret of a speaker in the room in the path"
    LISTEN = "a key, the secret of a listener of the room in the path, or one that opened the room"
    KEY = "a key"


@dataclass(frozen=True, slots=True)
class Caller:
    """Sender of a request."""

    claimant: Claimant = field(default_factory=Claimant)
    secret: ClientSecret | None = None
    """Client secret that it showed, if not the key itself."""

    @property
    def owner(self) -> Owner:
        """Key and secret."""
        return self.claimant.owner

    def asking(self, wanted: SessionRequest) -> SessionRequest:
        """Return a call as this caller may make it.

        Languages, voice and engine that the secret names are not the client's to choose; its
        other settings are defaults.
        """
        claimant = replace(self.claimant, ticket=wanted.claimant.ticket)
        asked = replace(wanted, claimant=claimant)
        if self.secret is None:
            return asked
        own = self.secret.settings
        fixed = SessionPatch(
            source_language=own.source_language,
            target_language=own.target_language,
            voice=own.voice,
            engine=own.engine,
        )
        settings = fixed.over(wanted.settings.over(own))
        return replace(asked, model=self.secret.model or wanted.model, settings=settings)

    @property
    def is_invited(self) -> bool:
        """True if it may listen in any room of its key that it names: the key itself, and secrets
        that were made for the room, which open no other.
        """
        return self.secret is None or self.secret.room is not None

    def must_own(self, owner: Owner) -> None:
        """Raise `UnknownSession` for a session of somebody else, as if there were none."""
        if not self.owner.may_touch(owner):
            raise UnknownSession("There is no such session; it may have ended.")


CALLER = web.RequestKey("caller", Caller)


METHODS = (hdrs.METH_DELETE, hdrs.METH_GET, hdrs.METH_PATCH, hdrs.METH_POST)
"""Of all addresses together."""


def caller_of(request: web.Request) -> Caller:
    """Return the sender of a request that passed access control."""
    return request[CALLER]


class AccessControl:
    """Access control of all requests. Used by one event loop."""

    def __init__(
        self,
        ring: KeyRing,
        signer: SecretSigner,
        origins: OriginPolicy,
        access: Mapping[str, Access],
        *,
        proxies: TrustedProxies,
        rates: RequestRates,
        clock: Clock,
        wall: Clock,
    ) -> None:
        """`access` by the name of a route; a route without one requires a key.

        `proxies`: those behind whose addresses many may stand.
        """
        self._ring, self._signer, self._origins = ring, signer, origins
        self._access, self._proxies = access, proxies
        self._rates, self._clock, self._wall = rates, clock, wall
        self._warnings = LogLimit(burst=5, per_second=0.1)

    def middleware(self) -> Middleware:
        """Return the middleware that stands right behind the one that turns errors into answers."""

        @web.middleware
        async def at_the_door(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._origins.check(request.headers.get(hdrs.HOST), request.headers.get(hdrs.ORIGIN))
            refusal = request.match_info.http_exception
            if is_preflight(request):
                if isinstance(refusal, web.HTTPMethodNotAllowed):
                    return preflight_answer(request, sorted(refusal.allowed_methods))
                if isinstance(refusal, web.HTTPNotFound):
                    # So that the page may send it, and read which address was meant.
                    return preflight_answer(request, METHODS)
            resource = request.match_info.route.resource
            name = (resource.name if resource else None) or ""
            if resource is not None:  # else there is no such route: answered with 404 or 405
                request[CALLER] = await self._admit(request, self._access.get(name, Access.KEY))
            return await handler(request)

        return at_the_door

    async def _admit(self, request: web.Request, access: Access) -> Caller:
        if access is Access.PUBLIC:
            return Caller()
        token = _token(request)
        everybody = self._ring.by_id(NO_KEY)
        if everybody and not (token or "").startswith(PREFIX):
            return Caller(self._claimant(everybody, counted_source(request.remote, self._proxies)))
        if token is None:
            raise Unauthorized("This server needs a key. Send it as `Authorization: Bearer <key>`.")
        caller = await self._caller(token, request.remote)
        if caller.secret is not None:
            self._check_secret(caller.secret, request, access)
        await self._check_rate(caller)
        return caller

    def _claimant(self, key: ValidKey, source: str = "", secret: str = "") -> Claimant:
        """Return the claimant of a place. `source` only of those who may be strangers: the key
        itself may be an application's server, which calls for many.
        """
        has_rivals = self._ring.has_others(key.id)
        return Claimant(Owner(key.id, secret), key.limits, source, has_rivals)

    async def _check_rate(self, caller: Caller) -> None:
        rate_a_minute = caller.claimant.limits.requests_a_minute
        if not rate_a_minute:
            return
        if caller.secret is not None and caller.secret.room and not caller.secret.speaks:
            # An audience shares the secret: it must not lock the key out, nor itself.
            wait_s = await self._rates.take(Counted.LINK_REQUESTS, caller.secret.id, LINK)
            if wait_s:
                raise RateLimited(
                    "Too many requests came with this join link. Wait a moment.", math.ceil(wait_s)
                )
        else:
            rate = Rate(rate_a_minute, rate_a_minute / 60)
            wait_s = await self._rates.take(Counted.KEY_REQUESTS, caller.owner.key, rate)
            if wait_s:
                raise RateLimited(
                    f"This key may send {rate_a_minute} requests a minute. Wait, then go on.",
                    math.ceil(wait_s),
                )

    async def _caller(self, token: str, address: str | None) -> Caller:
        """Return the caller of a token; wrong ones are counted against the address they came from.

        An address that has shown too many has to wait, but what nobody can guess still opens:
        behind a proxy all clients share one address, and a stranger must not lock the others out.
        """
        if token.startswith(PREFIX):
            secret = self._signer.read(token)
            key = self._ring.by_id(secret.key) if secret else None
            if secret and key:
                # All secrets of a room's speaker are one speaker, who may come back with another.
                name = f"speaker of {secret.room}" if secret.speaks else secret.id
                source = counted_source(address, self._proxies)
                return Caller(self._claimant(key, source, name), secret)
        elif key := self._ring.find(token):
            return Caller(self._claimant(key))
        source, chosen = source_of(address), self._ring.find_chosen(token)
        # One question each: nothing can be guessed between looking and counting, and beyond the
        # rate the answer is the same for a right key as for a wrong one.
        count = self._rates.wait_s if chosen else self._rates.take
        if wait_s := await count(Counted.WRONG_KEYS, source, WRONG_KEYS):
            raise RateLimited(
                "Too many wrong keys came from this address. Wait, then send the right one.",
                math.ceil(wait_s),
            )
        if chosen:
            return Caller(self._claimant(chosen))
        if await self._rates.wait_s(Counted.WRONG_KEYS, source, WRONG_KEYS):
            held_back = self._warnings.admit(self._clock())
            if held_back is not None:
                _log.warning("Too many wrong keys from %s (%d more not logged).", source, held_back)
        raise Unauthorized(
            "The key or client secret is wrong or no longer valid. Ask whoever runs this server, "
            "or make another secret."
        )

    def _check_secret(self, secret: ClientSecret, request: web.Request, access: Access) -> None:
        if access is Access.STREAM:
            resumes = query_text(request.query, "resume") is not None
            access = Access.SESSION if resumes else Access.SECRET
        if access is Access.KEY:
            raise Forbidden("A client secret is not accepted at this address. Send the API key.")
        if secret.room:
            does = Access.SPEAK if secret.speaks else Access.LISTEN
            here = request.match_info.get("room") == secret.room
            if not here or access not in (does, Access.SESSION):
                to_do = "speak" if secret.speaks else "listen"
                raise Forbidden(f"This client secret is valid only to {to_do} in its own room.")
        if access is not Access.SESSION and secret.expires_at <= self._wall():
            raise Unauthorized("The client secret has expired. Make another one.")
        origin = request.headers.get(hdrs.ORIGIN)
        reads = request.method in (hdrs.METH_GET, hdrs.METH_HEAD) and not _upgrades(request)
        if secret.origin is None or (origin is None and reads):
            return  # browsers leave Origin out when a page only reads from its own server
        if origin is None or not same_origin(origin, secret.origin):
            raise Forbidden("This client secret was made for pages of another origin.")


def _token(request: web.Request) -> str | None:
    """Return the bearer token, or what a WebSocket carries as a subprotocol. Never from the URL."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    if _upgrades(request):
        offered = request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")
        for protocol in map(str.strip, offered):
            if protocol.startswith(SUBPROTOCOL):
                return protocol.removeprefix(SUBPROTOCOL)
    return None


def _upgrades(request: web.Request) -> bool:
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"

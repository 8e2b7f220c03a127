"""Client secrets over HTTP: for an application's server, and for our own page."""

import json
import math
import re
import secrets
from typing import Any

import msgspec
from aiohttp import hdrs, web

from rtc_server.clock import Clock
from rtc_server.errors import Forbidden, NotReady, RateLimited, RemoteError, UnsupportedMedia
from rtc_server.events.session_events import (
    Audio,
    AudioInputInfo,
    AudioOutputInfo,
    TranscriptionInfo,
)
from rtc_server.ice import IceServers
from rtc_server.limits import Rate
from rtc_server.session.session_api import Calls, Catalogue
from rtc_server.signaling.access_settings import ORIGIN
from rtc_server.signaling.auth import caller_of
from rtc_server.signaling.bodies import JSON, SESSION_LIMIT_BYTES, read_body, session_request
from rtc_server.signaling.key_ring import PAGE_KEY, KeyRing
from rtc_server.signaling.origins import is_own
from rtc_server.signaling.peers import ROOM_NAME
from rtc_server.signaling.proxies import source_of
from rtc_server.signaling.request_rates import Counted, RequestRates
from rtc_server.signaling.secret_signer import ClientSecret, SecretSigner

PATH = "/v1/realtime/translations/client_secrets"
PAGE_PATH = "/page/secret"
TTL_S = (10, 7200)
"""Bounds of ``expires_after.seconds``."""
DEFAULT_TTL_S = 600
ORIGIN_LIMIT_CHARS = 256
ROLES = SPEAKER, _LISTENER = "speaker", "listener"
"""Roles that a secret of a room may have."""
PAGE_SECRETS = Rate(burst=30, per_second=0.5)
"""Rate at which one address may ask for a secret of the page."""
RETRY_AFTER_S = 2
"""Seconds after which to ask again while the engines warm up."""


class ClientSecretRoutes:
    """Handlers that make secrets."""

    def __init__(
        self,
        calls: Calls,
        catalogue: Catalogue,
        ring: KeyRing,
        signer: SecretSigner,
        ice: IceServers,
        *,
        rates: RequestRates,
        wall: Clock,
    ) -> None:
        self._calls, self._catalogue = calls, catalogue
        self._ring, self._signer, self._ice = ring, signer, ice
        self._rates, self._wall = rates, wall

    async def create(self, request: web.Request) -> web.Response:
        """``POST`` with the key: a secret for sessions as the body says."""
        body = await _read_object(request)
        wanted = session_request(body.get("session"), {})
        ttl_s = _ttl_s(body.get("expires_after"))
        origin, room, speaks = _bounds(body.get("x"))
        direction = self._calls.check(wanted.settings)
        ast = self._catalogue.ast
        if ast is None:
            raise NotReady("The server is still starting.", RETRY_AFTER_S)
        secret = ClientSecret(
            id=_new_id(),
            key=caller_of(request).owner.key,
            expires_at=int(self._wall()) + ttl_s,
            model=wanted.model,
            settings=wanted.settings,
            origin=origin,
            room=room,
            speaks=speaks,
        )
        # What the session will be, in the shape of `session.created`.
        transcription = TranscriptionInfo(ast.name, direction.source)
        heard = AudioInputInfo(transcription if wanted.settings.transcription else None)
        session = {
            "id": secret.id,
            "type": "translation",
            "expires_at": secret.expires_at,
            "model": wanted.model or ast.name,
            "audio": msgspec.to_builtins(Audio(heard, AudioOutputInfo(direction.target))),
        }
        return self._answer(secret, {"session": session})

    async def create_for_page(self, request: web.Request) -> web.Response:
        """``POST`` from our own page: a secret that only this origin's pages can use."""
        origin = request.headers.get(hdrs.ORIGIN)
        if not self._ring.by_id(PAGE_KEY):
            raise Forbidden(
                "This server gives its page no secrets. Whoever runs it allows that with "
                "--page-access open, behind a login of their own."
            )
        if origin is None or not is_own(request.headers.get(hdrs.HOST, ""), origin):
            raise Forbidden("Only this server's own page may ask for a secret here.")
        source = source_of(request.remote)
        wait_s = await self._rates.take(Counted.PAGE_SECRETS, source, PAGE_SECRETS)
        if wait_s:
            raise RateLimited(
                "The page asks for secrets too often. Wait a moment.", math.ceil(wait_s)
            )
        return self._answer(
            ClientSecret(
                id=_new_id(),
                key=PAGE_KEY,
                expires_at=int(self._wall()) + DEFAULT_TTL_S,
                origin=origin,
            )
        )

    def _answer(self, secret: ClientSecret, more: dict[str, Any] | None = None) -> web.Response:
        body = {
            "value": self._signer.sign(secret),
            "expires_at": secret.expires_at,
            **(more or {}),
            "x": self._ice_configuration(secret),
        }
        return web.json_response(body, headers={hdrs.CACHE_CONTROL: "no-store"})

    def _ice_configuration(self, secret: ClientSecret) -> dict[str, Any]:
        """Return what an `RTCPeerConnection` is made with. Its users outlive the secret, for a
        session may begin in the secret's last second.
        """
        expires_at = secret.expires_at + self._ice.credential_s
        return {
            "ice_servers": [
                {"urls": [each.url]}
                | (
                    {"username": each.username, "credential": each.credential}
                    if each.username
                    else {}
                )
                for each in self._ice.for_client(secret.id, expires_at)
            ],
            "ice_transport_policy": self._ice.policy,
        }


def _new_id() -> str:
    return "sess_" + secrets.token_urlsafe(16)


async def _read_object(request: web.Request) -> dict[str, Any]:
    if request.content_type.lower() != JSON:
        raise UnsupportedMedia(JSON)
    data = await read_body(request, SESSION_LIMIT_BYTES)
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise RemoteError('The body is not JSON. Send {"session": …}.') from None
    if not isinstance(body, dict):
        raise RemoteError("The body must be a JSON object with session.")
    return body


def _ttl_s(value: object) -> int:
    if value is None:
        return DEFAULT_TTL_S
    if not isinstance(value, dict) or value.get("anchor", "created_at") != "created_at":
        raise RemoteError('expires_after must be {"anchor": "created_at", "seconds": …}.')
    seconds = value.get("seconds", DEFAULT_TTL_S)
    low, high = TTL_S
    if type(seconds) is not int or not low <= seconds <= high:
        raise RemoteError(f"expires_after.seconds must be a whole number from {low} to {high}.")
    return seconds


def _bounds(extension: object) -> tuple[str | None, str | None, bool]:
    """Return of ``x`` the pages that may use the secret, the only room it opens, and whether to
    speak.
    """
    if extension is None:
        return None, None, False
    if not isinstance(extension, dict):
        raise RemoteError("x must be an object, with origin or room in it.")
    return _origin(extension.get("origin")), *_room(extension.get("room"))


def _origin(origin: object) -> str | None:
    if origin is None or (
        isinstance(origin, str) and len(origin) <= ORIGIN_LIMIT_CHARS and ORIGIN.fullmatch(origin)
    ):
        return origin
    raise RemoteError(
        "x.origin must be an origin as browsers send it, such as https://app.example or "
        "chrome-extension://abc, without a path."
    )


def _room(room: object) -> tuple[str | None, bool]:
    if room is None:
        return None, False
    if isinstance(room, dict) and room.get("role") in ROLES:
        name = room.get("name")
        if isinstance(name, str) and re.fullmatch(ROOM_NAME, name):
            return name, room["role"] == SPEAKER
    raise RemoteError(
        'x.room must be {"name": …, "role": "speaker" or "listener"}; a name is up to 64 letters, '
        "digits, - and _."
    )

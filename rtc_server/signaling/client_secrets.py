"""Client secrets over HTTP: for an application's server, and for our own page."""

import math
import secrets

from aiohttp import hdrs, web

from rtc_server.clock import Clock
from rtc_server.errors import Forbidden, NotReady, RateLimited
from rtc_server.events.session_events import (
    Audio,
    AudioInputInfo,
    AudioOutputInfo,
    TranscriptionInfo,
)
from rtc_server.ice import IceServers
from rtc_server.limits import Rate
from rtc_server.session.session_api import Calls, Catalogue
from rtc_server.signaling.auth import caller_of
from rtc_server.signaling.bodies import read_secret_request, session_request
from rtc_server.signaling.key_ring import PAGE_KEY, KeyRing
from rtc_server.signaling.origins import is_own
from rtc_server.signaling.proxies import source_of
from rtc_server.signaling.request_bodies import (
    DEFAULT_TTL_S,
    SPEAKER,
    ExpiresAfter,
    SecretExtension,
)
from rtc_server.signaling.request_rates import Counted, RequestRates
from rtc_server.signaling.response_bodies import (
    IceConfiguration,
    IceServerEntry,
    MadeSecret,
    PageSecret,
    SessionOfSecret,
    json_answer,
)
from rtc_server.signaling.secret_signer import ClientSecret, SecretSigner

PATH = "/v1/realtime/translations/client_secrets"
PAGE_PATH = "/page/secret"
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
        """``POST`` with the key: a secret for sessions as in the body."""
        asked = await read_secret_request(request)
        wanted = session_request(asked.session, {})
        bounds = asked.x or SecretExtension()
        direction = self._calls.check(wanted.settings)
        ast = self._catalogue.ast
        if ast is None:
            raise NotReady("The server is still starting.", RETRY_AFTER_S)
        secret = ClientSecret(
            id=_new_id(),
            key=caller_of(request).owner.key,
            expires_at=int(self._wall()) + (asked.expires_after or ExpiresAfter()).seconds,
            model=wanted.model,
            settings=wanted.settings,
            origin=bounds.origin,
            room=bounds.room.name if bounds.room else None,
            speaks=bounds.room is not None and bounds.room.role == SPEAKER,
        )
        transcription = TranscriptionInfo(ast.name, direction.source)
        heard = AudioInputInfo(transcription if wanted.settings.transcription else None)
        session = SessionOfSecret(
            id=secret.id,
            type="translation",
            expires_at=secret.expires_at,
            model=wanted.model or ast.name,
            audio=Audio(heard, AudioOutputInfo(direction.target)),
        )
        value, ice = self._signer.sign(secret), self._ice_configuration(secret)
        return json_answer(MadeSecret(value, secret.expires_at, session, ice))

    async def create_for_page(self, request: web.Request) -> web.Response:
        """``POST`` from our own page: a secret that only this origin's pages can use."""
        origin = request.headers.get(hdrs.ORIGIN)
        if not self._ring.by_id(PAGE_KEY):
            raise Forbidden(
                "This server issues no client secrets to its page. Its operator can allow that "
                "with --page-access open, behind a login."
            )
        if origin is None or not is_own(request.headers.get(hdrs.HOST, ""), origin):
            raise Forbidden("Only this server's own page may ask for a secret here.")
        source = source_of(request.remote)
        wait_s = await self._rates.take(Counted.PAGE_SECRETS, source, PAGE_SECRETS)
        if wait_s:
            raise RateLimited(
                "The page asks for secrets too often. Wait a moment.", math.ceil(wait_s)
            )
        secret = ClientSecret(
            id=_new_id(),
            key=PAGE_KEY,
            expires_at=int(self._wall()) + DEFAULT_TTL_S,
            origin=origin,
        )
        value, ice = self._signer.sign(secret), self._ice_configuration(secret)
        return json_answer(PageSecret(value, secret.expires_at, ice))

    def _ice_configuration(self, secret: ClientSecret) -> IceConfiguration:
        """Return what an `RTCPeerConnection` is made with. Its users outlive the secret, for a
        session may begin in the secret's last second.
        """
        expires_at = secret.expires_at + self._ice.credential_s
        servers = self._ice.for_client(secret.id, expires_at)
        return IceConfiguration(
            [
                IceServerEntry([each.url], each.username, each.credential if each.username else "")
                for each in servers
            ],
            self._ice.policy,
        )


def _new_id() -> str:
    return "sess_" + secrets.token_urlsafe(16)

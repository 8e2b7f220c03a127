"""Who may call. One function decides; every route that is not named public goes through it."""

import hmac

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from rtc_server.errors import Unauthorized


def check_bearer(authorization: str | None, api_key: str) -> None:
    """Pass, or raise `Unauthorized`. Takes the same time however much of the key is right."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("This server needs a key. Send it as `Authorization: Bearer <key>`.")
    shown, wanted = (text.encode("utf-8", "surrogateescape") for text in (token.strip(), api_key))
    if not hmac.compare_digest(shown, wanted):
        raise Unauthorized("The key is wrong. Ask whoever runs this server for a valid one.")


def auth_middleware(api_key: str, public: frozenset[str]) -> Middleware:
    """Asks for `api_key` on every route whose name is not in `public`; no key, no question."""

    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource  # None: no such route, answered with 404/405
        if api_key and resource is not None and resource.name not in public:
            check_bearer(request.headers.get(hdrs.AUTHORIZATION), api_key)
        return await handler(request)

    return authenticate

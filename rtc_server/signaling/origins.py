"""Origins and host names from which the server may be used: CORS and DNS rebinding.

A server without keys on a developer's machine is reached by every page in the developer's browser.
Two headers that a page cannot forge keep strangers out: ``Origin``, which browsers send with every
cross-origin request that could do something (WebSockets too), must be the server's own or be
listed; and ``Host`` must be a name of this server, because a hostile page can point its own name at
127.0.0.1 and so become "same origin".
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from rtc_server.errors import Forbidden

EXPOSED_HEADERS = "Location, ETag, Link, Retry-After"
ALLOWED_HEADERS = ("Authorization", "Content-Type", "If-Match", "Last-Event-ID")
"""Request headers that the answer to a preflight always allows."""
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
"""Name of a header (RFC 9110, section 5.1), of a length that somebody uses."""
MORE_HEADERS = 100
"""Further header names that a preflight may ask for."""
PREFLIGHT_AGE_S = 600
"""Time for which a browser may remember a preflight."""

DEFAULT_PORTS = {"http": ":80", "https": ":443"}
"""Ports that browsers leave out of an origin."""


@dataclass(frozen=True, slots=True)
class OriginPolicy:
    """Rules made of the settings; see `AccessSettings`."""

    cors_origins: tuple[str, ...]
    """Origins besides our own, or ``*``."""
    server_names: tuple[str, ...]
    """Names we are reached by."""
    loopback: bool
    """True if we listen on loopback only."""

    def check(self, host: str | None, origin: str | None) -> None:
        """Pass a request with these headers, or raise `Forbidden` with what to do about it.

        Without a Host header at all it is no browser: those always send one.
        """
        if host is not None and not self._is_ours(host):
            raise Forbidden(
                "This server does not accept the name in the Host header. Its operator can add "
                "the name to --server-names."
            )
        if origin is not None and not self.allows(host or "", origin):
            raise Forbidden(
                "Pages of this origin may not use this server. Its operator can allow them "
                "with --cors-origins."
            )

    def allows(self, host: str, origin: str) -> bool:
        """Return whether pages of `origin` may use the server that they reach as `host`."""
        return is_own(host, origin) or self.is_listed(origin)

    def is_listed(self, origin: str) -> bool:
        """Return whether --cors-origins has it; not so for the opaque origin ``null``."""
        if origin == "null":
            return False
        return any(listed == "*" or same_origin(origin, listed) for listed in self.cors_origins)

    def _is_ours(self, host: str) -> bool:
        name = _name(host)
        if name in (listed.lower() for listed in self.server_names):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            if name == "localhost" or name.endswith(".localhost"):
                return True
            return not self.loopback and not self.server_names
        return address.is_loopback or not self.loopback  # an address cannot be rebound


def is_own(host: str, origin: str) -> bool:
    """Return whether a page of `origin` came from the server that the request reached as `host`.

    The scheme is not compared: behind a proxy that ends TLS our own is not known.
    """
    scheme, _, authority = origin.lower().partition("://")
    port = DEFAULT_PORTS.get(scheme)
    if port is None or not authority:
        return False
    return authority.removesuffix(port) == host.lower().removesuffix(port)


def same_origin(one: str, other: str) -> bool:
    """Return whether two origins are the same, in any case and with or without a default port."""
    return _without_default_port(one) == _without_default_port(other)


def _without_default_port(origin: str) -> str:
    scheme, _, authority = origin.lower().partition("://")
    return f"{scheme}://{authority.removesuffix(DEFAULT_PORTS.get(scheme, ''))}"


def _name(host: str) -> str:
    """Return the name of a Host header, without port, brackets and final dot; empty
    for nonsense.
    """
    try:
        return (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return ""


def is_preflight(request: web.Request) -> bool:
    """Return whether a request is a preflight of a browser."""
    return (
        request.method == hdrs.METH_OPTIONS
        and hdrs.ORIGIN in request.headers
        and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    )


def preflight_answer(request: web.Request, methods: Sequence[str]) -> web.Response:
    """Return what may be sent to a resource that has these methods. Never requires a key.

    Any header may be sent: there are no cookies, so none of them lets a page do more than its key
    does, and clients and their tracing add names that nobody can list.
    """
    return web.Response(
        status=204,
        headers={
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: ", ".join(methods),
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: ", ".join(
                allowed_headers(request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS, ""))
            ),
            hdrs.ACCESS_CONTROL_MAX_AGE: str(PREFLIGHT_AGE_S),
        },
    )


def allowed_headers(asked: str) -> list[str]:
    """Return the headers that a preflight may use which asks for `asked`, a comma-separated list.

    What is no header's name, and what goes beyond `MORE_HEADERS`, is left out.
    """
    known = {name.lower() for name in ALLOWED_HEADERS}
    names = dict.fromkeys(name.strip().lower() for name in asked.split(","))
    more = [name for name in names if name not in known and HEADER_NAME.fullmatch(name)]
    return [*ALLOWED_HEADERS, *more[:MORE_HEADERS]]


def cors_headers(policy: OriginPolicy, origin: str | None) -> dict[str, str]:
    """Return the headers that let a page at a listed origin read an answer. No cookies, so no
    credentials.
    """
    if not policy.cors_origins:
        return {}
    if origin is None or not policy.is_listed(origin):
        return {hdrs.VARY: hdrs.ORIGIN}
    return {
        hdrs.VARY: hdrs.ORIGIN,
        hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin,
        hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: EXPOSED_HEADERS,
    }

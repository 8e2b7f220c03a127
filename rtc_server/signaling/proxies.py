"""Client address and scheme as reported by a reverse proxy, accepted only from configured proxies.

``X-Forwarded-For``, ``-Host`` and ``-Prefix`` can be written by anybody, so they count only when
the connection itself comes from an address of ``--trusted-proxies``; from others they are ignored.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict

from rtc_server.signaling.http_settings import PATH_PREFIX

PREFIX_HEADER = "X-Forwarded-Prefix"

PREFIX = web.RequestKey("prefix", str)
"""The path below which the proxy serves us, without a slash at the end."""
CLIENT = web.RequestKey("client", str)
"""Address from which the proxy received the request."""
MOST_HOPS = 32
"""Hops that are read of one request's X-Forwarded-For; nobody has that many proxies."""
_WITH_PORT = re.compile(r"\[([^]]*)\](?::\d{1,5})?|([^:]*):\d{1,5}")
"""An address as some proxies write it: with a port, of IPv6 in brackets."""
_MAPPED = IPv6Network("::ffff:0:0/96")
"""IPv4 as a socket for both protocols has it (RFC 4291, 2.5.5.2)."""


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """Addresses of the proxies whose word counts."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    """Single addresses are networks of one."""

    @classmethod
    def named(cls, texts: Iterable[str]) -> "TrustedProxies":
        """Return those that ``--trusted-proxies`` names. Raises `ValueError`: one is no network."""
        return cls(tuple(map(_network, texts)))

    def trusts(self, address: str | None) -> bool:
        """Return whether it is one of them."""
        parsed = read_address(address or "")
        return parsed is not None and any(parsed in network for network in self.networks)

    def client(self, remote: str | None, forwarded_for: Sequence[str]) -> str | None:
        """Return the address that sent a request, which came from `remote` with these
        X-Forwarded-For headers.

        Each proxy adds, at the end, the address that it received from. So the list is read from
        there, as long as a proxy of ours wrote it; what stands before is the client's invention.
        """
        chain = ",".join(forwarded_for).rsplit(",", MOST_HOPS)[-MOST_HOPS:]
        while chain and self.trusts(remote):
            hop = read_address(chain.pop())
            if hop is None:
                break
            remote = str(hop)
        return remote


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a socket or a proxy names; None where it names none.

    A socket for both protocols, and a proxy behind one, call 192.0.2.1 ``::ffff:192.0.2.1``; some
    proxies add a port. Either way it is the same client.
    """
    text = text.strip()
    if found := _WITH_PORT.fullmatch(text):
        text = found[1] or found[2] or ""
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def _network(text: str) -> IPv4Network | IPv6Network:
    """Return a network as `read_address` would have its addresses: those of IPv4 never mapped."""
    parsed = ip_network(text)
    if isinstance(parsed, IPv6Network) and parsed.subnet_of(_MAPPED):
        first = IPv4Address(int(parsed.network_address) - int(_MAPPED.network_address))
        return IPv4Network((first, parsed.prefixlen - _MAPPED.prefixlen))
    return parsed


def source_of(address: str | None) -> str:
    """Return who is counted for an address: the address itself, of IPv6 its /64.

    A /64 is what one subscriber has whole (RFC 6177).
    """
    parsed = read_address(address or "")
    if parsed is None:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)


def counted_source(address: str | None, proxies: TrustedProxies) -> str:
    """Return `source_of` an address, or "" where many may stand behind it.

    Those are proxies that are named, and loopback: a proxy on this machine need not be named.
    """
    parsed = read_address(address or "")
    if parsed is None or parsed.is_loopback or proxies.trusts(address):
        return ""
    return source_of(address)


def proxy_middleware(proxies: TrustedProxies) -> Middleware:
    """Return the middleware that stands outermost: all behind it see the client as if there were no
    proxy.
    """

    @web.middleware
    async def behind_proxy(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not proxies.trusts(request.remote):
            return await handler(request)
        headers = CIMultiDict(request.headers)
        host = request.headers.get(hdrs.X_FORWARDED_HOST, "").split(",")[-1].strip()
        if host:
            headers[hdrs.HOST] = host
        prefix = request.headers.get(PREFIX_HEADER, "").rstrip("/")
        if PATH_PREFIX.fullmatch(prefix):
            request[PREFIX] = prefix
        forwarded_for = request.headers.getall(hdrs.X_FORWARDED_FOR, ())
        request[CLIENT] = proxies.client(request.remote, forwarded_for) or ""
        return await handler(request.clone(headers=headers, remote=request[CLIENT]))

    return behind_proxy


def as_the_client_sees(request: web.Request, location: str) -> str:
    """Return a ``Location`` of ours, below the prefix that a proxy took off on the way in."""
    prefix = request.get(PREFIX, "")
    return prefix + location if location.startswith("/") else location

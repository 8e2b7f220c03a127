"""Directory of engine servers: their addresses, from options or from a list of somebody else."""

import asyncio
import contextlib
import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rtc_server.errors import ConfigError
from rtc_server.host_system import is_loopback
from rtc_server.options.option import hidden_query

_NAMED = re.compile(r"(?:(ws|wss)://)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})/?")

_LONGEST_NAME, _LONGEST_LABEL = 253, 63
"""Characters of a name and of each part between its dots (RFC 1035, section 2.3.4)."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Address of one engine server."""

    name: str
    """Name in logs, metrics and the choice by session: ``unix:PATH``, or address and port."""
    unix: str = ""
    """Path of its socket, on this host."""
    host: str = ""
    """IP address or name; empty for a socket of this host."""
    port: int = 0
    """TCP port; 0 for a socket of this host."""
    tls: bool = False
    """True to connect by TLS."""
    certified: str = ""
    """Name that its certificate must have; empty for `host`."""


class Directory(Protocol):
    """Source of the addresses of all engine servers."""

    async def addresses(self) -> Sequence[ServerAddress]:
        """Return the addresses of all servers; none at all means "not known" and changes nothing.

        Raises:
            OSError: the directory cannot be asked at present.
        """


def parse_address(text: str, least_port: int = 1) -> ServerAddress:
    """Return the address that an option names. Raises `ConfigError`.

    ``unix:PATH``, or ``HOST:PORT``: by TLS, unless it is loopback or written ``ws://HOST:PORT``.
    `least_port` is 0 for an address to listen at, where port 0 stands for any free one.
    """
    if text.startswith("unix:") and len(text) > 5:
        return ServerAddress(text, unix=text.removeprefix("unix:"))
    match = _NAMED.fullmatch(text)
    if match is None or not (is_host(match[2]) and least_port <= int(match[3]) < 65536):
        raise ConfigError(
            f"{hidden_query(text)!a} is not the address of an engine server. Use HOST:PORT, "
            "ws://HOST:PORT for one without TLS, or unix:PATH."
        )
    host = match[2].strip("[]")
    tls = match[1] == "wss" or (not match[1] and not is_loopback(host))
    return ServerAddress(f"{match[2]}:{match[3]}", host=host, port=int(match[3]), tls=tls)


def is_host(text: str) -> bool:
    """Return True for an IP address, an IPv6 one in brackets, and a possible host name.

    Looking up anything else may raise `UnicodeError` instead of `OSError`.
    """
    if text.startswith("["):
        return text.endswith("]") and ":" in text and _is_ip(text[1:-1])
    return len(text) <= _LONGEST_NAME and all(
        0 < len(label) <= _LONGEST_LABEL for label in text.removesuffix(".").split(".")
    )


class NamedServers:
    """Directory of the servers that options name.

    A host name is looked up at each call; each of its addresses is a server.
    """

    def __init__(self, addresses: Sequence[ServerAddress]) -> None:
        self._addresses = addresses
        self._last: dict[ServerAddress, Sequence[ServerAddress]] = {}
        """Latest result of looking up each name."""

    async def addresses(self) -> Sequence[ServerAddress]:
        """Return the servers. See `Directory`."""
        found = [server for each in self._addresses for server in await self._servers(each)]
        return list({server.name: server for server in found}.values())

    async def _servers(self, address: ServerAddress) -> Sequence[ServerAddress]:
        # Servers of a name that cannot be looked up now may still work: they keep their former
        # addresses.
        with contextlib.suppress(OSError, UnicodeError):  # UnicodeError: not a name
            self._last[address] = await _looked_up(address)
        return self._last.get(address, ())


async def _looked_up(address: ServerAddress) -> Sequence[ServerAddress]:
    if address.unix or _is_ip(address.host):
        return [address]
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    ips = dict.fromkeys(str(each[4][0]) for each in found)
    return [
        ServerAddress(
            f"[{ip}]:{address.port}" if ":" in ip else f"{ip}:{address.port}",
            host=ip,
            port=address.port,
            tls=address.tls,
            certified=address.host,
        )
        for ip in ips
    ]


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

"""STUN and TURN servers: as an operator writes them, and as a client gets them."""

import base64
import hmac
import re
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import unquote

from rtc_server.errors import ConfigError

_SHAPE = re.compile(
    r"(?P<scheme>stun|turns?):"
    r"(?:(?P<user>[^:@\s]+):(?P<password>[^@\s]+)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
    r"(?::(?P<port>\d{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?"
)
_DEFAULT_PORT = {"stun": 3478, "turn": 3478, "turns": 5349}

ICE_POLICIES: Final = ("all", "relay")
"""Values of ``RTCConfiguration.iceTransportPolicy`` (W3C WebRTC §4.2.4)."""


@dataclass(frozen=True, slots=True)
class IceServer:
    """One server."""

    scheme: str
    """"stun", "turn" or "turns"."""
    host: str
    """Name or address; an IPv6 address without brackets."""
    port: int
    """UDP or TCP port."""
    transport: str = "udp"
    """Protocol to a TURN server: "udp" or "tcp"."""
    username: str = ""
    """TURN user; empty for STUN, and for TURN while no credential has been made."""
    credential: str = field(default="", repr=False)
    """TURN password."""

    @property
    def url(self) -> str:
        """RFC 7064 or RFC 7065 URI, without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = "" if self.scheme == "stun" else f"?transport={self.transport}"
        return f"{self.scheme}:{host}:{self.port}{query}"

    @property
    def wants_credential(self) -> bool:
        """True for a TURN server without a user of its own: each session gets one."""
        return self.scheme != "stun" and not self.username


@dataclass(frozen=True, slots=True)
class IceServers:
    """The servers of a deployment, and how their users are made."""

    servers: tuple[IceServer, ...] = ()
    """In the operator's order."""
    secret: str = field(default="", repr=False)
    """Secret of our TURN servers, their ``static-auth-secret``; empty when each has a user."""
    credential_s: int = 0
    """Time for which a session's credential opens relays."""
    policy: str = "all"
    """Policy for clients: one of `ICE_POLICIES`."""

    def __post_init__(self) -> None:
        for server in self.servers:
            if server.wants_credential and not self.secret:
                raise ConfigError(
                    f"The TURN server at {server.host} needs a user and a password. Write "
                    "turn:user:password@host:port, or set --turn-secret to the server's "
                    "static-auth-secret."
                )
        if self.secret and not any(server.wants_credential for server in self.servers):
            raise ConfigError(
                "--turn-secret is set, but no TURN server in --ice-servers is without a user. "
                "Write turn:host:port for a server that takes it."
            )
        if self.policy == "relay" and all(each.scheme == "stun" for each in self.servers):
            raise ConfigError(
                "--ice-policy relay needs a TURN server in --ice-servers: without one nobody "
                "could connect."
            )

    def for_client(self, name: str, expires_at: int) -> tuple[IceServer, ...]:
        """Return the servers for one session. `name` shows in the TURN server's log; Unix time."""
        return tuple(
            with_credential(each, self.secret, name, expires_at) if each.wants_credential else each
            for each in self.servers
        )


def with_credential(server: IceServer, secret: str, name: str, expires_at: int) -> IceServer:
    """Return `server` with a credential that opens relays until `expires_at` (Unix time).

    As coturn's ``use-auth-secret`` wants it (draft-uberti-behave-turn-rest-00, section 2.2): the
    user is the time and a name, the password the base64 of its HMAC-SHA1.
    """
    username = f"{expires_at}:{name}"
    digest = hmac.digest(secret.encode(), username.encode(), "sha1")
    return replace(server, username=username, credential=base64.b64encode(digest).decode())


def parse_ice_server(text: str, position: int = 1) -> IceServer:
    """Parse entry `position` of ``--ice-servers``, counted from 1.

    User and password may be percent-encoded; the password may hold colons.

    Raises:
        ConfigError: it has another shape. The sentence does not repeat it: it may hold a password.
    """
    found = _SHAPE.fullmatch(text.strip())
    if found is None or int(found["port"] or 1) not in range(1, 65536):
        raise ConfigError(
            f"Entry {position} of --ice-servers is wrong. Write stun:host:port, turn:host:port "
            "with --turn-secret, or turn:user:password@host:port (turns: for TLS, ?transport=tcp "
            "behind it for TCP), with @ inside a password as %40 and : inside a user as %3A."
        )
    scheme = found["scheme"]
    return IceServer(
        scheme=scheme,
        host=found["host"].strip("[]"),
        port=int(found["port"] or _DEFAULT_PORT[scheme]),
        transport=found["transport"] or ("tcp" if scheme == "turns" else "udp"),
        username=unquote(found["user"] or ""),
        credential=unquote(found["password"] or ""),
    )

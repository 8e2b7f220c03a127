"""STUN and TURN servers as an operator writes them: ``turn:user:password@host:port``."""

import re
from dataclasses import dataclass, field
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
    """How TURN is spoken to it: "udp" or "tcp"."""
    username: str = ""
    """TURN user; empty for STUN."""
    credential: str = field(default="", repr=False)
    """TURN password."""

    @property
    def url(self) -> str:
        """RFC 7064 or RFC 7065 URI, without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = "" if self.scheme == "stun" else f"?transport={self.transport}"
        return f"{self.scheme}:{host}:{self.port}{query}"


def parse_ice_server(text: str) -> IceServer:
    """Read one. User and password may be percent-encoded; the password may hold colons.

    Raises:
        ConfigError: it has another shape. The sentence does not repeat it: it may hold a password.
    """
    found = _SHAPE.fullmatch(text.strip())
    if found is None or int(found["port"] or 1) not in range(1, 65536):
        raise ConfigError(
            "An entry of --ice-servers is wrong. Write stun:host:port or "
            "turn:user:password@host:port (turns: for TLS, ?transport=tcp behind it for TCP), "
            "with @ inside a password as %40 and : inside a user as %3A."
        )
    scheme = found["scheme"]
    if scheme != "stun" and found["user"] is None:
        raise ConfigError(
            f"The TURN server at {found['host']} needs a user and a password. "
            "Write turn:user:password@host:port."
        )
    return IceServer(
        scheme=scheme,
        host=found["host"].strip("[]"),
        port=int(found["port"] or _DEFAULT_PORT[scheme]),
        transport=found["transport"] or ("tcp" if scheme == "turns" else "udp"),
        username=unquote(found["user"] or ""),
        credential=unquote(found["password"] or ""),
    )

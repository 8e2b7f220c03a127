"""STUN and TURN servers as an operator writes them: ``turn:user:password@host:port``."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from rtc_server.errors import ConfigError

_SHAPE = re.compile(
    r"(?P<scheme>stuns?|turns?):"
    r"(?:(?P<user>[^@\s]+):(?P<password>[^:@\s]+)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
    r"(?::(?P<port>\d{1,5}))?"
    r"(?P<query>\?transport=(?:udp|tcp))?"
)


@dataclass(frozen=True, slots=True)
class IceServer:
    """One server, as RTCIceServer has it."""

    url: str
    """RFC 7064 or RFC 7065 URI, without credentials."""
    username: str = ""
    """TURN user; empty for STUN."""
    credential: str = field(default="", repr=False)
    """TURN password."""


def parse_ice_server(text: str) -> IceServer:
    """Read one. User and password may be percent-encoded; the user may hold colons.

    Raises:
        ConfigError: it has another shape. The sentence does not repeat it: it may hold a password.
    """
    found = _SHAPE.fullmatch(text.strip())
    if found is None or int(found["port"] or 1) not in range(1, 65536):
        raise ConfigError(
            "An entry of --ice-servers is wrong. Write stun:host:port or "
            "turn:user:password@host:port, with ?transport=tcp behind it for TURN over TCP, "
            "and @ or : inside a password as %40 or %3A."
        )
    if found["scheme"].startswith("turn") and found["user"] is None:
        raise ConfigError(
            f"The TURN server at {found['host']} needs a user and a password. "
            "Write turn:user:password@host:port."
        )
    port = f":{found['port']}" if found["port"] else ""
    return IceServer(
        url=f"{found['scheme']}:{found['host']}{port}{found['query'] or ''}",
        username=unquote(found["user"] or ""),
        credential=unquote(found["password"] or ""),
    )

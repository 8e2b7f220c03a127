"""STUN and TURN servers from the setting's URLs. Pure."""

import re
from collections.abc import Sequence
from typing import Any, Final

from rtc_server.errors import ConfigError

_URL: Final = re.compile(
    r"(?P<scheme>stun|turn|turns):(?:(?P<user>[^:@]+):(?P<password>.+)@)?"
    r"(?P<host>\[[0-9A-Fa-f:]+\]|[^:@?/\[\]]+)(?::(?P<port>\d{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?"
)
_DEFAULT_PORT: Final = {"stun": 3478, "turn": 3478, "turns": 5349}


def agent_servers(urls: Sequence[str]) -> tuple[tuple[str, Any], ...]:
    """aioice's keyword arguments for the first STUN and the first TURN server of `urls`.

    Raises:
        ConfigError: an URL is malformed, or a TURN server has no user and password.
    """
    found: dict[str, Any] = {}
    for url in urls:
        match = _URL.fullmatch(url)
        if match is None:
            raise ConfigError(
                "An ICE server must look like stun:host:port or turn:user:password@host:port "
                "(turns: for TLS, ?transport=tcp for TCP)."
            )
        scheme = match["scheme"]
        address = (match["host"].strip("[]"), int(match["port"] or _DEFAULT_PORT[scheme]))
        if scheme == "stun":
            found.setdefault("stun_server", address)
            continue
        if match["user"] is None:
            raise ConfigError("A TURN server needs a user and a password: turn:user:password@host.")
        if "turn_server" not in found:
            tls = scheme == "turns"
            found |= {
                "turn_server": address,
                "turn_username": match["user"],
                "turn_password": match["password"],
                "turn_ssl": tls,
                "turn_transport": match["transport"] or ("tcp" if tls else "udp"),
            }
    return tuple(found.items())

"""STUN and TURN servers as aioice wants them. Pure."""

from collections.abc import Sequence
from typing import Any

from rtc_server.ice import parse_ice_server


def agent_servers(texts: Sequence[str]) -> tuple[tuple[str, Any], ...]:
    """aioice's keyword arguments for the first STUN and the first TURN server of the setting.

    Raises:
        ConfigError: an entry is wrong.
    """
    found: dict[str, Any] = {}
    for server in map(parse_ice_server, texts):
        address = (server.host, server.port)
        if server.scheme == "stun":
            found.setdefault("stun_server", address)
        elif "turn_server" not in found:
            found |= {
                "turn_server": address,
                "turn_username": server.username,
                "turn_password": server.credential,
                "turn_ssl": server.scheme == "turns",
                "turn_transport": server.transport,
            }
    return tuple(found.items())

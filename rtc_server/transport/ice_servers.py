"""STUN and TURN servers as aioice's arguments. Pure."""

from typing import Any

from rtc_server.ice import IceServer, IceServers


def stun_server(ice: IceServers) -> tuple[str, int] | None:
    """Return host and port of the first STUN server, else of the first TURN server, that answers
    over UDP. TURN servers also report an address.
    """
    for server in sorted(ice.servers, key=lambda each: each.scheme != "stun"):
        if server.transport == "udp" and server.scheme != "turns":
            return server.host, server.port
    return None


def agent_servers(ice: IceServers, *, relay: bool, now_s: float) -> tuple[tuple[str, Any], ...]:
    """Return aioice's keyword arguments for the first STUN server and, with `relay`, for the first
    TURN server that it can use.

    `now_s` is Unix time: where TURN users are made for each session, one is made for this server.
    """
    found: dict[str, Any] = {}
    for server in ice.for_client("server", int(now_s) + ice.credential_s):
        if server.scheme == "stun":
            found.setdefault("stun_server", (server.host, server.port))
        elif relay and "turn_server" not in found and _can_use(server):
            found |= {
                "turn_server": (server.host, server.port),
                "turn_username": server.username,
                "turn_password": server.credential,
                "turn_ssl": server.scheme == "turns",
                "turn_transport": server.transport,
            }
    return tuple(found.items())


def _can_use(server: IceServer) -> bool:
    """Return whether aioice can use a server: TURN over UDP, TCP or TLS, and not over DTLS."""
    return server.scheme == "turn" or (server.scheme == "turns" and server.transport == "tcp")

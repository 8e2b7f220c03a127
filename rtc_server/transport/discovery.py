"""Requests to STUN and TURN servers: this machine's public address, and a test of one server."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rtc_server.clock import Clock
from rtc_server.errors import ConfigError
from rtc_server.ice import IceServer, IceServers
from rtc_server.transport import relay
from rtc_server.transport.addresses import addresses_to_offer
from rtc_server.transport.datagram_reader import DatagramReader
from rtc_server.transport.gathering import IceOptions
from rtc_server.transport.ice_agent import IceAgent
from rtc_server.transport.ice_servers import agent_servers, stun_server
from rtc_server.transport.transport_settings import PUBLIC_BY_STUN, TransportSettings


async def with_public_address(
    settings: TransportSettings, host: str, clock: Clock
) -> TransportSettings:
    """Return the settings with the public address in place of the value ``stun``.

    Args:
        host: the address HTTP listens on (see `addresses_to_offer`).

    Raises:
        ConfigError: no server could be asked, or none answered.
    """
    if settings.public_address != PUBLIC_BY_STUN:
        return settings
    server = stun_server(settings.ice())
    if server is None:
        raise ConfigError(
            "--public-address stun needs a server that answers over UDP. Name a STUN server in "
            "--ice-servers, or write the address itself."
        )
    options = IceOptions(
        addresses=tuple(addresses_to_offer(settings, host)), servers=(("stun_server", server),)
    )
    agent = IceAgent(options, clock, DatagramReader(), ice_controlling=False)
    try:
        await agent.gather_candidates()
        seen = [each.host for each in agent.local_candidates if each.type == "srflx"]
    finally:
        await agent.close()
    if not seen:
        raise ConfigError(
            f"The STUN server {server[0]} port {server[1]} did not report the public address. "
            "Check it and that UDP may leave this machine, or write the address itself."
        )
    return replace(settings, public_address=seen[0])


@dataclass(frozen=True, slots=True)
class IceServerAnswer:
    """Result of asking one STUN or TURN server."""

    address: str
    """The address that it gave, by STUN or for a relay; empty when it gave none."""
    reaches: tuple[str, ...] = ()
    """Networks of `PRIVATE` that its relay lets its users reach."""


PRIVATE: Final = ("169.254.169.254", "10.255.255.254", "172.31.255.254", "192.168.255.254")
"""Addresses that a TURN server should relay to for nobody: clouds keep a machine's credentials at
the first, the others are in private networks."""


async def ask_ice_server(
    ice: IceServers, server: IceServer, addresses: Sequence[str], clock: Clock, wall: Clock
) -> IceServerAnswer:
    """Ask one server of `ice` for an address and, if it relays, whether it relays to `PRIVATE`.

    Args:
        addresses: local addresses to ask from.
        wall: Unix time, for TURN users made for the moment.
    """
    alone = replace(ice, servers=(server,), policy="all",
                    secret=ice.secret if server.wants_credential else "")  # fmt: skip
    servers = agent_servers(alone, relay=True, now_s=wall())
    options = IceOptions(addresses=tuple(addresses), servers=servers)
    agent = IceAgent(options, clock, DatagramReader(), ice_controlling=False)
    try:
        await agent.gather_candidates()
        given = [each for each in agent.local_candidates if each.type in ("srflx", "relay")]
        if not given:
            return IceServerAnswer("")
        reaches: list[str] = []
        for turn in agent.relays:
            reaches += [each for each in PRIVATE if await relay.admits(turn, each)]
        return IceServerAnswer(given[0].host, tuple(reaches))
    finally:
        await agent.close()

"""WebRTC: addresses, ports, ICE servers, and the deadlines of a connection."""

import ipaddress
import itertools
from dataclasses import dataclass

from rtc_server.errors import ConfigError
from rtc_server.ice import ICE_POLICIES, IceServers, parse_ice_server
from rtc_server.options import option
from rtc_server.options.option import hidden, hidden_password

PUBLIC_BY_STUN = "stun"
"""Value of ``--public-address`` for the address that a STUN server reports."""


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """WebRTC settings: addresses, servers and deadlines."""

    ice_addresses: tuple[str, ...] = option(
        (),
        "local addresses to offer, comma separated; by default loopback when the server listens "
        "on loopback, else every address of this machine",
    )
    public_address: str = option(
        "",
        "address at which clients reach this machine, if it is behind a 1:1 NAT; stun asks the "
        "first STUN server of --ice-servers, else the first TURN server, for it at start",
    )
    udp_port_first: int = option(
        0, "first UDP port for media; 0 lets the system choose", low=0, high=65535
    )
    udp_port_last: int = option(0, "last UDP port for media", low=0, high=65535)
    ice_servers: tuple[str, ...] = option(
        (),
        "STUN and TURN servers for clients, comma separated (turn:host:port, or with a fixed user "
        "turn:user:password@host:port)",
        mask=hidden_password,
    )
    turn_secret: str = option(
        "",
        "static-auth-secret of the TURN servers that are listed without a user; the server makes "
        "a user for each session",
        mask=hidden,
    )
    turn_credential_s: int = option(
        3600,
        "seconds for which a TURN user made for a session may open relays",
        low=60,
        high=604_800,
    )
    ice_policy: str = option(
        "all",
        "paths that clients may use; relay: through a TURN server only",
        choices=ICE_POLICIES,
    )
    server_relay: str = option(
        "off",
        "whether clients reach this server through its first TURN server: off, also, or only "
        "through it",
        choices=("off", "also", "only"),
    )
    connect_timeout_s: float = option(
        15.0, "seconds that a new call may take to connect", low=1, high=120
    )
    dead_peer_timeout_s: float = option(
        8.0, "seconds without a packet after which a peer counts as gone", low=2, high=120
    )
    resume_s: float = option(
        30.0,
        "seconds for which a session waits for a client whose connection was lost, and its "
        "transcript for a reader; 0 ends it at once",
        low=0,
        high=600,
    )

    def __post_init__(self) -> None:
        if self.udp_port_last < self.udp_port_first:
            raise ConfigError(
                f"The UDP port range {self.udp_port_first} to {self.udp_port_last} is empty. "
                "Set --udp-port-first and --udp-port-last together."
            )
        servers = self.ice().servers
        if self.server_relay != "off" and all(each.scheme == "stun" for each in servers):
            raise ConfigError("--server-relay needs a TURN server in --ice-servers.")
        public = self.public_address
        if public == PUBLIC_BY_STUN and not servers:
            raise ConfigError(
                "--public-address stun needs a server to ask. Name one in --ice-servers."
            )
        addresses = [] if public in ("", PUBLIC_BY_STUN) else [public]
        for address in (*self.ice_addresses, *addresses):
            try:
                ipaddress.ip_address(address)
            except ValueError:
                raise ConfigError(
                    f"{address!r} is not an IP address. --ice-addresses and --public-address "
                    "take addresses such as 192.0.2.7, not names."
                ) from None

    def ice(self) -> IceServers:
        """Return the STUN and TURN servers. Raises `ConfigError` when they cannot work."""
        return IceServers(
            servers=tuple(map(parse_ice_server, self.ice_servers, itertools.count(1))),
            secret=self.turn_secret,
            credential_s=self.turn_credential_s,
            policy=self.ice_policy,
        )

"""Choice of the addresses that we offer, and of the peer's addresses that we send to. Pure but for
one look at the machine's network interfaces.
"""

import ipaddress
from collections.abc import Sequence

import ifaddr

from rtc_server.transport.transport_settings import TransportSettings

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052."""


def addresses_to_offer(settings: TransportSettings, host: str) -> list[str]:
    """Return the local IP addresses for media when HTTP listens on `host`.

    Set ones win. Otherwise media follows HTTP: loopback stays loopback, one address stays that
    address, and "all addresses" are all but loopback and link-local ones.
    """
    if settings.ice_addresses:
        return list(settings.ice_addresses)
    if host == "localhost":
        return ["127.0.0.1", "::1"]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _machine_addresses()
    return _machine_addresses() if address.is_unspecified else [str(address)]


def is_public(local_addresses: Sequence[str], public_address: str = "") -> bool:
    """Return whether anybody may reach us unasked: a public address is set, or ours is one.

    A public IPv6 address beside a private IPv4 one says nothing: so stand machines at home, behind
    a firewall that lets in only what was sent to.
    """
    ours = [ipaddress.ip_address(each) for each in local_addresses]
    telling = [each for each in ours if each.version == 4] or ours
    return bool(public_address) or any(each.is_global for each in telling)


def may_send_to(address: str, local_addresses: Sequence[str], public_address: str = "") -> bool:
    """Return whether connectivity checks may go to `address`, which a stranger named.

    Never to multicast, broadcast or link-local addresses, to loopback only when loopback is what
    we offer, and from a public server to public addresses only: otherwise an offer could make this
    server probe its own network. Who is in that network and checks us is answered all the same.
    """
    remote = ipaddress.ip_address(address)
    local = [ipaddress.ip_address(each) for each in local_addresses]
    if isinstance(remote, ipaddress.IPv6Address) and _holds_ipv4(remote):
        return False
    if remote.is_multicast or remote.is_unspecified or remote.is_link_local:
        return False
    if isinstance(remote, ipaddress.IPv4Address) and remote.is_reserved:
        return False
    if is_public(local_addresses, public_address):
        return remote.is_global
    if remote.is_loopback:
        return any(each.is_loopback for each in local)
    return not all(each.is_loopback for each in local)


def _holds_ipv4(address: ipaddress.IPv6Address) -> bool:
    """Return whether a gateway may turn it into an IPv4 address, which could be any."""
    return (
        address.ipv4_mapped is not None
        or address.sixtofour is not None
        or address.teredo is not None
        or address in _NAT64
    )


def _machine_addresses() -> list[str]:
    found = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            address = ipaddress.ip_address(text)
            if not (address.is_loopback or address.is_link_local):
                found.append(str(address))
    return found

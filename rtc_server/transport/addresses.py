"""Choice of the addresses that we offer, and of the peer's addresses that we send to.

Pure, except that `addresses_to_offer` reads the machine's network interfaces.
"""

import ipaddress
from collections.abc import Sequence

import ifaddr

from rtc_server.transport.transport_settings import TransportSettings

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052."""


def addresses_to_offer(settings: TransportSettings, host: str) -> list[str]:
    """Return the local IP addresses for media when HTTP listens on `host`.

    Addresses from the settings are used as they are. Without any, media follows HTTP: loopback
    stays loopback, one address stays that address, and "all addresses" (or a host name) become all
    addresses of the machine except loopback and link-local ones.
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
    """Return whether strangers can reach us: a public address is set, or one of ours is public.

    IPv6 addresses count only where there is no IPv4 address. A machine at home often has a public
    IPv6 address beside a private IPv4 one, and a firewall that lets in answers only.
    """
    ours = [ipaddress.ip_address(each) for each in local_addresses]
    decisive = [each for each in ours if each.version == 4] or ours
    return bool(public_address) or any(each.is_global for each in decisive)


def may_send_to(address: str, local_addresses: Sequence[str], public_address: str = "") -> bool:
    """Return whether connectivity checks may go to `address`, which a stranger named.

    They never go to multicast, broadcast or link-local addresses; to loopback only if we offer
    loopback; and from a public server to public addresses only. Otherwise an offer could make this
    server probe its own network. A peer in that network which checks us is still answered.
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
    """Return whether a gateway may translate it to an IPv4 address, which could be any address."""
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

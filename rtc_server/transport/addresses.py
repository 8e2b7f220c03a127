"""Which addresses we offer, and which of the peer's we are willing to send to. Pure but for one
look at the machine's network interfaces."""

import ipaddress
from collections.abc import Sequence

import ifaddr

from rtc_server.config import TransportSettings


def addresses_to_offer(settings: TransportSettings, host: str) -> list[str]:
    """Local IP addresses for media when HTTP listens on `host`.

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


def may_send_to(address: str, local_addresses: Sequence[str]) -> bool:
    """Whether connectivity checks may go to `address`, which a stranger named.

    Never to multicast, broadcast or link-local addresses, and to loopback only when loopback is
    what we offer: otherwise an offer could make this server probe its own network.
    """
    remote = ipaddress.ip_address(address)
    local = [ipaddress.ip_address(each) for each in local_addresses]
    if isinstance(remote, ipaddress.IPv6Address) and remote.ipv4_mapped is not None:
        return False
    if remote.is_multicast or remote.is_unspecified or remote.is_link_local:
        return False
    if isinstance(remote, ipaddress.IPv4Address) and remote.is_reserved:
        return False
    if remote.is_loopback:
        return any(each.is_loopback for each in local)
    return not all(each.is_loopback for each in local)


def _machine_addresses() -> list[str]:
    found = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            address = ipaddress.ip_address(text)
            if not (address.is_loopback or address.is_link_local):
                found.append(str(address))
    return found

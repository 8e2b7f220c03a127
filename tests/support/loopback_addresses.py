"""Clients that connect over loopback: aioice gathers no such address by itself.

The server under test does not call what is replaced here. It is replaced in this module alone, so
that whoever is imported last changes nothing for the others.
"""

import functools
from collections.abc import Sequence
from contextvars import ContextVar

import aioice.ice

addresses: ContextVar[Sequence[str]] = ContextVar("addresses", default=("127.0.0.1",))
"""Addresses that peers of this context gather."""


@functools.wraps(aioice.ice.get_host_addresses)  # so that its name and parameters can be looked at
def _chosen(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    return list(addresses.get())


aioice.ice.get_host_addresses = _chosen

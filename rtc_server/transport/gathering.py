"""Candidate gathering: an ICE agent's own sockets, and candidates from STUN and TURN servers."""

import asyncio
import contextlib
import logging
import random
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from aioice import Candidate, Connection, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol, relayed_candidate, server_reflexive_candidate
from aioice.turn import TurnTransport

from rtc_server.transport import relay
from rtc_server.transport.datagram_reader import DatagramReader
from rtc_server.transport.datagram_socket import DatagramSocket
from rtc_server.transport.guard import DatagramGuard

logger = logging.getLogger(__name__)

Found: TypeAlias = tuple[Candidate, StunProtocol | None]
"""A candidate, and its relay when it has one."""
Asking: TypeAlias = asyncio.Task[Found]
"""Request to a STUN or TURN server that is under way."""

RECEIVE_BUFFER_BYTES: Final = 262_144
"""Receive buffer requested for each socket (the kernel doubles it for its own needs): enough that a
flood of strangers' datagrams, or half a second without the event loop, costs the peer no packet."""
SERVER_TIMEOUT_S: Final = 2.0
"""Time limit for STUN and TURN servers while an answer waits for them."""
PORT_ATTEMPTS: Final = 50
"""Ports of the range that are tried before it counts as full."""


@dataclass(frozen=True, slots=True)
class IceOptions:
    """ICE settings of one agent: this machine's addresses, ports and servers."""

    addresses: tuple[str, ...]
    """Local addresses to bind and offer."""
    public_address: str = ""
    """Address offered in place of a bound one of the same IP version (1:1 NAT); empty for none."""
    ports: tuple[int, int] = (0, 0)
    """First and last UDP port to bind; zeros let the system choose."""
    servers: tuple[tuple[str, Any], ...] = ()
    """aioice's keyword arguments for a STUN and a TURN server."""
    relay_only: bool = False
    """True to offer only an address of the TURN server."""
    relayed_peers_only: bool = False
    """True to use only those addresses of the peer that it signals as relayed."""


def open_socket(
    agent: Connection, address: str, options: IceOptions, reader: DatagramReader
) -> DatagramGuard | None:
    """Return a UDP socket on `address` with its candidate; None, and the reason in the log, when
    none of the tried ports can be bound.
    """
    refusal = ""
    for port in _ports_to_try(*options.ports):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        owned = socket.socket(family, socket.SOCK_DGRAM)
        try:
            owned.setblocking(False)
            owned.bind((address, port))
            with contextlib.suppress(OSError):  # more than the system allows: its default will do
                owned.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            guard = DatagramGuard(agent)
            transport = DatagramSocket(owned, guard, reader)
        except OSError as error:
            owned.close()
            refusal = str(error.strerror)
            continue
        guard.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", address),
            component=1,
            transport="udp",
            priority=candidate_priority(1, "host"),
            host=_advertised(address, options.public_address),
            port=transport.get_extra_info("sockname")[1],
            type="host",
        )
        return guard
    logger.warning("No socket for media on %s: %s", address, refusal)
    return None


async def ask_servers(
    agent: Connection, guards: Sequence[DatagramGuard], options: IceOptions
) -> list[Found]:
    """Return the candidates from the agent's STUN and TURN servers, and the relay's socket.

    A server that refuses, or does not answer within `SERVER_TIMEOUT_S`, adds none and is logged.
    """
    tasks: list[Asking] = []
    if agent.stun_server and not options.public_address:
        tasks += [
            asyncio.create_task(server_reflexive_candidate(guard, agent.stun_server))
            for guard in guards
            if ":" not in guard.local_candidate.host
        ]
    if agent.turn_server:
        relayed = relayed_candidate(
            component=1,
            hide_related_address=options.relay_only,
            protocol_factory=lambda: DatagramGuard(agent),
            turn_server=agent.turn_server,
            turn_username=agent.turn_username,
            turn_password=agent.turn_password,
            turn_ssl=agent.turn_ssl,
            turn_transport=agent.turn_transport,
        )
        tasks.append(asyncio.create_task(relayed))
    if not tasks:
        return []
    try:
        _, late = await asyncio.wait(tasks, timeout=SERVER_TIMEOUT_S)
    except asyncio.CancelledError:
        await _cancel(tasks)
        for _, turn in _results(tasks):
            if turn is not None:
                relay.abort(cast(TurnTransport, turn.transport))
        raise
    if late:
        logger.warning("A STUN or TURN server did not answer in %g s", SERVER_TIMEOUT_S)
        await _cancel(late)
    return _results(tasks)


async def _cancel(tasks: Iterable[Asking]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _results(tasks: Iterable[Asking]) -> list[Found]:
    """Return the results of the tasks that succeeded; log why others failed."""
    found = []
    for task in tasks:
        if task.cancelled():
            continue
        error = task.exception()
        if error is None:
            found.append(task.result())
        else:
            logger.warning("A STUN or TURN server refused us: %s", _refusal(error))
    return found


def _advertised(address: str, public: str) -> str:
    return public if public and (":" in public) == (":" in address) else address


def _ports_to_try(first: int, last: int) -> list[int]:
    if last == 0:
        return [0]
    count = min(PORT_ATTEMPTS, last - first + 1)
    return random.sample(range(first, last + 1), count)


def _refusal(error: BaseException) -> str:
    """Return the reason of a refusal without the server's own text, which may name a user."""
    if isinstance(error, stun.TransactionFailed):
        return f"error {error.response.error_code}"
    return type(error).__name__

"""Limits on connectivity checks to addresses that a peer names: an offer may name anybody's.

aioice pairs each with every socket and sends seven checks over half a minute: a few offers would
turn a server into a tool that probes and floods others. This subclass bounds that, and changes
nothing else of ICE. It uses private names of aioice, which
``tests/unit/transport/test_contracts.py`` pins.
"""

from typing import Final

from aioice import Candidate, Connection
from aioice.candidate import candidate_priority
from aioice.ice import CandidatePair

from rtc_server.transport.addresses import is_public
from rtc_server.transport.gathering import IceOptions
from rtc_server.transport.source_limiter import Source

MAX_UNASKED: Final = 100
"""Datagrams that one call sends to addresses which have proved nothing. RFC 8445 §6.1.2.5 allows as
many pairs, and each is checked once: a peer that is there checks us, too, and is answered."""
SENDS_TO_LITE: Final = 4
"""Checks sent to an address of an ICE-lite peer. It never checks us, and datagrams are lost; it
also has few addresses."""


class SparingConnection(Connection):
    """aioice's connection, which checks few addresses unasked, and none where anybody can ask.

    A server that is public (`is_public`) behaves as ICE lite in this: it waits for the peer's
    checks, and only those lead to checks of its own (RFC 8445 §7.3.1.4). Its relay does not
    wait, for a TURN server lets nobody in who was not sent to. Nor does it wait for a peer that is
    lite itself.
    """

    def __init__(self, options: IceOptions, *, ice_controlling: bool) -> None:
        super().__init__(ice_controlling=ice_controlling, **dict(options.servers))
        self._is_peer_lite = ice_controlling
        self._waits = not self._is_peer_lite and is_public(
            options.addresses, options.public_address
        )
        self._proved: set[Source] = set()
        """Addresses that the peer has checked us from: it has our password."""

    def max_checks_to(self, address: Source) -> int | None:
        """Return how often a check to `address` is sent at most; None for the RFC's seven."""
        if address in self._proved:
            return None
        return SENDS_TO_LITE if self._is_peer_lite else 1

    def sort_check_list(self) -> None:
        """Sort by priority, and drop the last of those that nobody has asked for."""
        super().sort_check_list()
        room = MAX_UNASKED // (SENDS_TO_LITE if self._is_peer_lite else 1)
        for pair in reversed(self._check_list):
            if len(self._check_list) <= room:
                return
            if pair.state is CandidatePair.State.FROZEN:
                self._check_list.remove(pair)

    def _pair_remote_candidate(self, remote_candidate: Candidate) -> None:
        known = len(self._check_list)
        super()._pair_remote_candidate(remote_candidate)
        if self._waits:
            self._check_list[known:] = [
                pair for pair in self._check_list[known:] if pair.local_candidate.type == "relay"
            ]


def is_abandoned(pair: CandidatePair) -> bool:
    """Return whether a pair counts as being checked although nobody does."""
    under_way = pair.task is not None and not pair.task.done()
    return pair.state is CandidatePair.State.IN_PROGRESS and not under_way


def peer_reflexive(source: Source) -> Candidate:
    """Return the candidate for an address that the peer was seen to send from."""
    return Candidate(
        foundation="rebound",
        component=1,
        transport="udp",
        priority=candidate_priority(1, "prflx"),
        host=source[0],
        port=source[1],
        type="prflx",
    )

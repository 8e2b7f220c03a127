"""Limits on connectivity checks to addresses that a peer names: an offer may name anyone's address.

aioice pairs each address with every socket and sends seven checks over half a minute. With a few
offers, a server could be used to probe and flood others. This subclass limits the checks, and
changes nothing else of ICE. It uses private names of aioice, which
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
"""Datagrams that one call sends to addresses that have proved nothing: the number of pairs that RFC
8445 §6.1.2.5 allows, each checked once. A real peer also checks us, and is answered."""
SENDS_TO_LITE: Final = 4
"""Checks sent to each address of an ICE-lite peer. It never checks us, so one lost datagram must
not end the attempt; and it has few addresses."""


class SparingConnection(Connection):
    """aioice's connection, which checks few addresses before they have checked us.

    A public server (`is_public`) checks none of them. Like an ICE-lite agent it waits for the
    peer's checks, and answers each with a check of its own (RFC 8445 §7.3.1.4). Two cases do not
    wait: a relay, because a TURN server lets in only peers that were sent to, and a peer that is
    ICE lite itself.
    """

    def __init__(self, options: IceOptions, *, ice_controlling: bool) -> None:
        super().__init__(ice_controlling=ice_controlling, **dict(options.servers))
        self._is_peer_lite = ice_controlling
        self._waits = not self._is_peer_lite and is_public(
            options.addresses, options.public_address
        )
        self._proved: set[Source] = set()
        """Addresses from which checks with our password came."""

    def max_checks_to(self, address: Source) -> int | None:
        """Return how often a check to `address` is sent at most; None for the RFC's seven times."""
        if address in self._proved:
            return None
        return SENDS_TO_LITE if self._is_peer_lite else 1

    def sort_check_list(self) -> None:
        """Sort pairs by priority, and drop the lowest of those not yet tried, beyond the limit."""
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
    """Return whether a pair is marked as in progress although no task checks it."""
    under_way = pair.task is not None and not pair.task.done()
    return pair.state is CandidatePair.State.IN_PROGRESS and not under_way


def peer_reflexive(source: Source) -> Candidate:
    """Return the candidate for an address from which the peer sends."""
    return Candidate(
        foundation="rebound",
        component=1,
        transport="udp",
        priority=candidate_priority(1, "prflx"),
        host=source[0],
        port=source[1],
        type="prflx",
    )

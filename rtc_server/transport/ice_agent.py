"""One session's ICE agent: aioice with our own sockets, addresses and rules about strangers.

aioice offers every address except loopback, binds any port, queries mDNS for a second, trusts
every source, and takes half a minute to notice that a peer has gone. This subclass changes these
five and nothing else of ICE. It uses private names of aioice, which
``tests/unit/transport/test_contracts.py`` pins.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

from aioice import Candidate, stun
from aioice.candidate import candidate_priority
from aioice.ice import CandidatePair, StunProtocol
from aioice.turn import TurnTransport

from rtc_server.clock import Clock
from rtc_server.error_location import location_of
from rtc_server.transport import relay
from rtc_server.transport.addresses import may_send_to
from rtc_server.transport.checks import SparingConnection, is_abandoned, peer_reflexive
from rtc_server.transport.datagram_reader import DatagramReader
from rtc_server.transport.gathering import IceOptions, ask_servers, open_socket
from rtc_server.transport.guard import DatagramGuard
from rtc_server.transport.sdp_lines import RemoteCandidate
from rtc_server.transport.source_limiter import Source, SourceLimiter

logger = logging.getLogger(__name__)

MAX_REMOTE_CANDIDATES: Final = 40
"""Most addresses of the peer that are kept, signalled and discovered. Each change of address by its
NAT adds one."""
MAX_QUEUED_DATAGRAMS: Final = 256
"""DTLS records that may wait for the DTLS task; more are dropped, and the peer repeats them."""
STRAY_PER_S: Final = 2.0
"""SRTP packets per second from one unknown address whose authentication tag is checked."""
STRAYS_PER_S: Final = 50.0
"""The same for all unknown addresses together. It is more than `STRAY_PER_S`, so that a flood from
one address does not hide the peer behind a NAT that changed its address."""
MAX_SEND_BUFFER_BYTES: Final = 65_536
"""Bytes that may wait in the connection to a TURN server. Media beyond that would be late, and is
dropped."""
RELAY_CLOSE_S: Final = 1.0
"""Time limit for a TURN server to free its relay while we close."""


class IceAgent(SparingConnection):
    """ICE agent of one session: aioice's connection, which receives through `DatagramGuard`s."""

    def __init__(
        self, options: IceOptions, clock: Clock, reader: DatagramReader, *, ice_controlling: bool
    ) -> None:
        super().__init__(options, ice_controlling=ice_controlling)
        self._options = options
        self._reader = reader
        self._clock = clock
        self._limiter = SourceLimiter()
        self._stray_limit = SourceLimiter(stranger_per_s=STRAY_PER_S, strangers_per_s=STRAYS_PER_S)
        self._validated: set[Source] = set()
        self.media_received: Callable[[bytes], None] = drop_media
        """Callback for SRTP and SRTCP from a validated address; drops them until keys are known."""
        self.authenticates: Callable[[bytes], bool] | None = None
        """Check that SRTP has the peer's authentication tag; None until the keys are known."""
        self.last_seen_s = clock()
        """Time of the peer's last check, or answer to a check; at first, the start."""
        self._socket_lost = False
        self.dropped_datagrams = 0
        """Number of datagrams that were dropped."""
        self.media_faults = 0
        """Media packets that our own code failed on."""

    # Gathering.

    async def gather_candidates(self) -> None:
        """Open a socket on each offered address and collect candidates. Later calls do nothing."""
        if self._local_candidates_start:
            return
        self._local_candidates_start = True
        guards = []
        for address in () if self._options.relay_only else self._options.addresses:
            guard = open_socket(self, address, self._options, self._reader)
            if guard is not None:
                guards.append(guard)
                self._protocols.append(guard)
                self._local_candidates.append(guard.local_candidate)
        for candidate, relayed in await ask_servers(self, guards, self._options):
            self._local_candidates.append(candidate)
            if relayed is not None:
                self._protocols.append(relayed)
        self._local_candidates_end = True

    # The peer's addresses.

    async def add_signalled(self, candidates: Iterable[RemoteCandidate]) -> None:
        """Add those of the peer's candidates that we may send to (`may_send_to`)."""
        options = self._options
        for each in candidates:
            if len(self._remote_candidates) >= MAX_REMOTE_CANDIDATES:
                return
            if not may_send_to(each.address, options.addresses, options.public_address):
                continue
            if options.relayed_peers_only and each.kind != "relay":
                continue
            await self.add_remote_candidate(
                Candidate(
                    foundation=each.foundation,
                    component=1,
                    transport="udp",
                    priority=each.priority,
                    host=each.address,
                    port=each.port,
                    type=each.kind,
                )
            )

    def check_incoming(self, message: stun.Message, addr: Source, protocol: StunProtocol) -> None:
        """Take an authenticated check: a sign of life, perhaps from a new address."""
        self.last_seen_s = self._clock()
        self._forget_oldest_address(addr)
        self._proved.add(addr)
        message.attributes.setdefault("PRIORITY", candidate_priority(1, "prflx"))
        for pair in self._check_list:
            # Checks that were under way when another pair was nominated were cancelled. If the peer
            # now nominates one of those pairs, it must be checked again.
            if pair.remote_addr == addr and pair.protocol is protocol and is_abandoned(pair):
                pair.task = None
                self.check_state(pair, CandidatePair.State.WAITING)
        super().check_incoming(message, addr, protocol)

    def check_state(self, pair: CandidatePair, state: CandidatePair.State) -> None:
        """Set a pair's state. Success validates its address: the answer proved the password."""
        super().check_state(pair, state)
        if state is CandidatePair.State.SUCCEEDED:
            self._validated.add(pair.remote_addr)
        elif state is CandidatePair.State.FAILED and not any(
            # Another of our own addresses may still reach it.
            other.remote_addr == pair.remote_addr and other.state is CandidatePair.State.SUCCEEDED
            for other in self._check_list
        ):
            self._validated.discard(pair.remote_addr)

    def _forget_oldest_address(self, newcomer: Source) -> None:
        """Keep room for one more address of a peer that moves again and again."""
        known = any((c._network_host, c.port) == newcomer for c in self._remote_candidates)
        if known or len(self._remote_candidates) < MAX_REMOTE_CANDIDATES:
            return
        in_use = {pair.remote_addr for pair in self._nominated.values()}
        for candidate in self._remote_candidates:
            address = (candidate._network_host, candidate.port)
            if address in in_use:
                continue
            self._remote_candidates.remove(candidate)
            self._validated.discard(address)
            self._proved.discard(address)
            for pair in [p for p in self._check_list if p.remote_addr == address]:
                if pair.task is not None:
                    pair.task.cancel()
                self._check_list.remove(pair)
            return

    # For the guard (`guard.Gate`).

    def admits(self, source: Source) -> bool:
        """Return whether a datagram is within the source's rate."""
        trusted = source in self._validated
        return self._limiter.allows(source, trusted=trusted, now_s=self._clock())

    def is_validated(self, source: Source) -> bool:
        """Return whether the address passed ICE."""
        return source in self._validated

    def stray_media_received(self, data: bytes, source: Source, guard: DatagramGuard) -> None:
        """Take SRTP from an unknown address. If its tag is the peer's, the peer's NAT has changed
        its address: check the new one.

        The packet itself is not used; media flows again after the check was answered.
        """
        self.dropped_datagrams += 1
        now_s = self._clock()
        if self.authenticates is None or not self._accepts_from(source):
            return
        if not self._stray_limit.allows(source, trusted=False, now_s=now_s):
            return
        if not self.authenticates(data):
            return
        self._forget_oldest_address(source)
        self._proved.add(source)
        candidate = peer_reflexive(source)
        known = self._find_remote_candidate(candidate)
        if known is None:
            self._remote_candidates.append(candidate)
        pair = self._find_pair(guard, known or candidate)
        if pair is None:
            pair = CandidatePair(guard, known or candidate)
            self._check_list.append(pair)
        elif pair.task is not None and not pair.task.done():
            return  # its check is under way
        pair.task = None
        pair.remote_nominated = True
        self.check_start_task(pair)

    def dtls_received(self, data: bytes) -> None:
        """Take a DTLS record from a validated address, for the DTLS task."""
        if self._queue.qsize() < MAX_QUEUED_DATAGRAMS:
            self.data_received(data, 1)
        else:
            self.dropped_datagrams += 1

    def request_received(self, message: stun.Message, addr: Source, protocol: StunProtocol) -> None:
        """Take a STUN request. One without this session's user name is dropped without an answer,
        so that it cannot be used to send traffic to a forged address.
        """
        username = message.attributes.get("USERNAME", "")
        if username.startswith(f"{self.local_username}:") and self._accepts_from(addr):
            super().request_received(message, addr, protocol)
        else:
            self.dropped_datagrams += 1

    def _accepts_from(self, source: Source) -> bool:
        """Return whether datagrams from there are accepted.

        With `relayed_peers_only` these are known addresses. A check that arrives before the
        trickled candidate it comes from is dropped; the peer repeats it.
        """
        return not self._options.relayed_peers_only or any(
            (each.host, each.port) == source for each in self._remote_candidates
        )

    def response_received(self, source: Source) -> None:
        """Take an answer to a check or a consent request of ours: a sign of life."""
        if source in self._validated:
            self.last_seen_s = self._clock()

    def datagram_dropped(self) -> None:
        """Count a dropped datagram. Single ones are never logged."""
        self.dropped_datagrams += 1

    def media_failed(self, error: Exception) -> None:
        """Count and log a bug of ours, without the packet's content."""
        self.media_faults += 1
        logger.error("The media path failed on a packet: %s", location_of(error))

    @property
    def relays(self) -> list[TurnTransport]:
        """Transports through TURN servers, once gathered."""
        transports: list[Any] = [protocol.transport for protocol in self._protocols]
        return [each for each in transports if isinstance(each, TurnTransport)]

    # Sending and the end.

    @property
    def path_lost(self) -> bool:
        """True once nothing can be sent: the socket in use, or the peer's consent, was lost."""
        return self._socket_lost or self._closing

    def send_now(self, data: bytes) -> bool:
        """Send one datagram to the nominated address; False when it cannot be sent now."""
        pair = self._nominated.get(1)
        if pair is None:
            return False
        transport: Any = pair.protocol.transport
        if not isinstance(transport, TurnTransport):
            sent: bool = transport.send(data, pair.remote_addr)
            return sent
        if relay.waiting_bytes(transport) > MAX_SEND_BUFFER_BYTES:
            return False
        relay.send(transport, data, pair.remote_addr)
        return True

    def protocol_lost(self, protocol: StunProtocol) -> None:
        """Forget a socket that was closed, or whose connection to the TURN server broke."""
        self._socket_lost |= any(pair.protocol is protocol for pair in self._nominated.values())
        super().protocol_lost(protocol)

    async def close(self) -> None:
        """Close everything. Waits `RELAY_CLOSE_S` at most for a TURN server's answer."""
        closing = asyncio.create_task(super().close(), name="ICE close")
        try:
            await asyncio.wait({closing}, timeout=RELAY_CLOSE_S)
            if not closing.done():
                self.abort()
            await closing
        finally:
            closing.cancel()

    def abort(self) -> None:
        """Free the sockets at once."""
        for protocol in self._protocols:
            transport: asyncio.DatagramTransport | TurnTransport = protocol.transport
            if isinstance(transport, TurnTransport):
                relay.abort(transport)
            else:
                transport.abort()


def drop_media(_data: bytes) -> None:
    """Drop media while there are no keys for it: before the handshake, and after the end."""

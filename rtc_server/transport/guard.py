"""Guard of datagrams: the first code that receives one. Drops what cannot be the peer's.

aioice reads any datagram from anyone, and aiortc closes the session on an empty one. Here DTLS,
RTP and RTCP pass only from addresses that ICE validated (a check of ours was answered with the
session's password), and STUN only if it is well formed and within the source's rate. RTP goes
straight to the media path, without a queue, a task, or an attempt to parse it as STUN. An
exception there is a bug of ours, and is counted apart from exceptions of a parser on a stranger's
bytes. Neither leaves this module.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from aioice import stun
from aioice.ice import StunProtocol

from rtc_server.transport.source_limiter import Source

MIN_DATAGRAM_BYTES: Final = 13
"""Shortest datagram that can mean anything: a DTLS record header, or an RTP header and a byte."""


class Gate(Protocol):
    """Interface of the ICE agent behind the guard."""

    media_received: Callable[[bytes], None]
    """Callback for SRTP and SRTCP from a validated address."""

    def admits(self, source: Source) -> bool:
        """Return whether a datagram is within the source's rate."""

    def is_validated(self, source: Source) -> bool:
        """Return whether the address passed ICE."""

    def max_checks_to(self, address: Source) -> int | None:
        """Return how often a check to that address may be sent; None for the RFC's seven times."""

    def stray_media_received(self, data: bytes, source: Source, guard: "DatagramGuard") -> None:
        """Take SRTP from another address: a forgery, or the peer after its NAT changed address."""

    def dtls_received(self, data: bytes) -> None:
        """Take a DTLS record from a validated address."""

    def request_received(self, message: stun.Message, addr: Source, protocol: StunProtocol) -> None:
        """Take a STUN request, not yet authenticated."""

    def response_received(self, source: Source) -> None:
        """Take an answer to one of our STUN requests."""

    def datagram_dropped(self) -> None:
        """Count a datagram that was dropped: over its rate, from an unknown address, malformed."""

    def media_failed(self, error: Exception) -> None:
        """Report that our own code failed on a media packet, which is lost."""


class DatagramGuard(StunProtocol):
    """Protocol of one UDP socket of one session: passes on what may be the peer's."""

    def __init__(self, gate: Any) -> None:
        super().__init__(gate)
        self._gate: Gate = gate

    async def request(
        self,
        request: stun.Message,
        addr: Source,
        integrity_key: bytes | None = None,
        retransmissions: int | None = None,
    ) -> tuple[stun.Message, Source]:
        """Send a STUN request and return the answer. A check to an address that has proved nothing
        is repeated less often (`Gate.max_checks_to`).
        """
        is_check = integrity_key is not None  # otherwise it is a request to a STUN server
        sends = self._gate.max_checks_to(addr) if is_check else None
        if sends is not None and retransmissions is None:
            retransmissions = sends - 1
        return await super().request(request, addr, integrity_key, retransmissions)

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """Pass the datagram on by its first byte (RFC 7983). Never raises."""
        gate, source, is_media, is_taken = self._gate, (addr[0], addr[1]), False, True
        try:
            if (
                not isinstance(data, bytes)
                or len(data) < MIN_DATAGRAM_BYTES
                or not gate.admits(source)
            ):
                is_taken = False
            elif is_media := 127 < data[0] < 192:
                if gate.is_validated(source):
                    gate.media_received(data)
                else:
                    gate.stray_media_received(data, source, self)
            elif data[0] < 4:
                self._stun(data, source)
            elif 19 < data[0] < 64 and gate.is_validated(source):
                gate.dtls_received(data)
            else:
                is_taken = False
        except Exception as error:
            if is_media:  # that code raises on no bytes, unless it has a bug
                gate.media_failed(error)
            else:
                is_taken = False
        if not is_taken:
            gate.datagram_dropped()

    def _stun(self, data: bytes, source: Source) -> None:
        message = stun.parse_message(data)
        if message.message_class == stun.Class.REQUEST:
            self._gate.request_received(message, source, self)
        elif message.transaction_id in self.transactions:
            # The transaction itself checks the integrity of the answer.
            self.transactions[message.transaction_id].response_received(message, source)
            self._gate.response_received(source)

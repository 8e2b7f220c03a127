"""The first code that sees a datagram: drops what cannot be the peer's, and never raises.

aioice reads any datagram from anyone, and aiortc behind it closes the session on an empty one.
Here DTLS, RTP and RTCP pass only from addresses that ICE validated (a check of ours, answered
with the session's password), STUN only well formed and within the source's rate. RTP goes
straight to the media path: no exception from a failed STUN parse, no queue, no task. What fails
there is a bug of ours and told apart from what a stranger's bytes do to a parser.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from aioice import stun
from aioice.ice import StunProtocol

from rtc_server.transport.source_limiter import Source

MIN_DATAGRAM_BYTES: Final = 13
"""The shortest that means anything: a DTLS record header, or an RTP header and a byte."""


class Gate(Protocol):
    """Questions of the guard to the connection behind it."""

    media_received: Callable[[bytes], None]
    """Takes SRTP or SRTCP from a validated address."""

    def admits(self, source: Source) -> bool:
        """Return whether a datagram is within the source's rate."""

    def is_validated(self, source: Source) -> bool:
        """Return whether the address passed ICE."""

    def max_checks_to(self, address: Source) -> int | None:
        """Return the most checks that are sent to that address; None for the RFC's seven."""

    def stray_media_received(self, data: bytes, source: Source, guard: "DatagramGuard") -> None:
        """Take SRTP from another address: a forgery, or the peer behind a NAT that rebound."""

    def dtls_received(self, data: bytes) -> None:
        """Take a DTLS record from a validated address."""

    def request_received(self, message: stun.Message, addr: Source, protocol: StunProtocol) -> None:
        """Take a STUN request, not yet authenticated."""

    def response_received(self, source: Source) -> None:
        """Take an answer to one of our STUN requests."""

    def datagram_dropped(self) -> None:
        """Count a datagram that was not looked at, or not understood."""

    def media_failed(self, error: Exception) -> None:
        """Report that our own code failed on a media packet, which is lost."""


class DatagramGuard(StunProtocol):
    """One UDP socket of one session."""

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
        """Ask and wait for the answer; an address that proved nothing is asked less often."""
        is_check = integrity_key is not None  # and no question to a STUN server
        sends = self._gate.max_checks_to(addr) if is_check else None
        if sends is not None and retransmissions is None:
            retransmissions = sends - 1
        return await super().request(request, addr, integrity_key, retransmissions)

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """Hand the datagram on by its first byte (RFC 7983). Nothing that comes of it raises."""
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
            if is_media:  # no parser of a stranger's bytes raises there
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
            # The transaction checks the answer's integrity itself.
            self.transactions[message.transaction_id].response_received(message, source)
            self._gate.response_received(source)

"""An SCTP association without a network, and a peer that sends it arbitrary packets."""

from aiortc import RTCCertificate, RTCIceGatherer, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcsctptransport import DataChunk

from rtc_server.transport.channel import GuardedSctp

FIRST, LAST = 2, 1
"""Flags of a DATA chunk (RFC 9260 §3.3.1)."""


def association() -> GuardedSctp:
    """Return one whose peer will next send TSN 1."""
    ice = RTCIceTransport(RTCIceGatherer(iceServers=[]))
    sctp = GuardedSctp(RTCDtlsTransport(ice, [RTCCertificate.generateCertificate()]))
    sctp._last_received_tsn = 0
    return sctp


async def receive(
    sctp: GuardedSctp, tsn: int, *, flags: int = 0, stream: int = 1, data: bytes = b"x"
) -> None:
    """Give it one DATA chunk of its peer."""
    chunk = DataChunk(flags)
    chunk.tsn, chunk.stream_id, chunk.protocol, chunk.user_data = tsn, stream, 51, data
    await sctp._receive_data_chunk(chunk)

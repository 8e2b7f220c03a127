"""RTP packets (RFC 3550, section 5.1): parsing, building, differences of wrapped counters."""

import struct
from typing import NamedTuple

HEADER_BYTES = 12
_VERSION = 2
_HEADER = struct.Struct("!BBHII")


class RtpPacket(NamedTuple):
    """Fields of a received packet that we use."""

    payload_type: int
    """Payload type, 0 to 127."""
    marker: bool
    """True for the first packet after silence (RFC 7587, section 4.2)."""
    sequence: int
    """Sequence number of 16 bits, which wraps."""
    timestamp: int
    """Timestamp of 32 bits, which wraps; in 1/48000 s for Opus."""
    ssrc: int
    """Synchronization source; a new one has new sequence numbers and timestamps."""
    payload: bytes
    """Payload without padding; may be empty (bandwidth probes)."""


def is_rtcp(data: bytes) -> bool:
    """Return whether a datagram of RTP or RTCP, of two bytes or more, is RTCP (RFC 5761)."""
    return 192 <= data[1] <= 223


def parse_rtp(data: bytes) -> RtpPacket | None:
    """Return the packet in `data`, or None when it is none. Never raises, whatever the bytes."""
    size = len(data)
    if size < HEADER_BYTES:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != _VERSION:
        return None
    start = HEADER_BYTES + 4 * (first & 0x0F)  # contributing sources
    if first & 0x10:  # header extension: profile, length in words
        if start + 4 > size:
            return None
        start += 4 + 4 * (data[start + 2] << 8 | data[start + 3])
    end = size
    if first & 0x20:  # padding: its length is the last byte
        padding = data[-1]
        if padding == 0:
            return None
        end -= padding
    if start > end:
        return None
    return RtpPacket(
        second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, bytes(data[start:end])
    )


def build_rtp(
    payload: bytes, *, payload_type: int, marker: bool, sequence: int, timestamp: int, ssrc: int
) -> bytes:
    """Return one packet; `sequence` and `timestamp` are wrapped here."""
    return (
        _HEADER.pack(
            _VERSION << 6,
            marker << 7 | payload_type,
            sequence & 0xFFFF,
            timestamp & 0xFFFFFFFF,
            ssrc,
        )
        + payload
    )


def sequence_delta(sequence: int, reference: int) -> int:
    """Return how far `sequence` is ahead of `reference`: -32768 to 32767. Either may be unwrapped
    or not.
    """
    return ((sequence - reference + 0x8000) & 0xFFFF) - 0x8000


def timestamp_delta(timestamp: int, reference: int) -> int:
    """Return how far `timestamp` is ahead of `reference`, as a signed number of 32 bits. Either may
    be unwrapped or not.
    """
    return ((timestamp - reference + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000

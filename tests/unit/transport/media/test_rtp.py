"""RTP: packets that are built can be read, and no packet that arrives can do harm."""

import struct

from hypothesis import example, given
from hypothesis import strategies as st

from rtc_server.transport.media.rtp import (
    RtpPacket,
    build_rtp,
    parse_rtp,
    sequence_delta,
    timestamp_delta,
)

u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFFFFFF)


@given(
    st.builds(RtpPacket, st.integers(0, 127), st.booleans(), u16, u32, u32, st.binary(max_size=200))
)
def test_what_is_built_is_read(packet: RtpPacket) -> None:
    data = build_rtp(
        packet.payload,
        payload_type=packet.payload_type,
        marker=packet.marker,
        sequence=packet.sequence + 0x10000,
        timestamp=packet.timestamp + 0x100000000,
        ssrc=packet.ssrc,
    )
    assert parse_rtp(data) == packet


@given(
    payload=st.binary(max_size=50),
    sources=st.integers(0, 15),
    extension=st.none() | st.integers(0, 20),
    padding=st.none() | st.integers(1, 255),
)
def test_the_payload_is_found_among_all_that_is_optional(
    payload: bytes, sources: int, extension: int | None, padding: int | None
) -> None:
    first = 0x80 | sources | (extension is not None) << 4 | (padding is not None) << 5
    data = struct.pack("!BBHII", first, 0xEF, 7, 8, 9) + bytes(4 * sources)
    if extension is not None:
        data += struct.pack("!HH", 0xBEDE, extension) + bytes(4 * extension)
    data += payload
    if padding is not None:
        data += bytes(padding - 1) + bytes((padding,))
    assert parse_rtp(data) == RtpPacket(111, True, 7, 8, 9, payload)


@given(st.binary(max_size=80))
@example(bytes(12))
@example(b"\x90" + bytes(14))
@example(b"\x90" + bytes(13) + b"\xff\xff")
@example(b"\xa0" + bytes(11))
@example(b"\xa0" + bytes(10) + b"\xff")
@example(b"\x8f" + bytes(11))
def test_any_bytes_give_a_packet_within_them_or_none(data: bytes) -> None:
    packet = parse_rtp(data)
    if packet is not None:
        assert data[0] >> 6 == 2
        assert len(packet.payload) <= len(data) - 12
        assert packet.payload in data


@given(st.binary(min_size=13, max_size=80))
def test_random_bytes_with_the_right_version_too(data: bytes) -> None:
    packet = parse_rtp(bytes((data[0] & 0x3F | 0x80,)) + data[1:])
    assert packet is None or len(packet.payload) <= len(data) - 12


@given(st.integers(0, 1 << 40), st.integers(-0x8000, 0x7FFF), st.integers(-(2**31), 2**31 - 1))
def test_unwrapping_finds_the_nearest(reference: int, near: int, far: int) -> None:
    assert sequence_delta((reference + near) & 0xFFFF, reference) == near
    assert timestamp_delta((reference + far) & 0xFFFFFFFF, reference) == far

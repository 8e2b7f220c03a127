"""Limits on a peer's unfinished messages."""

import struct

import pytest

from rtc_server.transport.channel import (
    MAX_FRAGMENTS,
    MAX_MISORDERED,
    MAX_STREAMS,
    RECEIVE_WINDOW_BYTES,
    has_endless_parameters,
)
from tests.support.sctp import FIRST, LAST, association, receive


def packet(kind: int, body: bytes) -> bytes:
    """Return one chunk after a common header; tag and checksum are not checked here."""
    return bytes(12) + struct.pack("!BBH", kind, 0, 4 + len(body)) + body


@pytest.mark.parametrize(
    ("kind", "before"), [(1, bytes(16)), (2, bytes(16)), (4, b""), (6, b""), (9, b""), (130, b"")]
)
def test_a_parameter_that_leads_nowhere_is_seen_before_it_is_read(kind: int, before: bytes) -> None:
    good = struct.pack("!HHxx", 13, 6) + bytes(2)  # padded to 8 bytes
    assert not has_endless_parameters(packet(kind, before + good + good))
    for length in range(4):
        endless = struct.pack("!HH", 13, length)
        assert has_endless_parameters(packet(kind, before + good + endless))
        assert has_endless_parameters(packet(11, b"") + packet(kind, before + endless)[12:])


def test_data_may_look_like_anything() -> None:
    assert not has_endless_parameters(packet(0, bytes(100)))
    assert not has_endless_parameters(bytes(11))
    assert not has_endless_parameters(bytes(100))  # a chunk without a length: aiortc refuses it


async def test_a_message_that_never_ends() -> None:
    sctp = association()
    for tsn in range(1, 5000):
        await receive(sctp, tsn, flags=FIRST if tsn == 1 else 0)
    assert len(sctp._inbound_streams[1].reassembly) == MAX_FRAGMENTS
    assert sctp._last_received_tsn == MAX_FRAGMENTS  # the rest was not acknowledged


async def test_a_message_that_is_larger_than_the_window() -> None:
    sctp = association()
    for tsn in range(1, 500):
        await receive(sctp, tsn, flags=FIRST if tsn == 1 else 0, data=bytes(10_000))
    held = sum(len(each.user_data) for each in sctp._inbound_streams[1].reassembly)
    assert held < 2 * RECEIVE_WINDOW_BYTES + 10_000


async def test_a_first_piece_that_never_comes_and_then_does() -> None:
    sctp = association()
    for tsn in range(2, 5000):
        await receive(sctp, tsn, flags=FIRST | LAST)
    assert len(sctp._sack_misordered) == MAX_MISORDERED
    await receive(sctp, 1, flags=FIRST | LAST)
    assert sctp._last_received_tsn == MAX_MISORDERED + 1
    assert sctp._sack_misordered == set()


async def test_streams_without_end() -> None:
    sctp = association()
    for tsn in range(1, 1000):
        await receive(sctp, tsn, flags=FIRST, stream=tsn)
    assert len(sctp._inbound_streams) == MAX_STREAMS

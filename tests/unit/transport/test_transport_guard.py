"""Decisions of the guard, datagram by datagram."""

from typing import Any, cast

import pytest
from aioice import stun
from aioice.ice import StunProtocol

from rtc_server.transport.guard import DatagramGuard
from rtc_server.transport.source_limiter import Source

PEER = ("192.0.2.1", 1000)
STRANGER = ("192.0.2.66", 2000)
RTP = bytes([0x80, 111]) + bytes(30)
RTCP = bytes([0x81, 201]) + bytes(30)
DTLS = bytes([22, 254, 253]) + bytes(30)
CHANNEL_DATA = bytes([64]) + bytes(30)


class Gate:
    """Receiver of datagrams that pass the guard. It knows one peer."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.dropped = 0
        self.faults: list[Exception] = []
        self.closed = False

    def admits(self, source: Source) -> bool:
        return not self.closed

    def is_validated(self, source: Source) -> bool:
        return source == PEER

    def max_checks_to(self, address: Source) -> int | None:
        return None if address == PEER else 2

    def media_received(self, data: bytes) -> None:
        self.got.append("media")

    def stray_media_received(self, data: bytes, source: Source, guard: DatagramGuard) -> None:
        self.got.append("stray")

    def dtls_received(self, data: bytes) -> None:
        self.got.append("dtls")

    def request_received(self, message: stun.Message, addr: Source, protocol: StunProtocol) -> None:
        self.got.append("request")

    def response_received(self, source: Source) -> None:
        self.got.append("response")

    def datagram_dropped(self) -> None:
        self.dropped += 1

    def media_failed(self, error: Exception) -> None:
        self.faults.append(error)


def binding(kind: stun.Class) -> bytes:
    # An id of its own would give the test another name in each worker of pytest-xdist.
    transaction = bytes(range(12))
    return bytes(stun.Message(stun.Method.BINDING, kind, transaction))


@pytest.mark.parametrize(
    ("data", "source", "got"),
    [
        (RTP, PEER, ["media"]),
        (RTCP, PEER, ["media"]),
        (DTLS, PEER, ["dtls"]),
        (binding(stun.Class.REQUEST), PEER, ["request"]),
        (binding(stun.Class.REQUEST), STRANGER, ["request"]),
        (RTP, STRANGER, ["stray"]),
        (DTLS, STRANGER, []),
        (b"", PEER, []),
        (b"\x80", PEER, []),
        (RTP[:12], PEER, []),
        (CHANNEL_DATA, PEER, []),
        (b"\xff" * 40, PEER, []),
        (b"\x00" * 40, PEER, []),  # STUN by its first byte, but no STUN
        (binding(stun.Class.REQUEST)[:-1], PEER, []),
        (binding(stun.Class.REQUEST) + b"\x00\x06\x00\xff", PEER, []),
    ],
)
async def test_sorting(data: bytes, source: Source, got: list[str]) -> None:
    gate = Gate()
    guard = DatagramGuard(gate)
    guard.datagram_received(data, (*source, 0, 0))
    assert gate.got == got
    assert gate.dropped == (0 if got else 1)


async def test_an_answer_to_nothing_is_ignored() -> None:
    gate = Gate()
    DatagramGuard(gate).datagram_received(binding(stun.Class.RESPONSE), PEER)
    assert gate.got == []


def fail(*arguments: object) -> None:
    raise RuntimeError("a bug")


async def test_nothing_raises_whatever_the_gate_does() -> None:
    gate = Gate()
    gate.request_received = cast(Any, fail)  # type: ignore[method-assign]
    DatagramGuard(gate).datagram_received(binding(stun.Class.REQUEST), STRANGER)
    assert (gate.dropped, gate.faults) == (1, [])


@pytest.mark.parametrize("source", [PEER, STRANGER])
async def test_a_bug_of_the_media_path_is_no_hostile_datagram(source: Source) -> None:
    gate = Gate()
    gate.media_received = cast(Any, fail)  # type: ignore[method-assign]
    gate.stray_media_received = cast(Any, fail)  # type: ignore[method-assign]
    DatagramGuard(gate).datagram_received(RTP, source)
    assert gate.dropped == 0
    assert [str(each) for each in gate.faults] == ["a bug"]


async def test_a_source_over_its_rate_is_not_looked_at() -> None:
    gate = Gate()
    gate.closed = True
    DatagramGuard(gate).datagram_received(RTP, PEER)
    assert (gate.got, gate.dropped) == ([], 1)

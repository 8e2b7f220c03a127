"""Readers of datagrams: STUN, RTP, RTCP and SCTP."""

import asyncio
import struct
from functools import cache
from typing import Any, cast

import google_crc32c
import numpy as np
from aioice import stun
from aiortc import RTCCertificate, RTCIceGatherer, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcsctptransport import DataChunk, InitChunk, SackChunk, serialize_packet

from rtc_server.transport.channel import GuardedSctp
from rtc_server.transport.guard import DatagramGuard
from rtc_server.transport.media.opus import OpusEncoder
from rtc_server.transport.media.receiver import Receiver
from rtc_server.transport.media.rtp import build_rtp
from rtc_server.transport.rtcp import Rtcp
from tests.fuzz.target import Target


class _Gate:
    """Receiver and RTCP reader behind the guard, as a media path."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.faults: list[Exception] = []

    def __getattr__(self, name: str) -> Any:
        def note(*_arguments: object) -> bool:
            self.got.append(name)
            return True

        return note

    def media_failed(self, error: Exception) -> None:
        self.faults.append(error)


def _datagram(data: bytes) -> str:
    gate, guard = _guarded()
    gate.got.clear()
    for source in (("192.0.2.1", 1000), ("::1", 1, 0, 0)):
        guard.datagram_received(data, source)
    assert not gate.faults
    return " ".join(gate.got[1:])


@cache
def _guarded() -> tuple[_Gate, DatagramGuard]:
    async def make() -> tuple[_Gate, DatagramGuard]:  # aioice asks for the loop
        gate = _Gate()
        return gate, DatagramGuard(gate)

    return asyncio.run(make())


def _rtp(data: bytes) -> str:
    """Read packets, each after its length in two bytes; 20 ms between them."""
    receiver = Receiver(111)
    heard = 0
    try:
        now_s = 0.0
        position = 0
        while position + 2 <= len(data) and now_s < 2:
            size = int.from_bytes(data[position : position + 2], "big") % 1500
            packet = data[position + 2 : position + 2 + size]
            position += 2 + size
            now_s += 0.02
            for pcm in (*receiver.push(packet, now_s), *receiver.pull(now_s)):
                assert np.isfinite(pcm.samples).all()
                assert pcm.start_samples == heard  # without a hole, whatever comes
                heard += len(pcm.samples)
        quality = receiver.counters(now_s)
        receiver.report()
    finally:
        receiver.close()
    happened = ("invalid", "late", "duplicate", "reordered")
    return " ".join(each for each in happened if getattr(quality, f"packets_{each}"))


def _rtcp(data: bytes) -> str:
    rtcp = Rtcp(1, "c")
    rtcp.write(1.0, None, None)
    rtcp.read(data, 2.0)
    trip = rtcp.round_trip_s
    assert trip is None or trip >= 0
    return f"trip {trip is not None} loss {rtcp.peer_loss is not None}"


def _sctp(data: bytes) -> str:
    """Read a packet as it comes out of DTLS, for an association that is established."""

    async def handle() -> str:
        ice = RTCIceTransport(RTCIceGatherer(iceServers=[]))
        sctp = GuardedSctp(RTCDtlsTransport(ice, [_certificate()]))
        sctp._last_received_tsn = 0
        sctp._set_state(sctp.State.ESTABLISHED)
        sent = 0

        async def send(_data: bytes) -> None:
            nonlocal sent
            sent += 1

        setattr(sctp.transport, "_send_data", send)  # noqa: B010 - a method, for mypy
        try:
            await sctp._handle_data(_sealed(data, sctp._local_verification_tag))
            await asyncio.sleep(0)
        finally:
            for timer in ("_t1_cancel", "_t2_cancel", "_t3_cancel"):
                getattr(sctp, timer)()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
        streams, last = len(sctp._inbound_streams), min(sctp._last_received_tsn or 0, 3)
        return f"{sctp._association_state.name} {min(sent, 3)} {min(streams, 3)} {last}"

    return asyncio.run(handle())


def _sealed(packet: bytes, tag: int) -> bytes:
    """Return the packet with the tag and the checksum that it needs to be read (RFC 9260, section
    6.8).
    """
    head = packet[:4].ljust(4, b"\0")
    is_init = packet[12:13] == b"\1"
    body = (0 if is_init else tag).to_bytes(4, "big") + bytes(4) + packet[12:]
    checksum: int = google_crc32c.value(head + body)
    return b"".join((head, body[:4], checksum.to_bytes(4, "little"), body[8:]))


@cache
def _certificate() -> RTCCertificate:
    return RTCCertificate.generateCertificate()


def _stun_seeds() -> tuple[bytes, ...]:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = "abcd:efgh"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 2
    request.add_message_integrity(b"p" * 22)
    answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE)
    answer.attributes["XOR-MAPPED-ADDRESS"] = ("192.0.2.1", 1000)
    return (
        bytes(request),
        bytes(answer),
        bytes([0x80, 111]) + bytes(40),
        bytes([22, 254, 253, 0] * 9),
    )


def _rtp_seeds() -> tuple[bytes, ...]:
    with OpusEncoder() as encoder:
        tone = np.sin(np.arange(960) * 0.05).astype(np.float32)
        packets = [
            build_rtp(encoder.encode(tone), payload_type=111, marker=n == 0, sequence=n,
                      timestamp=960 * n, ssrc=7)
            for n in range(12)
        ]  # fmt: skip
    return (b"".join(len(each).to_bytes(2, "big") + each for each in packets),)


def _sctp_seeds() -> tuple[bytes, ...]:
    init = InitChunk()
    init.initiate_tag, init.advertised_rwnd, init.initial_tsn = 5, 65536, 1
    init.outbound_streams = init.inbound_streams = 4
    data = DataChunk(3)
    data.tsn, data.stream_id, data.protocol, data.user_data = 1, 1, 51, b'{"type": "x.ping"}'
    sack = SackChunk()
    sack.cumulative_tsn, sack.advertised_rwnd = 1, 65536
    return tuple(serialize_packet(5000, 5000, 0, cast(Any, chunk)) for chunk in (init, data, sack))


_RECEIVER_REPORT = struct.pack("!BBHIIIIIII", 0x81, 201, 7, 7, 1, 64 << 24, 9, 3, 0x10000, 0x100)
"""A quarter lost of what we sent (SSRC 1), and an answer to our last sender report."""


MEDIA_TARGETS = (
    Target("datagram", _datagram, _stun_seeds(), weight=4),
    Target("rtp", _rtp, _rtp_seeds(), weight=2, limit_s=0.5),  # two seconds of audio
    Target("rtcp", _rtcp, (Rtcp(1, "c").bye(), _RECEIVER_REPORT)),
    Target("sctp", _sctp, _sctp_seeds()),
)
"""Everything that reads datagrams of strangers."""

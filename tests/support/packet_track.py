"""Media track of aiortc that sends packets which are encoded already."""

import asyncio
import fractions
import time
from collections.abc import Callable, Sequence
from typing import Any

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.packet import Packet

from tests.support.opus_codec import RATE, Floats, encode


class PacketTrack(MediaStreamTrack):
    """Track that sends encoded packets in real time, from an absolute origin."""

    kind = "audio"

    def __init__(self, packets: Sequence[bytes], after: bytes | None, packet_ms: int) -> None:
        super().__init__()
        self._packets = packets
        self._after = after
        self._packet_ms = packet_ms
        self._next = 0
        self._origin_s: float | None = None
        self.sent_at_s: list[float] = []
        """Time at which each packet was handed out."""
        self.muted = False
        """True while nothing is sent; RTP time goes on."""
        self.meanwhile: dict[int, Callable[[], None]] = {}
        """Actions after that many packets were sent."""

    def say(self, audio: Floats) -> None:
        """Say this from the next packet on: 48 kHz float32, (n,) or (n, 2)."""
        silence = self._after or b"\xf8\xff\xfe"
        said = [*self._packets][: self._next]
        self._packets = [*said, *[silence] * (self._next - len(said)), *encode(audio)]

    async def recv(self) -> Any:
        while True:
            if self.readyState != "live":
                raise MediaStreamError
            if self._origin_s is None:
                self._origin_s = time.monotonic()
            index = self._next
            wait_s = self._origin_s + index * self._packet_ms / 1000 - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self._next += 1
            payload = self._packets[index] if index < len(self._packets) else self._after
            if payload is None or self.muted:
                continue
            packet = Packet(payload)
            packet.pts = index * self._packet_ms * RATE // 1000
            packet.time_base = fractions.Fraction(1, RATE)
            self.sent_at_s.append(time.monotonic())
            if act := self.meanwhile.pop(len(self.sent_at_s), None):
                act()
            return packet

"""Cheap WebRTC clients: aiortc connects them, after that packets go straight to the socket.

One costs its sends and receives and nothing else (no track, no jitter buffer, no decoding while the
bench runs), so that many of them leave the processor to the server under test. Packets are taken
down as they arrive and looked at afterwards.
"""

import asyncio
import random
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

import tests.support.loopback_addresses  # noqa: F401  connections are made over loopback

RATE = 48_000
FRAME_S = 0.02
FRAME_UNITS = 960
CONNECT_S = 30.0


@dataclass(frozen=True, slots=True)
class Arrived:
    """One received RTP packet."""

    at_s: float
    """`time.monotonic` when it came."""
    timestamp: int
    """RTP time, 48 kHz."""
    payload: bytes
    """Opus."""


@dataclass(slots=True)
class Setup:
    """Time that connecting took, from the POST of the offer, in ms."""

    answer_ms: float = 0.0
    """Time to the answer."""
    connected_ms: float = 0.0
    """Time until ICE and DTLS are done at the client."""
    first_media_ms: float | None = None
    """Time to the first RTP packet; None before there was one."""


class _NoTrack(MediaStreamTrack):
    """Track for the offer, which never gives a frame."""

    kind = "audio"

    async def recv(self) -> Any:
        await asyncio.Event().wait()


class RtpClient:
    """Sends `packets` (20 ms each) over and over. Use it with ``async with``."""

    def __init__(
        self,
        negotiate: Callable[[str], Awaitable[str]],
        packets: Sequence[bytes],
        start: int = 0,
        phase: float | None = None,
    ) -> None:
        """`negotiate` turns an offer into an answer; `start` is the first packet to send.

        `phase`, 0 to 1, is when in each 20 ms of the clock it sends; chosen by chance without.
        Clients evenly spread over it tell a server's delay with less luck than chance does.
        """
        self._phase = random.random() if phase is None else phase
        self._negotiate = negotiate
        self._packets = packets
        self._index = self._start = start
        self._sent = 0
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._pc.addTrack(_NoTrack())
        # Some servers send no audio until a data channel is open.
        self.channel = self._pc.createDataChannel("oai-events")
        self._timer: asyncio.TimerHandle | None = None
        self._posted_s = 0.0
        self.setup = Setup()
        self.sent_at_s: list[float] = []
        """Time at which each packet was sent; its index in `packets` is its place here plus
        `start`."""
        self.arrived: list[Arrived] = []

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._connect()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._pc.close()

    def index_of(self, sent: int) -> int:
        """Return the index in `packets` of the `sent`-th one."""
        return (self._start + sent) % len(self._packets)

    async def _connect(self) -> None:
        connected = asyncio.Event()

        @self._pc.on("connectionstatechange")
        def _() -> None:
            if self._pc.connectionState == "connected":
                self.setup.connected_ms = (time.monotonic() - self._posted_s) * 1000
                self._open_fast_path()
            if self._pc.connectionState in ("connected", "failed", "closed"):
                connected.set()

        await self._pc.setLocalDescription()
        self._posted_s = time.monotonic()
        answer = await self._negotiate(self._pc.localDescription.sdp)
        self.setup.answer_ms = (time.monotonic() - self._posted_s) * 1000
        await self._pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await connected.wait()
        if self._pc.connectionState != "connected":
            raise ConnectionError("the client did not connect")

    def _open_fast_path(self) -> None:
        transceiver = self._pc.getTransceivers()[0]
        dtls = cast(Any, transceiver.sender.transport)
        pair = dtls.transport._connection._nominated[1]
        self._payload_type = transceiver._codecs[0].payloadType
        self._ssrc = transceiver.sender._ssrc
        self._sequence = random.randrange(30_000)
        self._protect = dtls._tx_srtp.protect
        self._unprotect = dtls._rx_srtp.unprotect
        self._socket, self._address = pair.protocol.transport, pair.remote_addr
        slow_path = pair.protocol.datagram_received

        def received(data: bytes, address: Any) -> None:
            if 127 < data[0] < 192 and not 192 <= data[1] <= 223:
                self._received(data)
            else:
                slow_path(data, address)

        pair.protocol.datagram_received = received
        now_s = time.monotonic()
        self._origin_s = now_s + (self._phase * FRAME_S - now_s) % FRAME_S
        self._send()

    @property
    def connected(self) -> bool:
        """True until the server hangs up."""
        return self._pc.connectionState == "connected"

    def _send(self) -> None:
        if self._socket.is_closing():
            return
        now_s = time.monotonic()
        payload = self._packets[self._index]
        self._index = (self._index + 1) % len(self._packets)
        header = struct.pack(
            "!BBHII",
            0x80,
            self._payload_type,
            (self._sequence + self._sent) & 0xFFFF,
            self._sent * FRAME_UNITS & 0xFFFFFFFF,
            self._ssrc,
        )
        self._sent += 1
        self.sent_at_s.append(now_s)
        self._socket.sendto(self._protect(header + payload), self._address)
        due_s = self._origin_s + self._sent * FRAME_S
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, due_s - time.monotonic()), self._send)

    def _received(self, data: bytes) -> None:
        now_s = time.monotonic()
        packet = self._unprotect(data)
        start = 12 + 4 * (packet[0] & 15)
        if packet[0] & 16:
            start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
        if self.setup.first_media_ms is None:
            self.setup.first_media_ms = (now_s - self._posted_s) * 1000
        timestamp = int.from_bytes(packet[4:8], "big")
        self.arrived.append(Arrived(now_s, timestamp, packet[start:]))

"""Changes to aiortc's peer connection that let a test see its packets and silence it."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, cast

from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RtpPacket

from tests.support.opus_codec import RATE


class SilentTransport:
    """A datagram transport that sends nothing."""

    def __init__(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def sendto(self, _data: bytes, _address: object = None) -> None:
        """Drop the datagram."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def prefer_opus(pc: RTCPeerConnection, sender: RTCRtpSender) -> None:
    transceiver = next(each for each in pc.getTransceivers() if each.sender is sender)
    codecs = RTCRtpSender.getCapabilities("audio").codecs
    transceiver.setCodecPreferences([each for each in codecs if each.mimeType == "audio/opus"])


def record_packets(receiver: RTCRtpReceiver, on_packet: Callable[[RtpPacket], None]) -> None:
    """Replace aiortc's jitter buffer and decoder; its RTCP statistics go on."""
    statistics = cast(Any, receiver)._RTCRtpReceiver__remote_streams

    async def handle(packet: RtpPacket, arrival_time_ms: int) -> None:
        if packet.ssrc not in statistics:
            statistics[packet.ssrc] = StreamStatistics(RATE)
        statistics[packet.ssrc].add(packet)
        with contextlib.suppress(RuntimeError):  # the loop is closing
            on_packet(packet)

    cast(Any, receiver)._handle_rtp_packet = handle

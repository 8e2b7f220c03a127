"""A WebRTC client for tests and benches: aiortc's, with its media replaced by plain packets.

``async with RtcClient(negotiate, audio=tone) as client`` offers one Opus track and the data
channel, connects, sends `audio` in real time (then silence, as a microphone does), and records what
comes back. `negotiate` is the URL to POST the offer to, or a coroutine function from offer to
answer.
"""

import asyncio
import contextlib
import fractions
import json
import time
import wave
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias, cast

import aiohttp
import av
import numpy as np
import numpy.typing as npt
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RtpPacket
from av.packet import Packet

from tests.support.loopback_addresses import addresses as loopback_addresses

Floats: TypeAlias = npt.NDArray[np.float32]
Negotiate: TypeAlias = Callable[[str], Awaitable[str]]

RATE = 48_000
_LAST_CHARS = 400
"""Characters of the last event that a wait in vain shows."""
"""Samples per second of everything a client sends and hears."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One received RTP packet."""

    arrival_s: float
    """`time.monotonic` when it came."""
    sequence: int
    """RTP sequence number."""
    timestamp: int
    """RTP timestamp, 48 kHz."""
    marker: bool
    """First packet after silence."""
    payload: bytes
    """Opus."""


class PacketTrack(MediaStreamTrack):
    """Hands out encoded packets in real time, from an absolute origin."""

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
        """Sends nothing while true; RTP time goes on."""
        self.meanwhile: dict[int, Callable[[], None]] = {}
        """Actions after so many packets were handed out."""

    def say(self, audio: Floats) -> None:
        """From the next packet on: 48 kHz float32, (n,) or (n, 2)."""
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


def encode(audio: Floats, *, bitrate: int = 64_000) -> list[bytes]:
    """Opus packets of 20 ms from float32 at 48 kHz, shape (n,) for mono or (n, 2) for stereo."""
    stereo = audio.ndim == 2
    encoder = cast(Any, av.CodecContext.create("libopus", "w"))
    encoder.sample_rate, encoder.format = RATE, "flt"
    encoder.layout = "stereo" if stereo else "mono"
    encoder.bit_rate = bitrate
    encoder.options = {"application": "voip", "frame_duration": "20"}
    samples = np.ascontiguousarray(audio[: len(audio) // 960 * 960], np.float32)
    packets = []
    for start in range(0, len(samples), 960):
        frame = av.AudioFrame.from_ndarray(
            samples[start : start + 960].reshape(1, -1),
            format="flt",
            layout="stereo" if stereo else "mono",
        )
        frame.sample_rate, frame.pts = RATE, start
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    packets += [bytes(packet) for packet in encoder.encode(None)]
    return packets


def decode(packets: Iterable[bytes]) -> Floats:
    """Opus packets as 48 kHz mono float32, one behind the other."""
    decoder = cast(Any, av.CodecContext.create("libopus", "r"))
    decoder.sample_rate, decoder.layout = RATE, "mono"
    frames = [frame for packet in packets for frame in decoder.decode(Packet(packet))]
    return np.concatenate([np.zeros(0, np.float32), *map(_mono, frames)])


def read_wav(path: Path) -> Floats:
    """A 48 kHz 16-bit WAV as float32, shape (n,) or (n, 2)."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (RATE, 2)
        raw = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        channels = file.getnchannels()
    audio = (raw / 32768.0).astype(np.float32)
    return audio.reshape(-1, 2) if channels == 2 else audio


class RtcClient:
    """One peer. Use it with ``async with``; inside, it is connected."""

    def __init__(
        self,
        negotiate: str | Negotiate,
        *,
        audio: Floats | Path | None = None,
        packets: Sequence[bytes] | None = None,
        packet_ms: int = 20,
        stop_after_audio: bool = False,
        listens_only: bool = False,
        channel: str | None = "oai-events",
        channel_id: int | None = None,
        addresses: Sequence[str] = ("127.0.0.1",),
        headers: Mapping[str, str] | None = None,
        session: Mapping[str, Any] | None = None,
        configuration: RTCConfiguration | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        """
        Args:
            audio: what to say, 48 kHz float32 (n,) or (n, 2), or a WAV; by default silence.
            packets: Opus packets to send instead, each of `packet_ms`.
            stop_after_audio: send nothing after it, rather than silence.
            listens_only: offer to receive and to send nothing.
            channel: label of the data channel; None for none.
            channel_id: its number, for a channel that is not announced (``negotiated``).
            addresses: loopback addresses to offer.
            headers: for the POST, when `negotiate` is a URL.
            session: settings to POST with the offer. What is sent later, over the data channel, may
                come after the first words: on a busy machine it does.
            configuration: with ICE servers, say; by default without.
            timeout_s: how long connecting may take.
        """
        self._negotiate = negotiate
        self._addresses = addresses
        self._listens_only = listens_only
        self._headers = dict(headers or {})
        self._session = session
        self._timeout_s = timeout_s
        if isinstance(audio, Path):
            audio = read_wav(audio)
        if packets is None:
            packets = [] if audio is None else encode(audio)
        silence = None if stop_after_audio else encode(np.zeros(960 * 3, np.float32))[-1]
        self.track = PacketTrack(packets, silence, packet_ms)
        self.pc = RTCPeerConnection(configuration or RTCConfiguration(iceServers=[]))
        self.answer_sdp = ""
        self.location = ""
        """The call's URL path, when `negotiate` is a URL."""
        self.packets: list[Heard] = []
        """Received RTP, in order of arrival."""
        self.events: list[dict[str, Any]] = []
        """Received server events."""
        self.event_at_s: list[float] = []
        """Arrival of each event."""
        self._channel = (
            None
            if channel is None
            else self.pc.createDataChannel(
                channel, negotiated=channel_id is not None, id=channel_id
            )
        )
        self._changed = asyncio.Condition()
        self._notices: set[asyncio.Task[None]] = set()
        self.closed = asyncio.Event()
        """Set when the connection has ended, whoever ended it."""

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._connect()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close in order and free everything."""
        await self.pc.close()
        if self._notices:
            await asyncio.wait(self._notices)

    def vanish(self) -> None:
        """Die without a word, as a killed process does: the sockets go, nothing is said.

        `close` frees the rest afterwards.
        """
        connection = self._connection
        for protocol in connection._protocols:
            protocol.transport.abort()
        self.track.stop()

    def go_dark(self) -> None:
        """The network is gone: the sockets stay, and nothing comes in or goes out any more."""
        for protocol in self._connection._protocols:
            protocol.datagram_received = lambda _data, _source: None
            protocol.transport = _NoWire(protocol.transport)

    def stop_reading(self) -> None:
        """Take nothing from the data channel any more: what comes is not acknowledged either,
        as by a peer whose receive window is full. Media goes on."""

        async def ignore(_chunk: object) -> None:
            pass

        cast(Any, self.pc.sctp)._receive_data_chunk = ignore

    async def replace_channel(self, channel_id: int) -> None:
        """Close the data channel; then open another one under this number, unannounced."""
        assert self._channel is not None
        closed = asyncio.Event()
        self._channel.on("close", closed.set)
        self._channel.close()
        await closed.wait()
        self._channel = self.pc.createDataChannel("", negotiated=True, id=channel_id)
        self._channel.on("message", self._message)

    @property
    def _connection(self) -> Any:
        return self.pc.getTransceivers()[0].receiver.transport.transport._connection

    @property
    def local_address(self) -> tuple[str, int]:
        """The client's UDP address."""
        candidate = self._connection.local_candidates[0]
        return candidate.host, candidate.port

    @property
    def server_address(self) -> tuple[str, int]:
        """The server's UDP address in use."""
        return cast("tuple[str, int]", self._connection._nominated[1].remote_addr)

    def send(self, event: Mapping[str, Any] | str | bytes) -> None:
        """Send a client event (a mapping), or anything else raw."""
        assert self._channel is not None
        raw = event if isinstance(event, str | bytes) else json.dumps(event)
        self._channel.send(raw)

    @property
    def unsent_bytes(self) -> int:
        """Bytes that were sent and that SCTP still holds."""
        assert self._channel is not None
        return int(self._channel.bufferedAmount)

    async def event(self, kind: str, *, timeout_s: float = 60.0, count: int = 1) -> dict[str, Any]:
        """Wait for the `count`-th server event of type `kind`."""
        found: list[dict[str, Any]] = []

        def arrived() -> bool:
            found[:] = [each for each in self.events if each.get("type") == kind]
            return len(found) >= count

        await self.until(arrived, timeout_s=timeout_s)
        return found[count - 1]

    async def until(self, condition: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
        """Wait until `condition`, looked at whenever a packet or an event arrives.

        Raises `TimeoutError` that says what did arrive.
        """
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            raise TimeoutError(f"Waited {timeout_s:g} s in vain. {self._seen()}") from None

    def _seen(self) -> str:
        """Describe what was sent and what arrived so far."""
        kinds = Counter(str(event.get("type")) for event in self.events)
        speech = sum(len(each.payload) > 20 for each in self.packets)
        return (
            f"Sent {len(self.track.sent_at_s)} packets; got {len(self.packets)}, {speech} of them "
            f"speech; events {dict(kinds)}, the last {str(self.events[-1:])[:_LAST_CHARS]}; "
            f"connection {self.pc.connectionState}"
        )

    def heard(self) -> Floats:
        """Return what was received, 48 kHz mono, placed by RTP timestamps; gaps are silent."""
        if not self.packets:
            return np.zeros(0, np.float32)
        ordered = sorted(self.packets, key=lambda each: _signed(each.timestamp - self._first))
        decoder = cast(Any, av.CodecContext.create("libopus", "r"))
        decoder.sample_rate, decoder.layout = RATE, "mono"
        pieces: list[tuple[int, Floats]] = []
        for each in ordered:
            for frame in decoder.decode(Packet(each.payload)):
                samples = _mono(frame)
                pieces.append((_signed(each.timestamp - self._first), samples))
        length = max(start + len(piece) for start, piece in pieces)
        audio = np.zeros(length, np.float32)
        for start, piece in pieces:
            audio[max(0, start) : start + len(piece)] = piece[max(0, -start) :]
        return audio

    @property
    def _first(self) -> int:
        return self.packets[0].timestamp

    async def _connect(self) -> None:
        if self._listens_only:
            sender = self.pc.addTransceiver("audio", direction="recvonly").sender
        else:
            sender = self.pc.addTrack(self.track)
        _prefer_opus(self.pc, sender)
        connected = asyncio.Event()

        @self.pc.on("connectionstatechange")
        def _() -> None:
            if self.pc.connectionState == "connected":
                connected.set()
            elif self.pc.connectionState in ("closed", "failed"):
                self.closed.set()
                connected.set()

        if self._channel is not None:
            self._channel.on("message", self._message)
        loopback_addresses.set(self._addresses)
        await self.pc.setLocalDescription()
        self.answer_sdp = await self._ask(self.pc.localDescription.sdp)
        _record(self.pc.getReceivers()[0], self._packet)
        await self.pc.setRemoteDescription(RTCSessionDescription(self.answer_sdp, "answer"))
        await connected.wait()
        if self.closed.is_set():
            raise ConnectionError("the client did not connect")
        if self._channel is not None and self._channel.readyState != "open":
            opened = asyncio.Event()
            self._channel.on("open", opened.set)
            await opened.wait()

    async def _ask(self, offer: str) -> str:
        if not isinstance(self._negotiate, str):
            return await self._negotiate(offer)
        if self._session is None:
            content_type, body = "application/sdp", offer
        else:
            content_type = "application/json"
            body = json.dumps({"sdp": offer, "session": self._session})
        headers = {"Content-Type": content_type} | self._headers
        async with (
            aiohttp.ClientSession() as http,
            http.post(self._negotiate, data=body, headers=headers) as response,
        ):
            answer = await response.text()
            if response.status != 201:
                raise ConnectionError(f"{response.status}: {answer}")
            self.location = response.headers.get("Location", "")
            return answer

    def _packet(self, packet: RtpPacket) -> None:
        if packet.payload:
            self.packets.append(
                Heard(
                    time.monotonic(),
                    packet.sequence_number,
                    packet.timestamp,
                    bool(packet.marker),
                    packet.payload,
                )
            )
        self._notify()

    def _message(self, message: str | bytes) -> None:
        self.events.append(json.loads(message))
        self.event_at_s.append(time.monotonic())
        self._notify()

    def _notify(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        task = asyncio.create_task(notify())
        self._notices.add(task)
        task.add_done_callback(self._notices.discard)


class _NoWire:
    """A datagram transport that sends nothing."""

    def __init__(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def sendto(self, _data: bytes, _address: object = None) -> None:
        """Into the void."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _signed(delta: int) -> int:
    return ((delta + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def _mono(frame: Any) -> Floats:
    samples = frame.to_ndarray()
    if samples.dtype == np.int16:
        samples = samples / 32768.0
    channels = len(frame.layout.channels)
    if frame.format.is_planar:
        return cast(Floats, samples.mean(axis=0).astype(np.float32))
    return cast(Floats, samples.reshape(-1, channels).mean(axis=1).astype(np.float32))


def _prefer_opus(pc: RTCPeerConnection, sender: RTCRtpSender) -> None:
    transceiver = next(each for each in pc.getTransceivers() if each.sender is sender)
    codecs = RTCRtpSender.getCapabilities("audio").codecs
    transceiver.setCodecPreferences([each for each in codecs if each.mimeType == "audio/opus"])


def _record(receiver: RTCRtpReceiver, on_packet: Callable[[RtpPacket], None]) -> None:
    """Replace aiortc's jitter buffer and decoder; its RTCP statistics go on."""
    statistics = cast(Any, receiver)._RTCRtpReceiver__remote_streams

    async def handle(packet: RtpPacket, arrival_time_ms: int) -> None:
        if packet.ssrc not in statistics:
            statistics[packet.ssrc] = StreamStatistics(RATE)
        statistics[packet.ssrc].add(packet)
        with contextlib.suppress(RuntimeError):  # the loop is closing
            on_packet(packet)

    cast(Any, receiver)._handle_rtp_packet = handle

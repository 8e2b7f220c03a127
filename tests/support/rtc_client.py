"""A WebRTC client for tests and benches: aiortc's, with its media replaced by plain packets.

``async with RtcClient(negotiate, audio=tone) as client`` offers one Opus track and the data
channel, connects, sends `audio` in real time (then silence, as a microphone does), and records what
comes back. `negotiate` is the URL to POST the offer to, or a coroutine function from offer to
answer.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeAlias, cast

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import RtpPacket

from tests.support.loopback_addresses import addresses as loopback_addresses
from tests.support.opus_codec import Floats, ReceivedPacket, encode, placed, read_wav
from tests.support.packet_track import PacketTrack
from tests.support.rtc_offer import post_offer
from tests.support.rtc_patches import SilentTransport, prefer_opus, record_packets

Negotiate: TypeAlias = Callable[[str], Awaitable[str]]
_LAST_CHARS = 400
"""Characters of the last event that a wait in vain shows."""


class RtcClient:
    """One WebRTC peer. Use it with ``async with``; inside, it is connected."""

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
        self.packets: list[ReceivedPacket] = []
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
        """Set when either side has ended the connection."""

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
            protocol.transport = SilentTransport(protocol.transport)

    def stop_reading(self) -> None:
        """Read nothing from the data channel any more and acknowledge nothing, like a peer whose
        receive window is full. Media goes on.
        """

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
        """Return the received audio, 48 kHz mono, placed by RTP timestamps; gaps are silent."""
        return placed(self.packets)

    async def _connect(self) -> None:
        if self._listens_only:
            sender = self.pc.addTransceiver("audio", direction="recvonly").sender
        else:
            sender = self.pc.addTrack(self.track)
        prefer_opus(self.pc, sender)
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
        record_packets(self.pc.getReceivers()[0], self._packet)
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
        answer, self.location = await post_offer(
            self._negotiate, offer, self._session, self._headers
        )
        return answer

    def _packet(self, packet: RtpPacket) -> None:
        if packet.payload:
            self.packets.append(
                ReceivedPacket(
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

"""Test caller for `rtc-server doctor`: opens a call as a browser would, sends speech, reports.

It is aiortc's own peer connection, except for its addresses: aiortc never offers loopback, and a
server on loopback can be reached from loopback only.
"""

import asyncio
import contextlib
import fractions
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, PLAYOUT_RATE, Samples

AUDIBLE = 0.01
"""Root mean square above which a frame counts as speech."""
EVENTS = {"type": "session.update", "session": {"x_events": ["segment"]}}


@dataclass(slots=True)
class Report:
    """Result of a call. Times are in ms since the offer was sent; None for what did not happen."""

    answer_ms: float | None = None
    """Arrival of the answer."""
    connected_ms: float | None = None
    """Time at which ICE and DTLS were connected."""
    channel_ms: float | None = None
    """Arrival of ``session.created`` on the data channel."""
    speech_ms: float | None = None
    """Arrival of the first audible frame of the translation."""
    path: str = ""
    """The pair of candidates in use, such as ``host 192.0.2.7 - srflx 198.51.100.4:50012``."""
    offered: tuple[str, ...] = ()
    """The server's candidates, as ``type address:port``."""
    segments: list[dict[str, Any]] = field(default_factory=list)
    """Finished captions, as ``x.segment`` events."""


class _Microphone(MediaStreamTrack):
    """Source of audio in real time: a recording, then silence."""

    kind = "audio"

    def __init__(self, speech: Samples) -> None:
        super().__init__()
        self._speech = speech
        self._position = 0
        self._origin_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        if self._origin_s is None:  # aiortc reads the first frame when the call is connected
            self._origin_s = time.monotonic()
        due_s = self._origin_s + self._position / PLAYOUT_RATE
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        samples = np.zeros(PLAYOUT_FRAME_SAMPLES, np.float32)
        said = self._speech[self._position : self._position + PLAYOUT_FRAME_SAMPLES]
        samples[: len(said)] = said
        pcm = (samples.clip(-1, 1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = PLAYOUT_RATE, self._position
        frame.time_base = fractions.Fraction(1, PLAYOUT_RATE)
        self._position += PLAYOUT_FRAME_SAMPLES
        return frame


async def probe(
    negotiate: Callable[[str], Awaitable[str]],
    speech: Samples,
    *,
    patience_s: float,
    segments: int = 1,
    addresses: Sequence[str] = (),
) -> Report:
    """Make one call and hang up. What did not come within `patience_s` is missing in the report.

    Args:
        negotiate: sends the offer and returns the answer; what it raises is raised.
        speech: mono float32, shape (n,), 48 kHz.
        segments: number of final captions to wait for; with 0 only the connection is tested.
        addresses: local addresses to offer; by default what aiortc finds, never loopback.
    """
    call = _ProbeCall(segments)
    try:
        await call.offer(negotiate, _Microphone(speech), addresses)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await call.enough.wait()
        call.report.path = _path(call.peer)
        return call.report
    finally:
        await call.close()


class _ProbeCall:
    """One peer connection, and the report about it."""

    def __init__(self, segments: int) -> None:
        self.report = Report()
        self.enough = asyncio.Event()
        """Set when the report is complete, or the connection failed."""
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._segments = segments
        self._tasks: list[asyncio.Task[None]] = []
        self._microphone: _Microphone | None = None
        self._started_s = time.monotonic()
        self._channel = self.peer.createDataChannel("oai-events")
        self._channel.on("message", self._read)
        self.peer.on("connectionstatechange", self._follow)
        self.peer.on("track", self._take)

    async def offer(
        self,
        negotiate: Callable[[str], Awaitable[str]],
        microphone: _Microphone,
        addresses: Sequence[str],
    ) -> None:
        """Send the offer and apply the answer; aiortc then connects by itself."""
        self._microphone = microphone
        self.peer.addTrack(microphone)
        _offer_from(self.peer, addresses)
        await self.peer.setLocalDescription()
        self._started_s = time.monotonic()
        answer = await negotiate(self.peer.localDescription.sdp)
        self.report.answer_ms = self._passed_ms()
        self.report.offered = _candidates(answer)
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def close(self) -> None:
        """Hang up and free everything."""
        if self._microphone is not None:
            self._microphone.stop()
        await self.peer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _passed_ms(self) -> float:
        return (time.monotonic() - self._started_s) * 1000

    def _follow(self) -> None:
        if self.peer.connectionState == "connected":
            self.report.connected_ms = self.report.connected_ms or self._passed_ms()
        elif self.peer.connectionState in ("failed", "closed"):
            self.enough.set()

    def _read(self, message: str) -> None:
        event = json.loads(message)
        if event["type"] == "session.created":
            self.report.channel_ms = self._passed_ms()
            self._channel.send(json.dumps(EVENTS))
        elif event["type"] == "x.segment" and event["final"]:
            self.report.segments.append(event)
        self._look()

    def _take(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._listen(track), name="probe listens"))

    async def _listen(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame)
                heard = frame.to_ndarray().astype(np.float32) / 32768
                if self.report.speech_ms is None and np.sqrt(np.mean(heard**2)) > AUDIBLE:
                    self.report.speech_ms = self._passed_ms()
                    self._look()

    def _look(self) -> None:
        report, wanted = self.report, self._segments
        spoken = len(report.segments) >= wanted and report.speech_ms is not None
        if report.channel_ms is not None and (wanted == 0 or spoken):
            self.enough.set()


def _connection(peer: RTCPeerConnection) -> Any:
    return peer.getTransceivers()[0].receiver.transport.transport._connection


def _offer_from(peer: RTCPeerConnection, addresses: Sequence[str]) -> None:
    if not addresses:
        return
    connection = _connection(peer)
    gather = connection.get_component_candidates

    async def from_these(component: int, **_found: Any) -> Any:
        return await gather(component=component, addresses=list(addresses))

    connection.get_component_candidates = from_these


def _candidates(sdp: str) -> tuple[str, ...]:
    """Return ``a=candidate:f 1 udp 1 192.0.2.1 5000 typ host`` as ``host 192.0.2.1:5000``."""
    lines = (line.split() for line in sdp.splitlines() if line.startswith("a=candidate:"))
    return tuple(f"{words[7]} {words[4]}:{words[5]}" for words in lines if len(words) > 7)


def _path(peer: RTCPeerConnection) -> str:
    pair = _connection(peer)._nominated.get(1)
    if pair is None:
        return ""
    local, remote = pair.local_candidate, pair.remote_candidate
    return f"{local.type} {local.host} - {remote.type} {remote.host}:{remote.port}"

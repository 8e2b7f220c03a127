"""The real HTTP application over calls whose events come from the test. For states of the page that
are rare with a real server: full, warming up, failing, showing a given caption. The peer is
aiortc's; what the page sends is received by it.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from aiohttp import web
from aiortc import RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack
from av import AudioFrame

from rtc_server.config import Settings
from rtc_server.engines.base import AstCapabilities, EngineCard, TtsCapabilities
from rtc_server.errors import NotReady, UnknownSession
from rtc_server.events.client import SessionPatch
from rtc_server.interpreter.captions import Direction
from rtc_server.metrics import Metrics
from rtc_server.session.session_api import (
    Connect,
    LastSeen,
    OpenedCall,
    Owner,
    SessionRequest,
    SuggestedPhrase,
    TranscriptEntry,
)
from rtc_server.signaling.http_app import make_http_app
from tests.support.signals import loudest_hz

GONE = "There is no such session, or it has ended."
PHRASES = {
    "ru": [
        SuggestedPhrase(
            "Где находится вокзал?", "Where is the train station?", "en", "Getting around"
        ),
        SuggestedPhrase("Сколько это стоит?", "How much does it cost?", "en", "Shopping"),
        SuggestedPhrase("Два кофе, пожалуйста.", "Two coffees, please.", "en", "Food and drink"),
    ],
    "en": [
        SuggestedPhrase(
            "Where is the train station?", "Где находится вокзал?", "ru", "Getting around"
        )
    ],
}


@dataclass
class ScriptedCalls:
    """Sessions whose events the test sends."""

    refuse: Exception | None = None
    """Error that is raised instead of opening a call."""
    tickets: list[str | None] = field(default_factory=list)
    """Ticket of each call that was requested, in order; None without one."""
    refuse_stream: Exception | None = None
    """Error that is raised instead of opening a WebSocket session; `refuse` takes precedence."""
    stream_tickets: list[str | None] = field(default_factory=list)
    """Ticket of each WebSocket session that was requested."""
    closed_before_stream: list[str] | None = None
    """Ids of the sessions that were ended before the first WebSocket session was requested."""
    requests: list[SessionRequest] = field(default_factory=list)
    """Requests of the calls that were opened."""
    received: list[dict[str, Any]] = field(default_factory=list)
    """Client events that were received."""
    got: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client event was received."""
    closed: list[str] = field(default_factory=list)
    """Ids of the sessions that were ended by DELETE."""
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first DELETE."""
    close_on_request: bool = True
    """True if session.close is to be answered."""
    peers: dict[str, RTCPeerConnection] = field(default_factory=dict)
    """Open sessions."""
    track: asyncio.Queue[MediaStreamTrack] = field(default_factory=asyncio.Queue)
    """Track that the page sends."""
    channel: asyncio.Queue[RTCDataChannel] = field(default_factory=asyncio.Queue)
    """Event channels of the newest sessions."""
    remembers: bool = False
    """True if a client whose connection broke may resume; else the server has forgotten it."""
    said: list[dict[str, Any]] = field(default_factory=list)
    """Events of `say`; ``seq`` is the place of each, from 1."""
    newest: RTCDataChannel | None = None
    """Channel that `say` uses."""

    def say(self, kind: str, **fields: Any) -> None:
        """Send a server event on the newest channel, and again to a client that missed it."""
        event = {"type": kind, "event_id": "event_1", "seq": len(self.said) + 1, **fields}
        self.said.append(event)
        if self.newest and self.newest.readyState == "open":
            self.newest.send(json.dumps(event))

    async def open_call(self, offer_sdp: str, request: SessionRequest) -> OpenedCall:
        self.tickets.append(request.claimant.ticket)
        if self.refuse:
            raise self.refuse
        self.requests.append(request)
        return await self._answer(f"sess_{len(self.requests)}", offer_sdp)

    async def _answer(self, session_id: str, offer_sdp: str, last_seq: int = 0) -> OpenedCall:
        """Connect a client that has the events up to `last_seq`."""
        peer = self.peers[session_id] = RTCPeerConnection()
        peer.addTrack(AudioStreamTrack())
        peer.on("track", self.track.put_nowait)

        @peer.on("datachannel")
        def opened(channel: RTCDataChannel) -> None:
            say(channel, "session.created", session={"id": session_id})
            channel.on("message", lambda text: self._note(channel, json.loads(text)))
            for event in self.said[last_seq:]:
                channel.send(json.dumps(event))
            self.newest = channel
            self.channel.put_nowait(channel)

        # names that only multicast DNS resolves; aioice's resolver does not outlive an event loop
        sdp = "".join(line for line in offer_sdp.splitlines(True) if ".local " not in line)
        await peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        return OpenedCall(session_id, peer.localDescription.sdp, "ice")

    async def run_stream(self, connect: Connect, request: SessionRequest) -> None:
        self.stream_tickets.append(request.claimant.ticket)
        if self.closed_before_stream is None:
            self.closed_before_stream = list(self.closed)
        raise (
            self.refuse
            or self.refuse_stream
            or NotReady("This server has no WebSocket sessions.", 1)
        )

    async def resume_call(self, session_id: str, offer_sdp: str, seen: LastSeen) -> OpenedCall:
        lost = self.peers.get(session_id)
        if not self.remembers or not lost:
            raise UnknownSession(GONE)
        await lost.close()
        return await self._answer(session_id, offer_sdp, seen.seq or 0)

    async def resume_stream(self, session_id: str, connect: Connect, seen: LastSeen) -> None:
        raise UnknownSession(GONE)

    async def trickle(self, session_id: str, fragment: str, etag: str | None) -> None:
        raise NotImplementedError

    def check(self, settings: SessionPatch) -> Direction:
        raise NotImplementedError

    async def check_admission(self, request: SessionRequest) -> None:
        refuse = self.refuse or self.refuse_stream
        if refuse:
            raise refuse

    def owner(self, session_id: str) -> Owner:
        return self.requests[-1].owner

    def transcript(self, session_id: str) -> Sequence[TranscriptEntry]:
        raise UnknownSession(GONE)

    def revoke(self, key: str) -> None:
        raise NotImplementedError

    async def close_call(self, session_id: str, *, drain: bool) -> None:
        peer = self.peers.pop(session_id, None)
        if not peer:
            raise UnknownSession(GONE)
        self.closed.append(session_id)
        self.hung_up.set()
        await peer.close()

    def _note(self, channel: RTCDataChannel, event: dict[str, Any]) -> None:
        self.received.append(event)
        self.got.set()
        if event["type"] == "session.close" and self.close_on_request:
            say(channel, "session.closed")


def say(channel: RTCDataChannel, kind: str, **fields: Any) -> None:
    """Send one server event."""
    channel.send(json.dumps({"type": kind, "event_id": "event_1", **fields}))


def segment(
    name: str,
    rev: int,
    status: str,
    source: str,
    target: str = "",
    *,
    stable: int = 0,
    hints: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Return the fields of an x.segment, Russian to English."""
    return {
        "segment_id": name,
        "rev": rev,
        "final": status != "partial",
        "status": status,
        "source": {
            "language": "ru",
            "text": source,
            "stable_chars": stable,
            "start_ms": 0,
            "end_ms": 900,
        },
        "target": {"language": "en", "text": target, "stable_chars": 0},
        "hints": [{"source": s, "target": t} for s, t in hints],
    }


@dataclass
class ScriptedReadiness:
    ready: bool = True
    reason: str = ""
    retry_after_s: int = 0


@dataclass
class ScriptedCatalogue:
    ast: AstCapabilities | None
    tts: TtsCapabilities | None
    engine_set: str = "embedded"

    def engines(self) -> Sequence[EngineCard]:
        return ()

    def phrases(self, language: str) -> Sequence[SuggestedPhrase]:
        return PHRASES[language]


AST = AstCapabilities(
    name="phrasebook",
    title="Phrasebook",
    licence="",
    pairs=(("ru", "en"), ("en", "ru")),
    partials=True,
    max_batch=1,
    max_audio_s=15.0,
)
TTS = TtsCapabilities(
    name="espeak",
    title="eSpeak NG",
    licence="",
    voices={"en": ("en",), "ru": ("ru",)},
    sample_rate=22_050,
)


@dataclass
class ScriptedServer:
    """Server that a test controls and reads."""

    url: str
    calls: ScriptedCalls
    catalogue: ScriptedCatalogue
    runner: web.AppRunner


@contextlib.asynccontextmanager
async def scripted_server(settings: Settings | None = None) -> AsyncIterator[ScriptedServer]:
    """Serve on a free port of 127.0.0.1."""
    calls, catalogue = ScriptedCalls(), ScriptedCatalogue(AST, TTS)
    app = make_http_app(calls, ScriptedReadiness(), catalogue, Metrics(), settings or Settings())
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        yield ScriptedServer(f"http://127.0.0.1:{port}/", calls, catalogue, runner)
    finally:
        await runner.cleanup()
        for peer in calls.peers.values():
            await peer.close()


async def received(calls: ScriptedCalls, count: int) -> list[dict[str, Any]]:
    """Return the first `count` client events, once they are there."""
    async with asyncio.timeout(30):
        while len(calls.received) < count:
            calls.got.clear()
            await calls.got.wait()
    return calls.received


async def loudest_hz_of(track: MediaStreamTrack) -> float:
    """Return the strongest frequency of the next half second."""
    frames = [cast(AudioFrame, await track.recv()) for _ in range(25)]
    left = [frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0] for frame in frames]
    return loudest_hz(np.concatenate(left).astype(np.float32), frames[0].sample_rate)

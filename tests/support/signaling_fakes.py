"""A server on a free port of 127.0.0.1 over sessions, engines and readiness that tests set up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from rtc_server.config import AccessSettings, HttpSettings, Settings, TransportSettings
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
from rtc_server.signaling.access_log import AccessLog, server_logger
from rtc_server.signaling.http_app import make_http_app

OFFER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
ANSWER = "v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
CALLS = "/v1/realtime/translations/calls"
SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


@dataclass
class FakeCalls:
    """Sessions that only exist in a dictionary."""

    opened: dict[str, tuple[str, SessionRequest]] = field(default_factory=dict)
    """Open sessions: id to offer and request."""
    closed: list[tuple[str, bool]] = field(default_factory=list)
    """Ended sessions with their drain."""
    trickled: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Arguments of each trickle."""
    resumed: list[tuple[str, str, LastSeen]] = field(default_factory=list)
    """Arguments of each resumption."""
    spoken: list[TranscriptEntry] = field(default_factory=list)
    """Segments of every session's transcript."""
    refuse: Exception | None = None
    """Raised instead of opening or trickling."""
    hold: asyncio.Event | None = None
    """Event that opening waits for, when given."""
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a call has come to be opened."""
    revoked: list[str] = field(default_factory=list)
    """Ids of keys that were."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a session ended or a key was revoked."""

    async def open_call(self, offer_sdp: str, request: SessionRequest) -> OpenedCall:
        self.entered.set()
        if self.refuse:
            raise self.refuse
        if self.hold:
            await self.hold.wait()
        session_id = f"sess_{len(self.opened) + len(self.closed)}"
        self.opened[session_id] = (offer_sdp, request)
        return OpenedCall(session_id, ANSWER, "ice-1")

    async def run_stream(self, connect: Connect, request: SessionRequest) -> None:
        raise self.refuse or NotReady("These sessions have no media.", 1)

    async def resume_call(self, session_id: str, offer_sdp: str, seen: LastSeen) -> OpenedCall:
        if self.refuse:
            raise self.refuse
        self._known(session_id)
        self.resumed.append((session_id, offer_sdp, seen))
        return OpenedCall(session_id, ANSWER, "ice-2")

    async def resume_stream(self, session_id: str, connect: Connect, seen: LastSeen) -> None:
        self._known(session_id)
        raise self.refuse or NotReady("These sessions have no media.", 1)

    async def trickle(self, session_id: str, fragment: str, etag: str | None) -> None:
        if self.refuse:
            raise self.refuse
        self._known(session_id)
        self.trickled.append((session_id, fragment, etag))

    def check(self, settings: SessionPatch) -> Direction:
        if self.refuse:
            raise self.refuse
        return Direction(settings.source_language or "ru", settings.target_language or "en")

    async def check_admission(self, request: SessionRequest) -> None:
        self.check(request.settings)

    def owner(self, session_id: str) -> Owner:
        if self.refuse:
            raise self.refuse
        self._known(session_id)
        return self.opened[session_id][1].owner

    def transcript(self, session_id: str) -> Sequence[TranscriptEntry]:
        self._known(session_id)
        return self.spoken

    def revoke(self, key: str) -> None:
        self.revoked.append(key)
        self.changed.set()

    async def close_call(self, session_id: str, *, drain: bool) -> None:
        self._known(session_id)
        del self.opened[session_id]
        self.closed.append((session_id, drain))
        self.changed.set()

    def _known(self, session_id: str) -> None:
        if session_id not in self.opened:
            raise UnknownSession("There is no such session, or it has ended.")


@dataclass
class FakeReadiness:
    ready: bool = True
    reason: str = ""
    retry_after_s: int = 0


AST = AstCapabilities(
    name="book",
    title="Book 1",
    licence="MIT",
    pairs=(("ru", "en"), ("en", "ru"), ("en", "xx")),
    partials=True,
    max_batch=1,
    max_audio_s=15.0,
    notes=("A small book.",),
)
TTS = TtsCapabilities(
    name="robot",
    title="Robot 1",
    licence="GPL-3.0",
    voices={"en": ("en-a", "en-b"), "ru": ("ru-a",)},
    sample_rate=22_050,
)


@dataclass
class FakeCatalogue:
    ast: AstCapabilities | None = AST
    tts: TtsCapabilities | None = TTS
    engine_set: str = "embedded"

    def engines(self) -> Sequence[EngineCard]:
        return (
            EngineCard("ast", "book", "Book 1", "MIT", ("en", "ru")),
            EngineCard("ast", "big", "Big", "CC-BY", installed=False, missing="Install big."),
            EngineCard("tts", "robot", "Robot 1", "GPL-3.0", ("en", "ru")),
        )

    def phrases(self, language: str) -> Sequence[SuggestedPhrase]:
        return (
            [SuggestedPhrase("Где вокзал?", "Where is the station?", "en")]
            if language == "ru"
            else []
        )


@dataclass
class Served:
    """Server that a test talks to."""

    calls: FakeCalls
    readiness: FakeReadiness
    catalogue: FakeCatalogue
    metrics: Metrics
    client: aiohttp.ClientSession
    """HTTP client with the server as its base URL."""
    port: int


@contextlib.asynccontextmanager
async def serve(
    page_folder: Path | None = None,
    *,
    api_key: str = "",
    ice_servers: tuple[str, ...] = (),
    transport: TransportSettings | None = None,
    prefix: str = "",
    handler_cancellation: bool = False,
    access: AccessSettings | None = None,
    calls: FakeCalls | None = None,
    trusted_proxies: tuple[str, ...] = (),
) -> AsyncIterator[Served]:
    """The real application and a client, over a real socket."""
    calls = calls or FakeCalls()
    readiness, catalogue, metrics = FakeReadiness(), FakeCatalogue(), Metrics()
    settings = Settings(
        http=HttpSettings(api_key=api_key, trusted_proxies=trusted_proxies),
        access=access or AccessSettings(),
        transport=transport or TransportSettings(ice_servers=ice_servers),
    )
    app = make_http_app(calls, readiness, catalogue, metrics, settings, page_folder=page_folder)
    if prefix:
        outer = web.Application()
        outer.add_subapp(prefix, app)
        app = outer
    runner = web.AppRunner(
        app,
        access_log_class=AccessLog,
        logger=server_logger(),
        handler_cancellation=handler_cancellation,
        lingering_time=0.1,
        shutdown_timeout=1.0,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
            yield Served(calls, readiness, catalogue, metrics, client, port)
    finally:
        await runner.cleanup()


async def problem(response: aiohttp.ClientResponse, status: int, code: str) -> Mapping[str, Any]:
    """Check the shape that every error has, and return it."""
    assert response.status == status
    assert response.content_type == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    body: dict[str, Any] = await response.json(content_type="application/problem+json")
    assert set(body) == {"type", "title", "status", "detail", "error"}
    assert body["status"] == status
    assert body["error"]["code"] == code
    assert body["error"]["message"] == body["detail"]
    assert body["detail"].endswith(".")
    assert body["error"]["type"] == ("invalid_request_error" if status < 500 else "server_error")
    return body

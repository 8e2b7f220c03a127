"""The server's HTTP, sessions and rooms in virtual time: engines that follow a script, transports
without a network, and an aiohttp client on a Unix socket, whose two ends never wait for a kernel.
"""

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDictProxy

from rtc_server.config import (
    AccessSettings,
    HttpSettings,
    InterpreterSettings,
    RoomSettings,
    SegmenterSettings,
    Settings,
    TransportSettings,
)
from rtc_server.engines.base import AstCapabilities, EngineCard, TtsCapabilities
from rtc_server.metrics import Metrics
from rtc_server.rooms.room_manager import RoomManager
from rtc_server.session.admission import Admission, AdmissionLimits
from rtc_server.session.call_transport import ConnectCall
from rtc_server.session.manager import SessionManager
from rtc_server.session.services import Services
from rtc_server.session.session_api import SuggestedPhrase
from rtc_server.signaling.access_log import AccessLog, server_logger
from rtc_server.signaling.http_app import make_http_app
from rtc_server.transport.sdp import Role, parse_fragment, parse_offer
from rtc_server.transport.transport_api import NextPacket, TransportObserver
from tests.support.fakes import FakeAst, FakeTransport, FakeTts, LoudnessVad
from tests.support.golden_record import Record
from tests.support.session_bench import MORNING_S, Ready

KEY = "key-of-the-golden-files"
"""The API key of servers that ask for one."""
PHRASES = {
    "ru": (
        SuggestedPhrase("Где вокзал?", "Where is the station?", "en"),
        SuggestedPhrase("Спасибо.", "Thank you.", "en", "politeness"),
    )
}


class InlineExecutor(ThreadPoolExecutor):
    """Executor without threads: virtual time would run away from one."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class CheckingTransport(FakeTransport):
    """Transport that reads fragments as a peer connection does."""

    async def add_ice_fragment(self, fragment: str) -> None:
        parse_fragment(fragment)
        await super().add_ice_fragment(fragment)


@dataclass
class Catalogue:
    """Implements `Catalogue` for the fakes."""

    ast: AstCapabilities | None
    tts: TtsCapabilities | None
    engine_set: str = "embedded"

    def engines(self) -> Sequence[EngineCard]:
        return (
            EngineCard("ast", "fake", "Fake AST 1.0", "none", ("en", "ru")),
            EngineCard("ast", "big", "Big", "CC-BY", installed=False, missing="Install big."),
            EngineCard("tts", "fake", "Fake TTS 1.0", "none", ("en", "ru")),
        )

    def phrases(self, language: str) -> Sequence[SuggestedPhrase]:
        return PHRASES.get(language, ())


def shown(text: str) -> str:
    """Return a message for the record: of a long one its beginning."""
    return text if len(text) < 400 else f"{text[:80]}… ({len(text)} characters)"


@dataclass
class GoldenServer:
    """A server, its client and the record of both."""

    record: Record
    http: aiohttp.ClientSession
    ast: FakeAst
    tts: FakeTts
    readiness: Ready
    catalogue: Catalogue
    transports: list[FakeTransport] = field(default_factory=list)
    """Transports of WebRTC, in the order in which they were negotiated."""
    _read: dict[int, int] = field(default_factory=dict)

    async def ask(
        self,
        asked: str,
        body: str | bytes | None = None,
        *,
        show: object = None,
        **headers: str,
    ) -> tuple[int, str, CIMultiDictProxy[str]]:
        """Send a request such as ``GET /healthz``, record it, and return its answer. `show` is
        recorded instead of the body; ``_`` of a header's name is ``-``.
        """
        method, _, path = asked.partition(" ")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(method, path, data=body, headers=named) as answer:
            text = await answer.text()
            sent = body if show is None else show
            if isinstance(sent, bytes):
                sent = sent.decode("latin-1")
            if isinstance(sent, str):
                sent = shown(sent)
            heading = " ".join([asked, *(f"[{k}: {v}]" for k, v in named.items())])
            self.record.exchange(heading, sent, answer.status, answer.headers, text)
            return answer.status, text, answer.headers

    def say(self, text: str, transport: int = -1) -> None:
        """Let a WebRTC client send a message, and record the answers."""
        self.record.client(text)
        self.transports[transport].observer.on_message(text)
        self.said(transport)

    def said(self, transport: int = -1) -> None:
        """Record what the server has sent on a data channel since."""
        wire = self.transports[transport]
        start = self._read.get(id(wire), 0)
        for text in wire.sent[start:]:
            self.record.server(text)
        self._read[id(wire)] = len(wire.sent)

    def events_of(self, transport: int = -1) -> list[dict[str, Any]]:
        """Return all that was sent on a data channel."""
        return [json.loads(text) for text in self.transports[transport].sent]


@contextlib.asynccontextmanager
async def golden_server(
    record: Record, *, keys: bool = False, ast: FakeAst | None = None, resume_s: float = 30.0
) -> AsyncIterator[GoldenServer]:
    """Run a server whose every answer is the same on each run.

    `keys`: it asks for `KEY`, has ICE servers and lets its page have secrets.
    """
    loop = asyncio.get_running_loop()
    clock = loop.time

    def unix_time() -> float:
        return MORNING_S + clock()

    loop.set_default_executor(InlineExecutor())
    ast, tts, readiness, metrics = ast or FakeAst(), FakeTts(), Ready(), Metrics()
    services = Services(
        ast=ast,
        tts=tts,
        make_vad=LoudnessVad,
        segmenter=SegmenterSettings(),
        interpreter=InterpreterSettings(),
        metrics=metrics,
        clock=clock,
        wall=unix_time,
        resume_s=resume_s,
        phrases=lambda language: PHRASES.get(language, ()),
    )
    transports: list[FakeTransport] = []

    async def connect(observer: TransportObserver) -> FakeTransport:
        await asyncio.sleep(0.01)
        transports.append(CheckingTransport(observer))
        return transports[-1]

    def negotiate(offer: str) -> ConnectCall:
        parse_offer(offer, Role.CALLER)
        return connect

    async def accept(
        offer: str, observer: TransportObserver, role: Role, _next_packet: NextPacket | None
    ) -> FakeTransport:
        parse_offer(offer, role)
        return await connect(observer)

    ice = ("stun:192.0.2.1", "turn:user:word@turn.example:3478?transport=tcp")
    settings = Settings(
        http=HttpSettings(api_key=KEY if keys else ""),
        access=AccessSettings(page_access="open" if keys else "off"),
        transport=TransportSettings(ice_servers=ice if keys else ()),
    )
    admission = Admission(AdmissionLimits(2))
    manager = SessionManager(services, negotiate, readiness, admission)
    rooms = RoomManager(services, accept, readiness, RoomSettings(), admission)
    catalogue = Catalogue(ast.capabilities, tts.capabilities)
    with pytest.MonkeyPatch.context() as patched, tempfile.TemporaryDirectory() as folder:
        for module in ("http_app", "websocket", "problems"):
            patched.setattr(f"rtc_server.signaling.{module}.monotonic", clock)
        patched.setattr("rtc_server.signaling.http_app.wall", unix_time)
        app = make_http_app(manager, readiness, catalogue, metrics, settings, rooms=rooms)
        path = str(Path(folder) / "socket")
        runner = web.AppRunner(
            app, access_log_class=AccessLog, logger=server_logger(), lingering_time=0.1
        )
        await runner.setup()
        try:
            await web.UnixSite(runner, path).start()
            async with (
                aiohttp.ClientSession(
                    "http://localhost:8000",
                    connector=aiohttp.UnixConnector(path, force_close=True),
                    timeout=aiohttp.ClientTimeout(total=None),
                ) as http,
                manager.open(),
                rooms.open(),
            ):
                yield GoldenServer(record, http, ast, tts, readiness, catalogue, transports)
        finally:
            await runner.cleanup()

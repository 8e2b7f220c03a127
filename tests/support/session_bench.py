"""Sessions on transports without a network: a manager, scripted engines, and the client's view."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rtc_server.audio.vad import VadFactory
from rtc_server.config import InterpreterSettings, SegmenterSettings
from rtc_server.errors import AdmissionRefused, BadOffer
from rtc_server.events.client import SessionPatch
from rtc_server.metrics import Metrics
from rtc_server.pcm import FRAME_MS, SPEECH_RATE, Pcm, Samples
from rtc_server.session.admission import Admission, AdmissionLimits
from rtc_server.session.call_transport import ConnectCall
from rtc_server.session.journal import MakeJournal, no_journal
from rtc_server.session.manager import SessionManager
from rtc_server.session.services import Services
from rtc_server.session.session_api import SessionRequest, SuggestedPhrase
from rtc_server.tracing import NO_TRACES, Tracer
from rtc_server.transport.transport_api import TransportObserver
from tests.support.fakes import FakeAst, FakeTransport, FakeTts, LoudnessVad

ALL = frozenset({"segment", "playout", "vad", "metrics"})


@dataclass
class Ready:
    ready: bool = True
    reason: str = "The engines are warming up."
    retry_after_s: int = 0


@dataclass
class SessionBench:
    """Manager whose calls all have fake transports."""

    manager: SessionManager
    metrics: Metrics
    ast: FakeAst
    tts: FakeTts
    readiness: Ready
    transports: list[FakeTransport] = field(default_factory=list)
    usage: list[Any] = field(default_factory=list)
    """Accounts of the sessions that have ended."""

    async def call(self, patch: SessionPatch | None = None, model: str | None = None) -> str:
        request = SessionRequest(model, patch or SessionPatch())
        return (await self.manager.open_call("offer", request)).session_id


MORNING_S = 1_800_000_000.0
"""Unix time at which a test begins; it goes on with the test's own clock."""


@asynccontextmanager
async def session_bench(
    ast: FakeAst | None = None,
    tts: FakeTts | None = None,
    max_sessions: int = 3,
    resume_s: float = 30.0,
    *,
    phrases: Mapping[str, tuple[SuggestedPhrase, ...]] = MappingProxyType({}),
    make_vad: VadFactory = LoudnessVad,
    journal: MakeJournal = no_journal,
    tracer: Tracer = NO_TRACES,
) -> AsyncIterator[SessionBench]:
    ast, tts, readiness = ast or FakeAst(), tts or FakeTts(), Ready()
    clock = asyncio.get_running_loop().time
    usage: list[Any] = []
    services = Services(
        ast=ast,
        tts=tts,
        make_vad=make_vad,
        segmenter=SegmenterSettings(),
        interpreter=InterpreterSettings(),
        metrics=Metrics(),
        clock=clock,
        wall=lambda: MORNING_S + clock(),
        resume_s=resume_s,
        record_usage=usage.append,
        journal=journal,
        tracer=tracer,
        phrases=lambda language: phrases.get(language, ()),
    )
    transports: list[FakeTransport] = []

    def negotiate(offer: str) -> ConnectCall:
        if offer == "bad":
            raise BadOffer("No audio.")

        async def connect(listener: TransportObserver) -> FakeTransport:
            await asyncio.sleep(0.01)
            if offer == "no port":
                raise AdmissionRefused("No UDP port is free.", retry_after_s=5)
            transports.append(FakeTransport(listener))
            return transports[-1]

        return connect

    admission = Admission(AdmissionLimits(max_sessions))
    manager = SessionManager(services, negotiate, readiness, admission)
    async with manager.open():
        yield SessionBench(manager, services.metrics, ast, tts, readiness, transports, usage)


async def speak(transport: FakeTransport, samples: Samples, start: int = 0) -> None:
    step = SPEECH_RATE * FRAME_MS // 1000
    for at in range(0, len(samples), step):
        transport.observer.on_pcm(Pcm(samples[at : at + step], start + at))
        transport.observer.next_frame()
        await asyncio.sleep(FRAME_MS / 1000)


def events(transport: FakeTransport, kind: str = "") -> list[dict[str, Any]]:
    return [e for e in map(json.loads, transport.sent) if e["type"].startswith(kind)]


def say(transport: FakeTransport, **body: object) -> None:
    transport.observer.on_message(json.dumps(body))

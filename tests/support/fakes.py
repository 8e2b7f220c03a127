"""Scripted stand-ins in virtual time: engines, a detector and a transport."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import numpy as np

from rtc_server.engines.base import (
    AstCapabilities,
    AstRequest,
    AstResult,
    AstStatus,
    TtsCapabilities,
    TtsRequest,
)
from rtc_server.errors import EngineError
from rtc_server.pcm import SPEECH_RATE, Samples
from rtc_server.transport.transport_api import CloseReason, TransportObserver, TransportStats

AST_CAPABILITIES = AstCapabilities(
    name="fake",
    title="Fake AST 1.0",
    licence="none",
    pairs=(("ru", "en"), ("en", "ru")),
    partials=True,
    max_batch=8,
    max_audio_s=40.0,
)
TTS_CAPABILITIES = TtsCapabilities(
    name="fake",
    title="Fake TTS 1.0",
    licence="none",
    voices={"en": ("a", "b"), "ru": ("c",)},
    sample_rate=24_000,
)


def ok(source: str, target: str) -> AstResult:
    """Return a translation that succeeded."""
    return AstResult(AstStatus.OK, source, target)


@dataclass
class FakeAst:
    """AST service that answers final requests from a script, in order, each after `delay_s`."""

    script: list[AstResult | EngineError] = field(default_factory=list)
    partial: str = ""
    """Text of partials; its words are revealed one for each half second of audio."""
    delay_s: float = 0.1
    refuse: EngineError | None = None
    """Error that is raised at once instead of accepting a request."""
    requests: list[AstRequest] = field(default_factory=list)
    partials: list[AstRequest] = field(default_factory=list)
    _asked_at: dict[int, float] = field(default_factory=dict)
    guesses: list[AstRequest] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    capabilities: AstCapabilities = AST_CAPABILITIES

    def submit(self, request: AstRequest, *, session_id: str) -> asyncio.Future[AstResult]:
        if self.refuse is not None:
            raise self.refuse
        self.requests.append(request)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[AstResult] = loop.create_future()
        outcome = self.script.pop(0) if self.script else ok("слово", "word")

        def settle() -> None:
            if answer.done():
                return
            if isinstance(outcome, EngineError):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)

        loop.call_later(self.delay_s, settle)
        return answer

    def submit_speculative(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        """Submit without a script entry: the commit takes that."""
        if self.refuse is not None:
            raise self.refuse
        self.guesses.append(request)
        speculative: asyncio.Future[AstResult | None] = asyncio.get_running_loop().create_future()
        self._asked_at[id(speculative)] = asyncio.get_running_loop().time()
        return speculative

    def commit(
        self,
        request: AstRequest,
        speculative: asyncio.Future[AstResult | None],
        *,
        session_id: str,
    ) -> asyncio.Future[AstResult]:
        loop, whole_delay_s = asyncio.get_running_loop(), self.delay_s
        self.delay_s = max(self._asked_at.pop(id(speculative)) + whole_delay_s - loop.time(), 0.0)
        try:
            return self.submit(request, session_id=session_id)
        finally:
            self.delay_s = whole_delay_s

    def submit_partial(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        if self.refuse is not None:
            raise self.refuse
        self.partials.append(request)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[AstResult | None] = loop.create_future()
        words = self.partial.split()[: int(len(request.samples) / SPEECH_RATE * 2)]
        result = AstResult(AstStatus.OK, " ".join(words))
        loop.call_later(self.delay_s, lambda: None if answer.done() else answer.set_result(result))
        return answer

    def expect(self, session_id: str) -> None:
        self.expected.append(session_id)

    def forget(self, session_id: str) -> None:
        self.forgotten.append(session_id)


@dataclass
class FakeTts:
    """Voice that speaks a steady 0.25 for `seconds`, in 100 ms chunks, each after `delay_s`."""

    seconds: float = 1.0
    delay_s: float = 0.02
    failure: EngineError | None = None
    """Error that is raised after the first chunk."""
    requests: list[TtsRequest] = field(default_factory=list)
    closed_early: int = 0
    expected: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    capabilities: TtsCapabilities = TTS_CAPABILITIES

    async def synthesize(
        self, request: TtsRequest, *, session_id: str
    ) -> AsyncGenerator[Samples, None]:
        self.requests.append(request)
        try:
            for number in range(round(self.seconds * 10)):
                await asyncio.sleep(self.delay_s)
                if number and self.failure is not None:
                    raise self.failure
                yield np.full(2400, 0.25, np.float32)
        except GeneratorExit:
            self.closed_early += 1
            raise

    def expect(self, session_id: str) -> None:
        self.expected.append(session_id)

    def forget(self, session_id: str) -> None:
        self.forgotten.append(session_id)


class LoudnessVad:
    """VAD that takes any sound above −40 dBFS for speech, so that tests know every boundary."""

    window_samples = 512

    def probability(self, window: Samples) -> float:
        return 1.0 if float(np.sqrt(np.mean(window**2))) > 0.01 else 0.0

    def reset(self) -> None:
        """Do nothing: there is no state to forget."""


def tone(seconds: float, level: float = 0.3, hz: float = 220.0) -> Samples:
    """Return a sound that `LoudnessVad` takes for speech, at the speech rate."""
    t = np.arange(round(seconds * SPEECH_RATE)) / SPEECH_RATE
    return (level * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def silence(seconds: float) -> Samples:
    """Return silence at the speech rate."""
    return np.zeros(round(seconds * SPEECH_RATE), np.float32)


def joined(parts: Sequence[Samples]) -> Samples:
    """Return sounds one after the other."""
    return np.concatenate(list(parts))


class FakeTransport:
    """Transport without a network: keeps what was sent, and is driven by the test."""

    answer_sdp = "v=0"

    def __init__(self, observer: TransportObserver) -> None:
        self.observer = observer
        self.sent: list[str] = []
        self.fragments: list[str] = []
        self.closed: CloseReason | None = None
        self.stats = TransportStats()
        self.in_order = True

    def send_message(self, text: str, *, droppable: bool = False) -> bool:
        if self.closed is None:
            self.sent.append(text)
        return self.closed is None

    async def add_ice_fragment(self, fragment: str) -> None:
        self.fragments.append(fragment)

    async def close(self, reason: CloseReason = CloseReason.LOCAL) -> None:
        if self.closed is None:
            self.closed = reason
            await asyncio.sleep(0.05)
            self.observer.on_closed(reason)

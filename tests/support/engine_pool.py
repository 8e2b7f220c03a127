"""Engine servers without sockets: channels are queues, engines answer when a test says so."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from rtc_server.config import EngineSettings
from rtc_server.engines.base import AstRequest, AstResult, TtsCapabilities, TtsRequest
from rtc_server.engines.registry import Kind
from rtc_server.engines.remote.directory import ServerAddress
from rtc_server.engines.remote.messages import ServerHello
from rtc_server.engines.remote.pool import EnginePool
from rtc_server.engines.remote.remote_ast import RemoteAst
from rtc_server.engines.remote.remote_tts import RemoteTts
from rtc_server.engines.remote.server import EngineServer, Served
from rtc_server.engines.service.tts import Speech
from rtc_server.metrics import Metrics
from rtc_server.pcm import SPEECH_RATE, Samples
from rtc_server.tracing import NO_TRACES, Tracer
from tests.support.fakes import AST_CAPABILITIES, TTS_CAPABILITIES, ok

_rng = np.random.default_rng(7)


def talk(seconds: float) -> Samples:
    """Noise that no other call returns again, as int16 would hold it."""
    size = round(seconds * SPEECH_RATE)
    return (_rng.integers(-20_000, 20_000, size) / 32768).astype(np.float32)


def asked(samples: Samples, *, partial: bool = False) -> AstRequest:
    return AstRequest(samples, "ru", "en", partial=partial)


class QueueChannel:
    """One end of a channel."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.other: QueueChannel | None = None
        self.is_frozen = False
        """True while frames wait on the way, as TCP keeps them on a network that is split."""
        self._held: list[bytes] = []
        self.sent: list[bytes] = []
        self._ended = False

    @classmethod
    def pair(cls) -> tuple["QueueChannel", "QueueChannel"]:
        a, b = cls(), cls()
        a.other, b.other = b, a
        return a, b

    @property
    def is_over(self) -> bool:
        """True once nothing more comes."""
        return self._ended

    async def send(self, frame: bytes) -> None:
        if self._ended or self.other is None:
            raise EOFError
        self.sent.append(frame)
        if self.is_frozen:
            self._held.append(frame)
        else:
            self.other.inbox.put_nowait(frame)

    def freeze(self, *, frozen: bool) -> None:
        """Hold frames back, or let all through, those that were held included."""
        self.is_frozen = frozen
        if not frozen and self.other is not None:
            for frame in self._held:
                self.other.inbox.put_nowait(frame)
            self._held.clear()

    async def receive(self) -> bytes:
        frame = None if self._ended else await self.inbox.get()
        if frame is None:
            self._ended = True
            raise EOFError
        return frame

    async def close(self) -> None:
        self.inbox.put_nowait(None)
        if self.other is not None:
            self.other.inbox.put_nowait(None)


@dataclass
class HeldAst:
    """AST service that answers when the test says so."""

    ready: bool = True
    retry_after_s: int = 0
    requests: list[AstRequest] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    futures: list[asyncio.Future[AstResult]] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    commits: list[int] = field(default_factory=list)
    """For each commit, the index of the speculative request."""

    def submit(self, request: AstRequest, *, session_id: str) -> asyncio.Future[AstResult]:
        self.requests.append(request)
        self.sessions.append(session_id)
        self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[-1]

    def submit_partial(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        return self.submit(request, session_id=session_id)  # type: ignore[return-value]

    submit_speculative = submit_partial

    def commit(
        self,
        request: AstRequest,
        speculative: asyncio.Future[AstResult | None],
        *,
        session_id: str,
    ) -> asyncio.Future[AstResult]:
        self.commits.append(self.futures.index(speculative))  # type: ignore[arg-type]
        return speculative  # type: ignore[return-value]

    def expect(self, session_id: str) -> None:
        self.expected.append(session_id)

    def forget(self, session_id: str) -> None:
        self.forgotten.append(session_id)

    def answer(self, text: str = "word") -> None:
        """Answer all open requests."""
        for future in self.futures:
            if not future.done():
                future.set_result(ok("слово", text))


@dataclass
class HeldTts:
    """TTS service that speaks when the test says so."""

    ready: bool = True
    retry_after_s: int = 0
    speeches: list[Speech] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    def synthesize(self, request: TtsRequest, *, session_id: str) -> Speech:
        self.speeches.append(Speech(request, session_id))
        return self.speeches[-1]

    def expect(self, session_id: str) -> None:
        self.expected.append(session_id)

    def forget(self, session_id: str) -> None:
        self.forgotten.append(session_id)


@dataclass
class HeldServer:
    """One engine server of a test."""

    name: str
    ast: HeldAst = field(default_factory=HeldAst)
    tts: HeldTts = field(default_factory=HeldTts)
    title: str = AST_CAPABILITIES.title
    engine: str = "fake"
    tts_capabilities: TtsCapabilities = TTS_CAPABILITIES
    is_up: bool = True
    tracer: Tracer = NO_TRACES
    ends: list[QueueChannel] = field(default_factory=list)
    """Both ends of each connection that was made: the media process's, then the server's."""
    server: EngineServer = field(init=False)

    def __post_init__(self) -> None:
        ast = replace(AST_CAPABILITIES, name=self.engine, title=self.title)
        self.server = EngineServer(
            Served(
                self.ast,
                self.tts,
                ServerHello("1", self.engine, ast=ast),
                ServerHello("1", self.engine, tts=self.tts_capabilities),
            ),
            self.tracer,
        )

    @property
    def address(self) -> ServerAddress:
        return ServerAddress(self.name, unix=self.name)

    async def kill(self) -> None:
        """End the server at once, like kill -9."""
        self.is_up = False
        for end in self.ends:
            await end.close()

    def freeze(self, *, frozen: bool = True) -> None:
        """Let nothing through in either direction."""
        for end in self.ends:
            end.freeze(frozen=frozen)


class HeldServers:
    """Engine servers, and the directory that knows them."""

    def __init__(self, *servers: HeldServer) -> None:
        self.by_name = {held.name: held for held in servers}
        self.listed: Sequence[ServerAddress] = [held.address for held in servers]
        self.metrics = Metrics()
        self.connected: list[ServerAddress] = []
        """Addresses of all connections that were made."""
        self._serving: set[asyncio.Task[None]] = set()

    async def addresses(self) -> Sequence[ServerAddress]:
        return self.listed

    def pool(self, kind: Kind, settings: EngineSettings) -> EnginePool:
        async def connect(address: ServerAddress) -> QueueChannel:
            held = self.by_name[address.name]
            if not held.is_up:
                raise ConnectionRefusedError(111, "Connection refused")
            held.server.check(kind)
            ours, theirs = QueueChannel.pair()
            held.ends += [ours, theirs]
            self.connected.append(address)
            task = asyncio.create_task(held.server.serve(kind, "m", theirs))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
            return ours

        return EnginePool(kind, self, connect, settings, self.metrics)

    async def close(self) -> None:
        for held in self.by_name.values():
            await held.kill()
        if self._serving:
            await asyncio.wait(self._serving)

    def sample(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def translating(
    servers: HeldServers, settings: EngineSettings | None = None
) -> AsyncIterator[RemoteAst]:
    ast = RemoteAst(servers.pool("ast", settings or EngineSettings()))
    await ast.start()
    await asyncio.sleep(0.3)  # all are connected, and have answered a ping
    try:
        yield ast
    finally:
        await ast.close()
        await servers.close()


@asynccontextmanager
async def speaking(
    servers: HeldServers, settings: EngineSettings | None = None
) -> AsyncIterator[RemoteTts]:
    tts = RemoteTts(servers.pool("tts", settings or EngineSettings()))
    await tts.start()
    await asyncio.sleep(0.3)
    try:
        yield tts
    finally:
        await tts.close()
        await servers.close()


def held_servers(*names: str) -> HeldServers:
    """Return servers of these names, else two."""
    return HeldServers(*(HeldServer(name) for name in names or ("unix:a", "unix:b")))


def asked_server(some: HeldServers) -> HeldServer:
    """Return the server with a segment that waits."""
    [held] = [each for each in some.by_name.values() if any(not f.done() for f in each.ast.futures)]
    return held


def other_than(some: HeldServers, held: HeldServer) -> HeldServer:
    [other] = [each for each in some.by_name.values() if each is not held]
    return other


async def frames_pass() -> None:
    """Wait until frames have arrived; no timer of the pool is so short."""
    await asyncio.sleep(0.01)

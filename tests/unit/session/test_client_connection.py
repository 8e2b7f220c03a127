"""A session's connection with its client: one transport after another, and the wait between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from rtc_server.config import InterpreterSettings, SegmenterSettings
from rtc_server.errors import BadEvent
from rtc_server.events.client import SessionPatch
from rtc_server.events.server import PongEvent, VadEvent
from rtc_server.metrics import Metrics
from rtc_server.session.admission import Admission, AdmissionLimits
from rtc_server.session.client_connection import ClientConnection
from rtc_server.session.event_log import MAX_EVENTS
from rtc_server.session.event_stream import EventStream
from rtc_server.session.places import Kind
from rtc_server.session.preferences import Preferences
from rtc_server.session.services import Services
from rtc_server.session.session_api import Claimant, LastSeen
from rtc_server.session.transport_binding import TransportBinding
from rtc_server.session.usage import UsageMeter
from rtc_server.transport.transport_api import CloseReason
from tests.support.fakes import FakeAst, FakeTransport, FakeTts, LoudnessVad
from tests.support.interpreting import running_interpreter
from tests.support.session_bench import ALL, events

RESUME_S = 30.0


class Quiet:
    """Session that ignores the reports of its transport."""

    def on_connected(self) -> None: ...

    def on_message(self, text: str) -> None: ...

    def on_bad_message(self, reason: str, event_id: str | None = None) -> None: ...

    def on_slow_reader(self) -> None: ...

    def on_audio_ahead(self) -> None: ...

    def on_closed(self, reason: CloseReason) -> None: ...


@dataclass
class Connected:
    """A connection with its surroundings."""

    connection: ClientConnection
    stream: EventStream
    over: asyncio.Event
    services: Services
    given_up: list[float] = field(default_factory=list)

    def transport(self) -> FakeTransport:
        """Take a new transport into use."""
        interpreter = self.connection._interpreter
        binding = TransportBinding(Quiet(), interpreter.audio, interpreter, self.services.metrics)
        transport = FakeTransport(binding)
        self.connection.take(binding, transport)
        binding.on_connected()
        self.connection.connected()
        return transport


@asynccontextmanager
async def connected(resume_s: float = RESUME_S) -> AsyncIterator[Connected]:
    metrics, over, clock = Metrics(), asyncio.Event(), asyncio.get_running_loop().time
    services = Services(
        ast=FakeAst(),
        tts=FakeTts(),
        make_vad=LoudnessVad,
        segmenter=SegmenterSettings(),
        interpreter=InterpreterSettings(),
        metrics=metrics,
        clock=clock,
    )
    stream = EventStream(
        Preferences(SessionPatch(x_events=ALL), services, None),
        UsageMeter("sess_1", "", 0.0),
        metrics,
        over=over,
        clock=clock,
        wall=clock,
    )
    place = Admission(AdmissionLimits(1)).admit(Kind.SESSION, Claimant(), 0.0, 0.0)
    async with running_interpreter(
        services.ast, services.tts, stream.emit, settings=InterpreterSettings(), metrics=metrics
    ) as interpreter:
        given_up: list[float] = []
        connection = ClientConnection(
            interpreter,
            stream,
            place,
            resume_s=resume_s,
            clock=clock,
            on_given_up=lambda: given_up.append(clock()),
        )
        made = Connected(connection, stream, over, services, given_up)
        yield made
        await connection.close(CloseReason.LOCAL)


async def test_a_client_that_was_never_there_is_not_waited_for() -> None:
    async with connected() as c:
        assert not c.connection.waits_after(CloseReason.CONNECT_TIMEOUT)


async def test_a_client_that_left_in_order_is_not_waited_for() -> None:
    async with connected() as c:
        c.transport()
        assert not c.connection.waits_after(CloseReason.REMOTE)
        assert c.connection.waits_after(CloseReason.PEER_LOST)
    async with connected(resume_s=0) as c:
        c.transport()
        assert not c.connection.waits_after(CloseReason.PEER_LOST)


async def test_a_lost_client_is_given_up_after_its_time() -> None:
    async with connected() as c:
        c.transport()
        lost_s = asyncio.get_running_loop().time()
        assert c.connection.waits_after(CloseReason.PEER_LOST)
        assert c.connection.binding is None
        await asyncio.sleep(RESUME_S + 1)
        assert c.given_up == [pytest.approx(lost_s + RESUME_S)]


async def test_a_client_that_comes_back_is_not_given_up_and_its_old_transport_closes() -> None:
    async with connected() as c:
        old = c.transport()
        old.stats.messages_dropped = 3
        c.connection.replace()
        new = c.transport()
        new.stats.messages_dropped = 1
        await asyncio.sleep(RESUME_S + 1)
        assert c.given_up == []
        assert old.closed is CloseReason.LOCAL and new.closed is None
        assert c.connection.messages_dropped == 4
        c.stream.emit(PongEvent(None))
        assert len(events(new)) == 1 and events(old) == []


# ---------------------------------------------------------------- events


async def test_events_are_numbered_and_extensions_counted_apart() -> None:
    async with connected() as c:
        transport = c.transport()
        c.stream.refuse(BadEvent("no"), "mine")
        c.stream.emit(PongEvent(None))
        error, pong = events(transport)
        assert (error["event_id"], pong["event_id"]) == ("event_1", "event_2")
        assert error["error"]["event_id"] == "mine"
        assert (error.get("seq"), pong["seq"]) == (None, 1)


async def test_what_may_be_dropped_is_not_kept_for_a_client_that_is_away() -> None:
    async with connected() as c:
        c.transport()
        c.connection.waits_after(CloseReason.PEER_LOST)
        c.stream.emit(VadEvent("speech", 0))
        c.stream.refuse(BadEvent("kept"))
        missed = c.stream.missed(LastSeen(number=0), 0.0)
        assert ["kept" in text for text in missed.texts] == [True]
        back = c.transport()
        c.stream.replay(missed)
        assert [e["event_id"] for e in events(back)] == ["event_1"]


async def test_a_client_that_missed_too_much_is_told() -> None:
    async with connected() as c:
        transport = c.transport()
        for _ in range(MAX_EVENTS + 1):
            c.stream.refuse(BadEvent("no"))
        transport.sent.clear()
        c.stream.replay(c.stream.missed(LastSeen(number=0), 0.0))
        assert len(transport.sent) == MAX_EVENTS + 1
        assert "replay_incomplete" in transport.sent[-1]


async def test_nothing_follows_the_end() -> None:
    async with connected() as c:
        transport = c.transport()
        c.over.set()
        c.stream.refuse(BadEvent("too late"))
        assert transport.sent == []

"""A client that the network took away and that comes back: virtual time, fake wires."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from itertools import pairwise

import numpy as np
import pytest

from rtc_server.engines.base import TtsRequest
from rtc_server.errors import BadOffer, EtagMismatch, RateLimited, UnknownSession
from rtc_server.events.client import SessionPatch
from rtc_server.pcm import FRAME_MS, Samples
from rtc_server.session.event_log import MAX_BYTES, MAX_EVENTS, EventLog, SentEvent
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant, LastSeen, Owner, SessionRequest
from rtc_server.transport.transport_api import CloseReason, TransportObserver
from tests.support.fakes import FakeAst, FakeTransport, FakeTts, joined, ok, silence, tone
from tests.support.house import ALL, House, events, house, say, speak
from tests.support.virtual_time import watched

NOTHING = LastSeen()
GOODBYES = (CloseReason.REMOTE, CloseReason.LOCAL)
LOSSES = (CloseReason.PEER_LOST, CloseReason.FAILED)


class RisingTts(FakeTts):
    """Gets louder by the sample, so that what is heard tells where in the sentence it was said."""

    async def synthesize(
        self, request: TtsRequest, *, session_id: str
    ) -> AsyncGenerator[Samples, None]:
        self.requests.append(request)
        total = round(self.seconds * self.capabilities.sample_rate)
        for at in range(0, total, 2400):
            await asyncio.sleep(0.02)
            yield (0.1 + 0.8 * np.arange(at, at + 2400) / total).astype(np.float32)


async def connected(h: House, patch: SessionPatch | None = None) -> tuple[str, FakeTransport]:
    session_id = await h.call(patch or SessionPatch(x_events=ALL))
    wire = h.wires[-1]
    wire.observer.on_connected()
    return session_id, wire


async def resumed(h: House, session_id: str, seen: LastSeen = NOTHING) -> FakeTransport:
    await h.manager.resume_call(session_id, "offer", seen)
    wire = h.wires[-1]
    wire.observer.on_connected()
    return wire


def hears(wire: FakeTransport) -> None:
    """The wire's client has just given a sign of life."""
    wire.stats.last_seen_s = asyncio.get_running_loop().time()


def lose(wire: FakeTransport, reason: CloseReason = CloseReason.PEER_LOST) -> None:
    wire.closed = reason
    wire.observer.on_closed(reason)


async def heard(wire: FakeTransport, seconds: float, *, alive: bool = True) -> list[Samples]:
    """Return what a transport plays meanwhile: frames of speech."""
    frames = []
    for _ in range(round(seconds * 1000 / FRAME_MS)):
        if alive:
            hears(wire)
        frames.append(wire.observer.next_frame())
        await asyncio.sleep(FRAME_MS / 1000)
    return [frame for frame in frames if frame is not None]


def texts(wire: FakeTransport) -> list[str]:
    return [e["target"]["text"] for e in events(wire, "x.segment") if e["status"] == "final"]


async def test_a_phrase_cut_off_by_the_network_is_answered_once() -> None:
    async with house(FakeAst([ok("да", "yes"), ok("нет", "no")])) as h:
        session_id, first = await connected(h)
        await speak(first, tone(1.2))
        lose(first)
        await asyncio.sleep(5)
        assert len(h.ast.requests) == 1
        assert h.manager.sessions == 1
        last = max(e["seq"] for e in events(first, "x."))
        second = await resumed(h, session_id, LastSeen(seq=last))
        assert events(second)[0]["type"] == "session.updated"
        assert texts(second) == ["yes"]
        assert len(await heard(second, 3)) == 50  # one second, none of it before
        await speak(second, joined([tone(1), silence(2)]))
        assert texts(second) == ["yes", "no"]
        starts = [e["source"]["start_ms"] for e in events(second, "x.segment") if e["final"]]
        assert starts == sorted(starts)
        assert len(h.tts.requests) == 2


async def test_captions_since_the_last_seen_come_again_with_their_numbers() -> None:
    async with house(FakeAst([ok("раз", "one"), ok("два", "two"), ok("три", "three")])) as h:
        session_id, first = await connected(h)
        at = 0
        for _ in range(2):
            await speak(first, joined([tone(1), silence(2)]), at)
            at += 3 * 16_000
        await speak(first, tone(1), at)
        lose(first)
        await asyncio.sleep(1)
        sent = events(first, "x.")
        cut = next(e["seq"] for e in sent if e["type"] == "x.segment" and e["final"])
        second = await resumed(h, session_id, LastSeen(seq=cut))
        again = events(second, "x.")
        assert texts(second) == ["two", "three"]
        numbers = [e["seq"] for e in again]
        assert numbers == sorted(set(numbers))
        assert numbers[0] > cut
        known = {e["seq"]: e for e in sent}
        assert [e for e in again if e["seq"] in known] == [
            e
            for e in sent
            if e["seq"] > cut and e["type"] in ("x.segment", "x.playout") and e.get("final", True)
        ]


async def test_deltas_come_again_after_the_last_event_that_is_named() -> None:
    async with house(FakeAst([ok("раз", "one"), ok("два", "two")])) as h:
        session_id, first = await connected(h, SessionPatch(transcription=True))
        await speak(first, joined([tone(1), silence(2)]))
        await speak(first, tone(1), 3 * 16_000)
        lose(first)
        await asyncio.sleep(1)
        source = next(e for e in events(first) if "input_transcript" in e["type"])
        number = int(source["event_id"].removeprefix("event_"))
        second = await resumed(h, session_id, LastSeen(number=number))
        assert [(e["type"].split(".")[1], e["delta"]) for e in events(second)[1:]] == [
            ("output_transcript", "one"),
            ("input_transcript", " два"),
            ("output_transcript", " two"),
        ]


async def test_who_names_nothing_gets_what_was_said_since_it_was_heard_last() -> None:
    async with house(FakeAst([ok("раз", "one"), ok("два", "two")])) as h:
        session_id, first = await connected(h, SessionPatch())
        await speak(first, joined([tone(1), silence(2)]))
        hears(first)
        await speak(first, tone(1), 3 * 16_000)
        await heard(first, 2, alive=False)
        lose(first)
        await asyncio.sleep(1)
        second = await resumed(h, session_id)
        assert [e["delta"] for e in events(second, "session.output")] == [" two"]


@pytest.mark.parametrize("replaced", [False, True])
async def test_speech_goes_on_where_the_network_cut_it_off(replaced: bool) -> None:
    async with house(FakeAst([ok("да", "yes")]), RisingTts(seconds=2)) as h:
        session_id, first = await connected(h)
        await speak(first, tone(1))
        say(first, type="x.input.commit")
        begun = await heard(first, 1)
        await heard(first, 0.5, alive=False)  # into the void
        if not replaced:
            lose(first)
            await asyncio.sleep(2)
        second = await resumed(h, session_id)
        rest = await heard(second, 3)
        assert first.observer.next_frame() is None
        assert 0 < len(begun) < len(begun) + len(rest) == 100
        levels = [float(frame.max()) for frame in begun + rest]
        assert all(later > earlier for earlier, later in pairwise(levels))
        states = [e["state"] for e in events(first, "x.playout") + events(second, "x.playout")]
        assert sorted(set(states)) == sorted(states) == ["finished", "queued", "started"]
        if replaced:
            assert first.closed is CloseReason.LOCAL


async def test_speech_that_was_heard_is_not_repeated() -> None:
    async with house(FakeAst([ok("да", "yes")])) as h:
        session_id, first = await connected(h)
        await speak(first, joined([tone(1), silence(0.5)]))
        await heard(first, 2)
        lose(first)
        second = await resumed(h, session_id)
        assert not await heard(second, 2)


async def test_speech_cleared_by_its_user_stays_silent() -> None:
    async with house(FakeAst([ok("да", "yes")])) as h:
        session_id, first = await connected(h)
        hears(first)
        await speak(first, joined([tone(1), silence(1)]))
        say(first, type="x.output.clear")
        await heard(first, 0.1, alive=False)
        lose(first)
        second = await resumed(h, session_id)
        assert len(await heard(second, 2)) <= 1  # the fade that was under way


async def test_a_drain_speaks_what_came_back() -> None:
    async with house(FakeAst([ok("да", "yes")])) as h:
        session_id, first = await connected(h)
        hears(first)
        await speak(first, joined([tone(1), silence(3)]))
        lose(first)
        second = await resumed(h, session_id)
        say(second, type="session.close")
        assert len(await heard(second, 2)) == 50
        assert events(second)[-1]["type"] == "session.closed"
        assert second.closed is CloseReason.LOCAL  # the first one's loss is history
        assert h.manager.sessions == 0


@pytest.mark.parametrize("reason", LOSSES)
async def test_nobody_comes_back(reason: CloseReason) -> None:
    async with house() as h:
        session_id, first = await connected(h)
        lose(first, reason)
        await asyncio.sleep(29)
        assert h.manager.sessions == 1
        await asyncio.sleep(2)
        assert h.manager.sessions == 0
        assert h.ast.forgotten == [session_id]
        closed = h.metrics.registry.get_sample_value
        assert closed("rtc_sessions_closed_total", {"reason": reason.value}) == 1
        with pytest.raises(UnknownSession):
            await resumed(h, session_id)


@pytest.mark.parametrize("reason", GOODBYES)
async def test_who_said_goodbye_is_not_waited_for(reason: CloseReason) -> None:
    async with house() as h:
        _, first = await connected(h)
        lose(first, reason)
        await asyncio.sleep(0.1)
        assert h.manager.sessions == 0


async def test_without_a_window_the_session_ends_with_its_wire() -> None:
    async with house(resume_s=0) as h:
        _, first = await connected(h)
        lose(first)
        await asyncio.sleep(0.1)
        assert h.manager.sessions == 0


async def test_a_client_may_come_back_as_much_later_as_the_server_stood_still() -> None:
    async with watched() as loop, house(resume_s=30) as h:
        session_id, first = await connected(h)
        lose(first)
        await asyncio.sleep(20)
        loop.stand_still(60)
        await asyncio.sleep(5)
        await resumed(h, session_id)
        lose(h.wires[1])
        await asyncio.sleep(31)
        assert h.manager.sessions == 0


async def test_a_peer_that_does_not_connect_leaves_the_session_for_the_next() -> None:
    async with house(FakeAst([ok("да", "yes")])) as h:
        session_id, first = await connected(h)
        await speak(first, tone(1))
        lose(first)
        await h.manager.resume_call(session_id, "offer", NOTHING)
        await asyncio.sleep(15)
        lose(h.wires[1], CloseReason.CONNECT_TIMEOUT)
        with pytest.raises(BadOffer):
            await h.manager.resume_call(session_id, "bad", NOTHING)
        third = await resumed(h, session_id)
        assert texts(third) == ["yes"]
        assert len(await heard(third, 2)) == 50


async def test_of_many_that_come_back_at_once_the_last_one_has_the_session() -> None:
    async with house(FakeAst([ok("да", "yes")])) as h:
        session_id, first = await connected(h)
        await asyncio.gather(
            *(h.manager.resume_call(session_id, "offer", NOTHING) for _ in range(5))
        )
        await asyncio.sleep(1)
        assert [wire.closed for wire in (first, *h.wires[1:5])] == [CloseReason.LOCAL] * 5
        last = h.wires[-1]
        assert last.closed is None
        last.observer.on_connected()
        await speak(last, joined([tone(1), silence(2)]))
        assert texts(last) == ["yes"]
        assert h.manager.sessions == 1
    assert last.closed is CloseReason.LOCAL


async def test_a_session_on_its_way_out_is_not_resumed() -> None:
    async with house(FakeAst(delay_s=5)) as h:
        session_id, first = await connected(h)
        await speak(first, tone(1))
        say(first, type="session.close")
        with pytest.raises(UnknownSession):
            await resumed(h, session_id)
        lose(first)
        await asyncio.sleep(0.1)
        assert h.manager.sessions == 0
        with pytest.raises(UnknownSession):
            await h.manager.resume_call("sess_none", "offer", NOTHING)


async def test_a_session_that_ends_while_its_new_peer_is_made_frees_that_peer() -> None:
    async with house() as h:
        session_id, _ = await connected(h)
        coming_back = asyncio.create_task(resumed(h, session_id))
        await asyncio.sleep(0.005)
        await h.manager.close_call(session_id, drain=False)
        with pytest.raises(UnknownSession):
            await coming_back
        assert all(wire.closed is not None for wire in h.wires)


async def test_a_new_peer_that_comes_too_late_does_not_cut_off_the_last_words() -> None:
    async with house(FakeAst([ok("да", "yes")])) as h:
        session_id, first = await connected(h)
        await speak(first, tone(1))
        coming_back = asyncio.create_task(resumed(h, session_id))
        await asyncio.sleep(0.005)
        say(first, type="session.close")
        with pytest.raises(UnknownSession):
            await coming_back
        assert h.wires[1].closed is CloseReason.LOCAL
        assert len(await heard(first, 3)) == 50
        assert events(first)[-1]["type"] == "session.closed"


async def test_a_session_without_a_client_can_be_ended() -> None:
    async with house() as h:
        session_id, first = await connected(h)
        lose(first)
        await h.manager.close_call(session_id, drain=True)
        assert h.manager.sessions == 0


async def test_it_is_one_session_to_its_key() -> None:
    async with house() as h:
        request = SessionRequest(claimant=Claimant(Owner("key"), KeyLimits(sessions=1)))
        opened = await h.manager.open_call("offer", request)
        h.wires[0].observer.on_connected()
        lose(h.wires[0])
        again = await h.manager.resume_call(opened.session_id, "offer", NOTHING)
        assert h.manager.sessions == 1
        assert (again.session_id, again.etag != opened.etag) == (opened.session_id, True)
        with pytest.raises(EtagMismatch):
            await h.manager.trickle(opened.session_id, "a=candidate", opened.etag)
        await h.manager.trickle(opened.session_id, "a=candidate", again.etag)
        assert h.wires[1].fragments
        lose(h.wires[1], CloseReason.REMOTE)
        await asyncio.sleep(0.1)
        await h.manager.open_call("offer", request)
        with pytest.raises(RateLimited):
            await h.manager.open_call("offer", request)


async def test_a_stream_is_resumed_by_another_stream() -> None:
    async with house(FakeAst([ok("да", "yes")])) as h:

        async def connect(listener: TransportObserver) -> FakeTransport:
            h.wires.append(FakeTransport(listener))
            listener.on_connected()
            return h.wires[-1]

        first = asyncio.create_task(h.manager.run_stream(connect, SessionRequest()))
        await asyncio.sleep(0.1)
        session_id = events(h.wires[0])[0]["session"]["id"]
        await speak(h.wires[0], tone(1))
        lose(h.wires[0])
        await first
        assert h.manager.sessions == 1
        second = asyncio.create_task(h.manager.resume_stream(session_id, connect, NOTHING))
        await asyncio.sleep(1)
        assert [e["delta"] for e in events(h.wires[1], "session.output")] == ["yes"]
        assert not second.done()
        say(h.wires[1], type="session.close")
        await heard(h.wires[1], 2)
        await second
        assert h.manager.sessions == 0


def logged(
    count: int, size: int = 10, every: Callable[[int], int | None] = lambda n: n
) -> EventLog:
    log = EventLog()
    for number in range(1, count + 1):
        log.keep(SentEvent(number, every(number), float(number), "x" * size))
    return log


def test_the_log_keeps_the_newest_and_says_when_some_are_missing() -> None:
    log = logged(MAX_EVENTS + 50)
    assert len(log.since(LastSeen(number=0), 0.0).texts) == MAX_EVENTS
    assert log.since(LastSeen(number=0), 0.0).missing
    assert log.since(LastSeen(seq=49), 0.0).missing
    assert not log.since(LastSeen(seq=50), 0.0).missing
    assert not log.since(LastSeen(number=50), 0.0).missing
    assert log.since(NOTHING, 49.0).missing
    assert not log.since(NOTHING, 50.0).missing
    big = logged(10, size=MAX_BYTES // 4)
    assert len(big.since(LastSeen(number=0), 0.0).texts) == 4


def test_a_gap_in_the_log_is_told() -> None:
    log = logged(MAX_EVENTS + 4, every=lambda n: n // 2 if n % 2 == 0 else None)
    assert log.since(LastSeen(seq=1), 0.0).missing
    replay = log.since(LastSeen(seq=2), 0.0)
    assert not replay.missing
    assert len(replay.texts) == MAX_EVENTS // 2

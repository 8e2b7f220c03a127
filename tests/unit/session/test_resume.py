"""A client whose connection is lost and that comes back: virtual time, fake transports."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from rtc_server.events.client import SessionPatch
from rtc_server.session.event_log import MAX_BYTES, MAX_EVENTS, EventLog, SentEvent
from rtc_server.session.session_api import LastSeen, SessionRequest
from rtc_server.transport.transport_api import CloseReason, TransportObserver
from tests.support.fakes import FakeAst, FakeTransport, joined, ok, silence, tone
from tests.support.resuming import NOTHING, RisingTts, connected, heard, hears, lose, resumed, texts
from tests.support.session_bench import events, say, session_bench, speak


async def test_a_phrase_cut_off_by_the_network_is_answered_once() -> None:
    async with session_bench(FakeAst([ok("да", "yes"), ok("нет", "no")])) as bench:
        session_id, first = await connected(bench)
        await speak(first, tone(1.2))
        lose(first)
        await asyncio.sleep(5)
        assert len(bench.ast.requests) == 1
        assert bench.manager.sessions == 1
        last = max(e["seq"] for e in events(first, "x."))
        second = await resumed(bench, session_id, LastSeen(seq=last))
        assert events(second)[0]["type"] == "session.updated"
        assert texts(second) == ["yes"]
        assert len(await heard(second, 3)) == 50  # one second, none of it before
        await speak(second, joined([tone(1), silence(2)]))
        assert texts(second) == ["yes", "no"]
        starts = [e["source"]["start_ms"] for e in events(second, "x.segment") if e["final"]]
        assert starts == sorted(starts)
        assert len(bench.tts.requests) == 2


async def test_captions_since_the_last_seen_come_again_with_their_numbers() -> None:
    async with session_bench(
        FakeAst([ok("раз", "one"), ok("два", "two"), ok("три", "three")])
    ) as bench:
        session_id, first = await connected(bench)
        at = 0
        for _ in range(2):
            await speak(first, joined([tone(1), silence(2)]), at)
            at += 3 * 16_000
        await speak(first, tone(1), at)
        lose(first)
        await asyncio.sleep(1)
        sent = events(first, "x.")
        cut = next(e["seq"] for e in sent if e["type"] == "x.segment" and e["final"])
        second = await resumed(bench, session_id, LastSeen(seq=cut))
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
    async with session_bench(FakeAst([ok("раз", "one"), ok("два", "two")])) as bench:
        session_id, first = await connected(bench, SessionPatch(transcription=True))
        await speak(first, joined([tone(1), silence(2)]))
        await speak(first, tone(1), 3 * 16_000)
        lose(first)
        await asyncio.sleep(1)
        source = next(e for e in events(first) if "input_transcript" in e["type"])
        number = int(source["event_id"].removeprefix("event_"))
        second = await resumed(bench, session_id, LastSeen(number=number))
        assert [(e["type"].split(".")[1], e["delta"]) for e in events(second)[1:]] == [
            ("output_transcript", "one"),
            ("input_transcript", " два"),
            ("output_transcript", " two"),
        ]


async def test_who_names_nothing_gets_what_was_said_since_it_was_heard_last() -> None:
    async with session_bench(FakeAst([ok("раз", "one"), ok("два", "two")])) as bench:
        session_id, first = await connected(bench, SessionPatch())
        await speak(first, joined([tone(1), silence(2)]))
        hears(first)
        await speak(first, tone(1), 3 * 16_000)
        await heard(first, 2, alive=False)
        lose(first)
        await asyncio.sleep(1)
        second = await resumed(bench, session_id)
        assert [e["delta"] for e in events(second, "session.output")] == [" two"]


@pytest.mark.parametrize("replaced", [False, True])
async def test_speech_goes_on_where_the_network_cut_it_off(replaced: bool) -> None:
    async with session_bench(FakeAst([ok("да", "yes")]), RisingTts(seconds=2)) as bench:
        session_id, first = await connected(bench)
        await speak(first, tone(1))
        say(first, type="x.input.commit")
        begun = await heard(first, 1)
        await heard(first, 0.5, alive=False)  # into the void
        if not replaced:
            lose(first)
            await asyncio.sleep(2)
        second = await resumed(bench, session_id)
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
    async with session_bench(FakeAst([ok("да", "yes")])) as bench:
        session_id, first = await connected(bench)
        await speak(first, joined([tone(1), silence(0.5)]))
        await heard(first, 2)
        lose(first)
        second = await resumed(bench, session_id)
        assert not await heard(second, 2)


async def test_speech_cleared_by_its_user_stays_silent() -> None:
    async with session_bench(FakeAst([ok("да", "yes")])) as bench:
        session_id, first = await connected(bench)
        hears(first)
        await speak(first, joined([tone(1), silence(1)]))
        say(first, type="x.output.clear")
        await heard(first, 0.1, alive=False)
        lose(first)
        second = await resumed(bench, session_id)
        assert len(await heard(second, 2)) <= 1  # the fade that was under way


async def test_a_drain_speaks_what_came_back() -> None:
    async with session_bench(FakeAst([ok("да", "yes")])) as bench:
        session_id, first = await connected(bench)
        hears(first)
        await speak(first, joined([tone(1), silence(3)]))
        lose(first)
        second = await resumed(bench, session_id)
        say(second, type="session.close")
        assert len(await heard(second, 2)) == 50
        assert events(second)[-1]["type"] == "session.closed"
        assert second.closed is CloseReason.LOCAL  # the first one's loss is history
        assert bench.manager.sessions == 0


async def test_a_stream_is_resumed_by_another_stream() -> None:
    async with session_bench(FakeAst([ok("да", "yes")])) as bench:

        async def connect(listener: TransportObserver) -> FakeTransport:
            bench.transports.append(FakeTransport(listener))
            listener.on_connected()
            return bench.transports[-1]

        first = asyncio.create_task(bench.manager.run_stream(connect, SessionRequest()))
        await asyncio.sleep(0.1)
        session_id = events(bench.transports[0])[0]["session"]["id"]
        await speak(bench.transports[0], tone(1))
        lose(bench.transports[0])
        await first
        assert bench.manager.sessions == 1
        second = asyncio.create_task(bench.manager.resume_stream(session_id, connect, NOTHING))
        await asyncio.sleep(1)
        assert [e["delta"] for e in events(bench.transports[1], "session.output")] == ["yes"]
        assert not second.done()
        say(bench.transports[1], type="session.close")
        await heard(bench.transports[1], 2)
        await second
        assert bench.manager.sessions == 0


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

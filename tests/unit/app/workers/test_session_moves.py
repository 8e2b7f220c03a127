"""A session whose worker was killed continues in another worker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rtc_server.app.workers.codec import record_of, request_json, request_of
from rtc_server.app.workers.control import ControlChannel
from rtc_server.app.workers.journal import journals
from rtc_server.app.workers.records import NUMBERS_LEFT_OUT, Record, Records
from rtc_server.clock import Clock
from rtc_server.events.client import SessionPatch
from rtc_server.session.event_log import MAX_EVENTS
from rtc_server.session.places import Kind
from rtc_server.session.session_api import Claimant, LastSeen, SessionRequest
from tests.support.fakes import FakeAst
from tests.support.session_bench import ALL, SessionBench, events, say, session_bench, speak
from tests.support.signals import english

WANTS = SessionPatch(x_events=ALL, source_language="en", target_language="ru")


class RecordingChannel(ControlChannel):
    """Control channel whose other end is `Records`, like that of the supervisor."""

    def __init__(self, clock: Clock) -> None:
        super().__init__({})
        self.records, self._clock = Records(), clock
        self.is_full = False

    def send(self, kind: str, /, **fields: Any) -> None:
        if kind == "opened":
            self.records.opened(1, fields)
        elif kind == "closed":
            self.records.closed(fields["session"])

    def post(self, kind: str, /, **fields: Any) -> bool:
        record = self.records.find(fields["session"])
        if self.is_full or record is None:
            return False
        if kind == "changed":
            record.changed(fields)
        else:
            getattr(record, kind)(fields, self._clock())
        return True


@asynccontextmanager
async def worker(
    drops: list[int] | None = None,
) -> AsyncIterator[tuple[SessionBench, RecordingChannel]]:
    clock = asyncio.get_running_loop().time
    channel = RecordingChannel(clock)
    journal = journals(
        channel, clock, lambda _: 5, lambda: drops.append(1) if drops is not None else None
    )
    async with session_bench(FakeAst(partial="please call a taxi"), journal=journal) as bench:
        yield bench, channel


async def go_on(bench: SessionBench, record: Record) -> None:
    """Let another worker take over a session, as `worker._take_over` does."""
    taken = record_of(record.json(asyncio.get_running_loop().time()))
    place = await bench.manager._admission.claim(Kind.SESSION, Claimant(), 0.0, 0.0)
    bench.manager.take_over(taken, place)


async def resumed(bench: SessionBench, session_id: str, seen: LastSeen) -> list[dict[str, Any]]:
    await bench.manager.resume_call(session_id, "offer", seen)
    bench.transports[-1].observer.on_connected()
    return events(bench.transports[-1])


async def spoken(bench: SessionBench) -> tuple[str, list[dict[str, Any]]]:
    """Return a session in which two sentences were said, the second one not completely."""
    session_id = await bench.call(WANTS)
    transport = bench.transports[-1]
    transport.observer.on_connected()
    await speak(transport, english("thank you"))
    await quiet(bench)
    return session_id, events(transport)


async def quiet(bench: SessionBench, seconds: float = 2.0) -> None:
    samples = english("thank you") * 0
    await speak(
        bench.transports[-1], samples[: int(16_000 * seconds)], start=len(english("thank you"))
    )


async def test_captions_that_were_missed_come_and_the_transcript_is_whole() -> None:
    async with worker() as (old, channel), worker() as (new, _):
        session_id, seen = await spoken(old)
        finals = [e for e in seen if e["type"] == "x.segment" and e["final"]]
        assert finals
        record = channel.records.find(session_id)
        assert record is not None
        await go_on(new, record)
        assert new.manager.transcript(session_id) == old.manager.transcript(session_id)
        came = await resumed(new, session_id, LastSeen(number=1))
        missed = [e for e in seen if e["type"] == "x.segment" and e["final"]]
        assert [e for e in came if e["type"] == "x.segment"] == missed
        assert came[0]["type"] == "session.updated"
        assert came[0]["session"]["x"]["target_language"] == "ru"


async def test_numbers_and_the_audio_clock_go_on() -> None:
    async with worker() as (old, channel), worker() as (new, _):
        session_id, seen = await spoken(old)
        record = channel.records.find(session_id)
        assert record is not None
        await go_on(new, record)
        before = max(e["seq"] for e in seen if "seq" in e)
        await resumed(new, session_id, LastSeen(seq=before))
        transport = new.transports[-1]
        await speak(transport, english("thank you"))
        await quiet(new)
        [final] = [e for e in events(transport, "x.segment") if e["final"]]
        [earlier] = [e for e in seen if e["type"] == "x.segment" and e["final"]]
        assert final["seq"] > before + NUMBERS_LEFT_OUT
        assert final["segment_id"] == "seg_2"
        assert final["source"]["start_ms"] >= earlier["source"]["end_ms"]


async def test_a_sentence_that_was_being_said_is_said_to_be_lost() -> None:
    async with worker() as (old, channel), worker() as (new, _):
        session_id = await old.call(WANTS)
        old.transports[-1].observer.on_connected()
        await speak(old.transports[-1], english("please call a taxi for tomorrow morning"))
        assert not [e for e in events(old.transports[-1], "x.segment") if e["final"]]
        record = channel.records.find(session_id)
        assert record is not None
        assert record.unfinished
        await go_on(new, record)
        [lost] = [
            e
            for e in await resumed(new, session_id, LastSeen(number=1))
            if e["type"] == "x.segment"
        ]
        assert (lost["status"], lost["final"], lost["segment_id"]) == ("failed", True, "seg_1")
        assert not new.manager.transcript(session_id)


async def test_settings_changed_in_the_session_are_kept() -> None:
    async with worker() as (old, channel), worker() as (new, _):
        session_id = await old.call(WANTS)
        old.transports[-1].observer.on_connected()
        body = {"x_events": ["vad"], "x": {"vad": {"hangover_ms": 700}}}
        say(old.transports[-1], type="x.session", session=body)
        say(old.transports[-1], type="x.session", vad={"hangover_ms": 700})
        record = channel.records.find(session_id)
        assert record is not None
        told = events(old.transports[-1], "session.updated")
        await go_on(new, record)
        [updated, *_] = await resumed(new, session_id, LastSeen())
        assert told
        assert updated["session"]["x"] == told[-1]["session"]["x"]


async def test_a_session_that_nobody_resumes_ends_and_is_accounted_for_whole() -> None:
    async with worker() as (old, channel), worker() as (new, _):
        session_id, _ = await spoken(old)
        record = channel.records.find(session_id)
        assert record is not None
        await asyncio.sleep(60)
        await go_on(new, record)
        await asyncio.sleep(new.manager._services.resume_s + 1)
        assert new.manager.sessions == 0
        [account] = new.usage
        assert account.session == session_id
        assert account.seconds > 90
        assert [pair.segments for pair in account.pairs] == [1]


async def test_a_session_that_ends_is_forgotten() -> None:
    async with worker() as (bench, channel):
        session_id = await bench.call(WANTS)
        assert len(channel.records) == 1
        await bench.manager.close_call(session_id, drain=False)
        assert len(channel.records) == 0


async def test_what_the_supervisor_does_not_read_is_dropped_and_counted() -> None:
    drops: list[int] = []
    async with worker(drops) as (bench, channel):
        channel.is_full = True
        await bench.call(WANTS)
    assert drops


def test_a_record_keeps_no_more_than_a_session_does() -> None:
    record = Record("sess_w1-x", 1, 1, {"settings": {}}, 0.0, 0.0, 0)
    for number in range(MAX_EVENTS + 50):
        event = [number, None, 0.0, "x" * 2000]
        record.sent({"event": event, "seq": number, "position_samples": 0}, 0.0)
    assert len(record.events) < MAX_EVENTS
    assert record.events[-1][0] == MAX_EVENTS + 49


def test_a_session_that_never_began_is_forgotten_with_its_place() -> None:
    records = Records()
    opened = {
        "session": "sess_w1-x",
        "place": 3,
        "request": {},
        "began_s": 0.0,
        "end_s": 0.0,
        "expires_at": 0,
    }
    records.opened(1, opened)
    records.place_ended(2, 3)
    assert len(records) == 1
    records.place_ended(1, 3)
    assert len(records) == 0


def test_requests_survive_the_way_as_they_were() -> None:
    request = SessionRequest("model", WANTS, Claimant(source="192.0.2.1"), stats=True)
    assert request_of(request_json(request)) == request

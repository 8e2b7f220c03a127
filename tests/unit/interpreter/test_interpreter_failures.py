"""Engines that fail, hang or are late: messages to the client, and the rest of the session."""

import re

import pytest

from rtc_server.engines.base import AstResult
from rtc_server.errors import (
    EngineCrashed,
    EngineError,
    EngineOverloaded,
    EngineTimeout,
    SessionRefused,
)
from rtc_server.events.segment_events import SegmentStatus
from rtc_server.events.server import (
    WarningEvent,
)
from tests.support.fakes import FakeAst, FakeTts, joined, ok, silence, tone
from tests.support.interpreter_bench import bench

NAMED = EngineCrashed("Engine canary was killed by SIGSEGV during the call. It is being restarted.")
"""Error as the engine's host raises it."""


async def test_a_crash_fails_one_segment_and_the_next_goes_on() -> None:
    script: list[AstResult | EngineCrashed] = [NAMED, ok("да", "yes")]
    async with bench(FakeAst([*script])) as b:
        await b.hear(joined([tone(1), silence(0.6), tone(1), silence(2)]))
        assert [s.status for s in b.finals] == [SegmentStatus.FAILED, SegmentStatus.FINAL]
        assert "say it again" in b.finals[0].message
        [error] = b.errors
        assert (error.error.code, error.error.message) == ("engine_crashed", b.finals[0].message)
        assert ("seg_2", "finished") in b.playout


@pytest.mark.parametrize("kind", [EngineError, EngineCrashed, EngineTimeout, EngineOverloaded])
async def test_callers_read_no_name_of_an_engine_and_the_log_does(
    kind: type[EngineError], caplog: pytest.LogCaptureFixture
) -> None:
    failure = kind(str(NAMED))
    for ast, tts in (
        (FakeAst([failure]), FakeTts()),
        (FakeAst(refuse=failure), FakeTts()),
        (FakeAst([ok("да", "yes")]), FakeTts(failure=failure)),
    ):
        caplog.clear()
        async with bench(ast, tts) as b:
            await b.hear(joined([tone(1), silence(2)]))
            [error] = b.errors
            assert b.finals[-1].message == error.error.message
            assert error.error.message.endswith(".")
            assert not re.search("engine|canary|SIGSEGV|process", error.error.message, re.I)
            assert str(NAMED) in caplog.text
            await b.interpreter.drained()


async def test_a_session_that_is_refused_reads_for_how_long() -> None:
    async with bench(FakeAst([SessionRefused.translation(300)])) as b:
        await b.hear(joined([tone(1), silence(2)]))
        assert b.finals[0].message.endswith("It is not tried again for 5 min.")


async def test_a_full_engine_fails_the_segment_at_once() -> None:
    async with bench(FakeAst(refuse=EngineOverloaded("Too busy."))) as b:
        await b.hear(joined([tone(1), silence(1)]))
        assert [s.status for s in b.finals] == [SegmentStatus.FAILED]
        await b.interpreter.drained()


async def test_a_stuck_engine_costs_segments_not_memory() -> None:
    async with bench(FakeAst(delay_s=10_000)) as b:
        await b.hear(joined([tone(0.5), silence(0.5)] * 20))
        assert [s.status for s in b.finals] == [SegmentStatus.FAILED] * b.interpreter.queue_drops
        assert b.interpreter.queue_drops >= 20 - 8 - 1


async def test_a_failing_voice_keeps_the_captions() -> None:
    ast = FakeAst([ok("да", "yes")])
    async with bench(ast, FakeTts(failure=EngineCrashed("The voice died."))) as b:
        await b.hear(joined([tone(1), silence(2)]))
        assert [s.status for s in b.finals] == [SegmentStatus.FINAL, SegmentStatus.FAILED]
        assert b.finals[-1].target.text == "yes"
        await b.interpreter.drained()


async def test_who_waits_for_a_translation_is_told_within_two_seconds_and_once() -> None:
    late = FakeAst(delay_s=6.0)
    async with bench(late) as b:
        await b.hear(joined([tone(1), silence(1.5), tone(1), silence(9)]))
        assert len(b.finals) == 2
        [told] = b.of(WarningEvent)
        assert isinstance(told, WarningEvent)
        assert told.code == "engine_slow"
        spoken_s = 1.0
        told_s = b.times[b.events.index(told)]
        assert spoken_s + 1.5 < told_s <= spoken_s + 2.0
        assert told_s < b.times[b.events.index(b.finals[0])]

        late.delay_s = 0.5  # in time again, and late again later
        await b.hear(joined([tone(1), silence(3)]))
        assert len(b.of(WarningEvent)) == 1
        late.delay_s = 6.0
        await b.hear(joined([tone(1), silence(8)]))
        assert len(b.of(WarningEvent)) == 2


async def test_a_stretch_that_is_cut_at_a_dip_long_ago_is_not_late() -> None:
    async with bench(FakeAst(delay_s=0.5)) as b:
        await b.hear(joined([tone(9), silence(0.1), tone(7), silence(2)]))
        cut = b.finals[0]
        assert cut.source.end_ms < 10_000  # 15 s are the most
        assert b.of(WarningEvent) == []


async def test_who_waits_for_a_voice_is_told_too() -> None:
    async with bench(tts=FakeTts(delay_s=4.0, seconds=0.2)) as b:
        await b.hear(joined([tone(1), silence(12)]))
        [told] = b.of(WarningEvent)
        translated_s = b.times[b.events.index(b.finals[0])]
        assert translated_s + 1.5 < b.times[b.events.index(told)] <= translated_s + 2.0
        assert b.playout[-1] == ("seg_1", "finished")


async def test_an_engine_that_fails_late_is_told_of_before() -> None:
    async with bench(FakeAst([EngineCrashed("Gone.")], delay_s=3.0)) as b:
        await b.hear(joined([tone(1), silence(5)]))
        told, failed = b.of(WarningEvent), b.finals
        assert [s.status for s in failed] == [SegmentStatus.FAILED]
        assert b.events.index(told[0]) < b.events.index(failed[0])

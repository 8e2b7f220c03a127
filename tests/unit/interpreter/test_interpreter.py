"""The interpreter in virtual time: scripted engines, exact speech boundaries, the real segmenter
and playout."""

import itertools

import numpy as np
import pytest

from rtc_server.engines.base import AstResult, AstStatus, NearPhrase
from rtc_server.events.segment_events import SegmentEvent, SegmentStatus
from rtc_server.events.server import (
    InputTranscriptDelta,
    OutputTranscriptDelta,
    PlayoutEvent,
    VadEvent,
)
from rtc_server.interpreter.captions import Direction
from rtc_server.interpreter.segments import VadMode
from rtc_server.pcm import FRAME_MS
from tests.support.fakes import FakeAst, FakeTts, joined, ok, silence, tone
from tests.support.interpreter_bench import bench


async def test_a_phrase_becomes_captions_and_speech() -> None:
    async with bench(FakeAst([ok("Где вокзал?", "Where is the station?")])) as b:
        await b.hear(joined([silence(0.5), tone(1.5), silence(2.5)]))
        assert [s.status for s in b.finals] == [SegmentStatus.FINAL]
        final = b.finals[0]
        assert (final.source.text, final.target.text) == ("Где вокзал?", "Where is the station?")
        assert abs(final.source.end_ms - 2000) <= 40
        assert final.source.start_ms <= 500
        assert b.playout == [("seg_1", "queued"), ("seg_1", "started"), ("seg_1", "finished")]
        assert abs(b.voiced_ms - 1000) <= 40
        assert b.of(OutputTranscriptDelta) == [
            OutputTranscriptDelta("Where is the station?", final.source.end_ms // 200 * 200)
        ]
        assert [e.state for e in b.events if isinstance(e, VadEvent)] == ["speech", "silence"]
        await b.interpreter.drained()


async def test_the_engines_know_of_a_session_before_it_speaks() -> None:
    async with bench() as b:
        assert b.ast.expected == b.tts.expected
        assert len(b.ast.expected) == 1
        await b.hear(silence(1))
        assert len(b.ast.expected) == 1


async def test_the_voice_goes_on_behind_a_translation_of_white_space() -> None:
    ast = FakeAst([ok("раз", "one"), ok("два", "two"), ok("э", " "), ok("три", "three")])
    # The third one has to wait so long that its pauses would be shortened.
    async with bench(ast, FakeTts(seconds=3.0)) as b:
        await b.hear(joined([*[tone(0.5), silence(0.5)] * 4, silence(20.0)]))
        assert [request.text for request in b.tts.requests] == ["one", "two", "three"]
        assert ("seg_4", "finished") in b.playout
        assert "seg_3" not in dict(b.playout)
        await b.interpreter.drained()


async def test_the_first_word_reaches_the_engine_whole() -> None:
    async with bench() as b:
        await b.hear(joined([silence(1), tone(1), silence(1)]))
        heard = b.ast.requests[0].samples
        assert abs(float(np.sum(np.abs(heard) > 0.2)) / np.sum(np.abs(tone(1)) > 0.2) - 1) < 0.01


async def test_delays_are_measured_from_the_last_voiced_sample() -> None:
    async with bench(FakeAst(delay_s=0.5), FakeTts(delay_s=0.02)) as b:
        await b.hear(joined([tone(1), silence(3)]))
        delays = b.interpreter.last_delays
        assert delays is not None
        assert delays.endpoint_ms is not None
        assert 300 <= delays.endpoint_ms <= 380
        assert delays.ast_ms is not None
        assert 500 - 170 <= delays.ast_ms <= 500 - 100  # begun while the hangover ran
        assert delays.tts_ms is not None and abs(delays.tts_ms - 20) < 1
        assert delays.first_audio_ms is not None
        assert delays.first_audio_ms <= delays.endpoint_ms + delays.ast_ms + 20 + FRAME_MS + 1


async def test_translation_begins_in_the_pause_and_a_wrong_speculation_costs_nothing() -> None:
    async with bench() as b:
        await b.hear(joined([tone(1), silence(0.25), tone(1), silence(1)]))
        assert len(b.ast.guesses) == 2
        assert len(b.ast.requests) == 1
        assert len(b.finals) == 1
        assert b.ast.requests[0].samples is b.ast.guesses[1].samples


async def test_segments_are_spoken_in_the_order_they_were_said() -> None:
    script = [ok(f"раз{n}", f"one{n}") for n in range(4)]
    async with bench(FakeAst(list(script), delay_s=1.5), FakeTts(seconds=0.4)) as b:
        await b.hear(joined([tone(0.6), silence(0.5)] * 4))
        await b.hear(silence(4))
        assert [f.target.text for f in b.finals] == [r.target_text for r in script]
        started = [segment for segment, state in b.playout if state == "started"]
        assert started == ["seg_1", "seg_2", "seg_3", "seg_4"]
        deltas = "".join(e.delta for e in b.events if isinstance(e, InputTranscriptDelta))
        assert deltas == "раз0 раз1 раз2 раз3"


async def test_partials_grow_and_never_outlive_their_segment() -> None:
    words = "один два три четыре пять шесть"
    ast = FakeAst([ok("Один, два, три.", "One, two, three.")], partial=words, delay_s=0.05)
    async with bench(ast) as b:
        await b.hear(joined([tone(3), silence(1)]))
        partials = [s for s in b.segments if not s.final]
        assert len(partials) >= 4
        texts = [p.source.text for p in partials]
        assert all(later.startswith(sooner) for sooner, later in itertools.pairwise(texts))
        stable = [p.source.text[: p.source.stable_chars] for p in partials]
        assert all(words.startswith(text) for text in stable)
        assert any(stable)
        assert [s.rev for s in b.segments] == list(range(1, len(b.segments) + 1))
        assert b.segments[-1].final
        last_word_s = next(
            t
            for e, t in zip(b.events, b.times, strict=True)
            if isinstance(e, SegmentEvent) and "четыре" in e.source.text
        )
        assert last_word_s - 2.0 <= 0.5  # the fourth word is whole at 2 s


async def test_at_most_one_partial_is_under_way() -> None:
    ast = FakeAst(partial="а б в г д е", delay_s=0.9)
    async with bench(ast) as b:
        await b.hear(tone(3))
        assert len(ast.partials) <= 4
        assert b.segments


async def test_not_understood_is_said_and_not_spoken() -> None:
    nothing = AstResult(
        AstStatus.NOT_UNDERSTOOD, hints=(NearPhrase("Где вокзал?", "Where is the station?"),)
    )
    async with bench(FakeAst([nothing])) as b:
        await b.hear(joined([tone(1), silence(1)]))
        assert [s.status for s in b.finals] == [SegmentStatus.NOT_UNDERSTOOD]
        assert b.finals[0].hints[0].target == "Where is the station?"
        assert not b.tts.requests
        assert not b.of(OutputTranscriptDelta)
        await b.interpreter.drained()


async def test_clear_stops_speech_and_what_waits_behind_it() -> None:
    async with bench(FakeAst(), FakeTts(seconds=5, delay_s=0.1)) as b:
        await b.hear(joined([tone(0.5), silence(0.5), tone(0.5), silence(1.0)]))
        assert ("seg_1", "started") in b.playout
        b.interpreter.clear()
        await b.interpreter.drained()
        heard = b.voiced_ms
        await b.hear(silence(2))
        assert b.voiced_ms <= heard + FRAME_MS  # the fade
        assert {state for segment, state in b.playout if segment == "seg_2"} <= {
            "queued",
            "dropped",
        }
        assert b.interpreter.queue_drops == 0  # cleared by the user, not lost
        b.tts.seconds, b.tts.delay_s = 0.5, 0.02
        await b.hear(joined([tone(0.5), silence(1.5)]))
        assert b.playout[-1] == ("seg_3", "finished")


async def test_a_new_language_begins_with_the_next_segment() -> None:
    async with bench() as b:
        await b.hear(tone(0.5))
        b.interpreter.direction = Direction("en", "ru")
        await b.hear(joined([silence(0.6), tone(0.5), silence(1)]))
        assert [(r.source_language, r.target_language) for r in b.ast.requests] == [
            ("ru", "en"),
            ("en", "ru"),
        ]
        assert [r.language for r in b.tts.requests] == ["en", "ru"]


async def test_push_to_talk_commits_at_once() -> None:
    async with bench() as b:
        b.interpreter.audio.set_vad(VadMode.OFF, 300)
        await b.hear(joined([silence(0.5), tone(1), silence(0.5)]))
        assert not b.ast.requests
        b.interpreter.audio.start_input()
        await b.hear(tone(1))
        b.interpreter.audio.commit_input()
        assert len(b.ast.requests) == 1
        voiced = np.sum(np.abs(b.ast.requests[0].samples) > 0.2)
        assert voiced == np.sum(np.abs(tone(1)) > 0.2)


async def test_what_is_left_is_forgotten() -> None:
    async with bench(FakeAst(delay_s=100)) as b:
        await b.hear(joined([tone(1), silence(0.5)]))
        ast = b.ast
    assert ast.forgotten == ["s1"]


async def test_a_backlog_is_spoken_faster() -> None:
    async with bench(FakeAst(), FakeTts(seconds=3, delay_s=0.001)) as b:
        await b.hear(joined([tone(0.5), silence(0.4)] * 4))
        rates = [r.rate for r in b.tts.requests]
        assert rates[0] == 1.0
        assert rates == sorted(rates)
        assert rates[-1] > 1.1


async def test_speech_that_waits_already_becomes_faster_when_more_comes() -> None:
    async with bench(tts=FakeTts(seconds=4.0)) as b:
        await b.hear(joined([*[tone(0.4), silence(0.4)] * 3, silence(14.0)]))
        rates = [request.rate for request in b.tts.requests]
        started = [e for e in b.of(PlayoutEvent) if isinstance(e, PlayoutEvent)]
        tempos = [each.tempo for each in started if each.state == "started"]
    assert rates[0] == tempos[0] == 1.0
    assert rates[1] < tempos[1] == pytest.approx(1.25)
    faster = sum(4000 * rate / tempo for rate, tempo in zip(rates, tempos, strict=True))
    assert b.voiced_ms == pytest.approx(faster, abs=100)
    assert [state for _, state in b.playout].count("finished") == 3

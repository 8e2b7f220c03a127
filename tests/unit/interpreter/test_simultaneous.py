"""Speech that is translated while it goes on: virtual time, an oracle for an engine."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from rtc_server.engines.base import AstCapabilities, AstRequest, AstResult, AstStatus
from rtc_server.errors import EngineCrashed
from rtc_server.events.segment_events import SegmentEvent, SegmentStatus
from rtc_server.events.server import InputTranscriptDelta, OutputTranscriptDelta
from rtc_server.interpreter.modes import Mode
from rtc_server.pcm import SPEECH_RATE
from tests.support.fakes import AST_CAPABILITIES, silence
from tests.support.interpreting import STEP, Interpreting, interpreting
from tests.support.talk import (
    AGREEING,
    ALIGNED,
    TIMED,
    OracleAst,
    Twist,
    Word,
    audio,
    sentences,
    spelled,
)


def check_complete(b: Interpreting, talk: Sequence[Word]) -> None:
    """Check that everything was captioned, reported and spoken: once, in order, and never
    withdrawn.
    """
    source, target = [word.source for word in talk], [word.target for word in talk]
    assert " ".join(event.source.text for event in b.finals).split() == source
    assert " ".join(event.target.text for event in b.finals).split() == target
    assert b.transcript(InputTranscriptDelta).split() == source
    assert b.transcript(OutputTranscriptDelta).split() == target
    assert b.tts.words == target
    b.check_captions()
    ids = [event.segment_id for event in b.finals]
    assert ids == list(dict.fromkeys(ids))
    ends = [event for event in b.playout if event.state in ("finished", "dropped")]
    assert [event.segment_id for event in ends] == ids


@pytest.mark.parametrize("mode", [Mode.FAST, Mode.BALANCED, Mode.ACCURATE])
@pytest.mark.parametrize("engine", [ALIGNED, TIMED, AGREEING])
async def test_non_stop_speech_is_spoken_while_it_goes_on(
    mode: Mode, engine: AstCapabilities
) -> None:
    talk = sentences(6)  # 14 s without a pause
    async with interpreting(talk, mode, OracleAst(talk, engine)) as b:
        await b.hear(audio(talk, tail_ms=4000))
        check_complete(b, talk)
        assert b.longest_pass_s <= 12.5
        if engine is not AGREEING:
            assert len(b.finals) >= 5  # the stretch moves on with the sentences
            assert b.longest_pass_s <= 6
        kinds = [type(e) for e in b.events if not isinstance(e, SegmentEvent) or e.final]
        first_final = kinds.index(SegmentEvent)
        assert OutputTranscriptDelta in kinds[:first_final], "text is told as it is committed"
        late = b.metric("rtc_ear_voice_seconds_sum") / b.metric("rtc_ear_voice_seconds_count")
        assert late <= 4.0


async def test_the_same_speech_waits_for_its_end_in_consecutive() -> None:
    talk = sentences(4)
    async with interpreting(talk, Mode.CONSECUTIVE) as b:
        await b.hear(audio(talk, tail_ms=8000))
        assert not any(event.target.text for event in b.segments if not event.final)
        assert b.tts.words == [word.target for word in talk]
        assert [event.state for event in b.playout].count("started") == len(b.finals)


async def test_a_short_phrase_is_spoken_no_later_than_in_consecutive() -> None:
    talk = sentences(1, words=4)
    begins_ms = []
    for mode in (Mode.CONSECUTIVE, Mode.BALANCED, Mode.ACCURATE):
        async with interpreting(talk, mode) as b:
            await b.hear(audio(talk, tail_ms=2000))
            assert b.tts.words == [word.target for word in talk]
            assert b.voice_ms is not None
            begins_ms.append(b.voice_ms)
    assert max(begins_ms[1:]) <= begins_ms[0]


async def test_an_engine_without_translations_of_open_speech_works_consecutively() -> None:
    talk = sentences(1)
    async with interpreting(talk, Mode.FAST, OracleAst(talk, AST_CAPABILITIES)) as b:
        assert b.interpreter.mode is Mode.CONSECUTIVE
        await b.hear(audio(talk))
        assert not any(request.wants_target for request in b.ast.requests)


async def test_the_mode_can_change_between_segments() -> None:
    talk = sentences(2, pause_ms=1000)
    async with interpreting(talk, Mode.CONSECUTIVE) as b:
        await b.hear(audio(talk[:8], tail_ms=500))
        b.interpreter.set_mode(Mode.BALANCED)
        assert b.interpreter.mode is Mode.BALANCED
        await b.hear(audio(talk)[b.position :])
        await b.hear(silence(3))
        assert any(request.wants_target for request in b.ast.requests)
        assert b.tts.words == [word.target for word in talk]


async def test_the_engine_continues_what_is_committed_and_knows_the_sentence_before() -> None:
    talk = sentences(3)
    async with interpreting(talk) as b:
        await b.hear(audio(talk, tail_ms=3000))
        passes = [request for request in b.ast.requests if request.partial]
        assert any(request.committed.target for request in passes)
        assert passes[-1].context.source == " ".join(word.source for word in talk[8:16])
        assert passes[-1].context.target == " ".join(word.target for word in talk[8:16])


def revising(_request: AstRequest, result: AstResult) -> AstResult:
    """The last two words of an open text are other ones than they will be."""
    if not _request.partial:
        return result
    source, target = result.source_text.split(), result.target_text.split()
    guess = [f"{word}{spelled(len(source))}" for word in target[-2:]]
    text = " ".join([*target[:-2], *guess])
    return replace(result, target_text=text, target_words=())


async def test_words_that_an_engine_revises_are_never_spoken() -> None:
    talk = sentences(6)
    async with interpreting(talk, ast=OracleAst(talk, AGREEING, twist=revising)) as b:
        await b.hear(audio(talk, tail_ms=4000))
        check_complete(b, talk)


def mishearing(request: AstRequest, result: AstResult) -> AstResult:
    """Change the first word of an open segment, as long as more may come."""
    words = result.words
    if not (request.partial and words):
        return result
    first = replace(words[0], text="wrong")
    text = " ".join(["wrong", *result.source_text.split()[1:]])
    return replace(result, source_text=text, words=(first, *words[1:]))


async def test_the_last_caption_reads_as_the_whole_was_heard() -> None:
    talk = sentences(1)
    async with interpreting(talk, ast=OracleAst(talk, TIMED, twist=mishearing)) as b:
        await b.hear(audio(talk, tail_ms=4000))
        partial = b.segments[-2].source
        assert partial.text[: partial.stable_chars].startswith("wrong ")
        [final] = b.finals
        assert final.source.text.split() == [word.source for word in talk]
        assert b.tts.words == final.target.text.split() == [word.target for word in talk]


async def test_pauses_inside_a_sentence_neither_tear_nor_repeat() -> None:
    talk = sentences(3, gap_ms=130)
    for engine in (ALIGNED, AGREEING):
        async with interpreting(talk, ast=OracleAst(talk, engine)) as b:
            await b.hear(audio(talk, tail_ms=4000))
            check_complete(b, talk)


async def test_a_pause_ends_a_stretch_when_the_engine_knows_no_times() -> None:
    talk = sentences(5, pause_ms=200)
    async with interpreting(talk, ast=OracleAst(talk, AGREEING)) as b:
        await b.hear(audio(talk, tail_ms=4000))
        check_complete(b, talk)
        assert len(b.finals) >= 3
        assert b.longest_pass_s <= 9


async def test_a_voice_that_is_too_slow_leaves_out_whole_clauses_and_says_which() -> None:
    talk = sentences(8)
    async with interpreting(talk, word_s=0.7) as b:
        await b.hear(audio(talk, tail_ms=8000))
        skipped = [event for event in b.playout if event.state == "skipped"]
        assert skipped
        texts = {event.segment_id: event.target.text for event in b.finals}
        for event in skipped:
            assert event.skipped is not None
            start, end = event.skipped
            text = texts[event.segment_id]
            assert text[start:end] in [request.text for request in b.tts.requests]
            assert event.queue_ms <= 5000
        assert max(request.rate for request in b.tts.requests) <= 1.25
        assert b.transcript(OutputTranscriptDelta).split() == [word.target for word in talk]
        await b.interpreter.drained()


async def test_a_language_a_fifth_longer_is_kept_up_with_for_long() -> None:
    talk = sentences(15)
    async with interpreting(talk, word_s=0.36) as b:
        await b.hear(audio(talk, tail_ms=8000))
        assert not [event for event in b.playout if event.state == "skipped"]
        assert max(event.queue_ms for event in b.playout) <= 5000
        assert b.tts.words == [word.target for word in talk]
        assert max(request.rate for request in b.tts.requests) <= 1.25
        assert b.longest_pass_s <= 6


@pytest.mark.parametrize("cause", ["stall", "loop", "script"])
async def test_an_engine_that_loses_its_way_is_shown_a_fresh_stretch(cause: str) -> None:
    talk, loop = sentences(6), asyncio.get_running_loop()
    lost_s: list[float] = []
    seen_s: list[float] = []
    mended_s: list[float] = []

    def lost(request: AstRequest, result: AstResult) -> AstResult:
        broken = request.partial and "saba" in result.source_text.split()
        if broken:
            lost_s.append(loop.time())
        if broken and cause == "stall":
            return AstResult(AstStatus.OK, "saai saaj", "taai taaj")
        if broken and cause == "loop":
            return replace(result, target_text="да нет " * 5, target_words=())
        if broken:
            return replace(result, target_text="совсем не на том языке", target_words=())
        return result

    twist: Twist = lost
    async with interpreting(talk, ast=OracleAst(talk, twist=twist)) as b:
        samples = audio(talk, tail_ms=4000)
        for start in range(0, len(samples), STEP):
            await b.hear(samples[start : start + STEP])
            if b.metric("rtc_interpreter_mended_total", cause=cause):
                seen_s.append(loop.time())
            if "taba" in b.transcript(OutputTranscriptDelta):
                mended_s.append(loop.time())
        assert seen_s[0] - lost_s[0] <= 2.0
        assert mended_s[0] - seen_s[0] <= 3.0
        assert b.tts.words == [word.target for word in talk]
        b.check_captions()


async def test_what_was_said_stays_unspoken_when_the_listener_wants_silence() -> None:
    talk = sentences(6)
    async with interpreting(talk) as b:
        await b.hear(audio(talk)[: SPEECH_RATE * 5])
        b.interpreter.clear()
        assert b.interpreter.queue_ms <= 3
        count = len(b.tts.words)
        await b.hear(audio(talk, tail_ms=4000)[b.position :])
        assert len(b.tts.words) > count
        assert b.transcript(OutputTranscriptDelta).split() == [word.target for word in talk]
        await b.interpreter.drained()


async def test_what_is_committed_stays_when_the_engine_fails_at_the_end() -> None:
    talk = sentences(1)

    class Failing(OracleAst):
        def submit(self, request, *, session_id):  # type: ignore[no-untyped-def]
            future = super().submit(request, session_id=session_id)
            if not request.partial:
                future.set_exception(EngineCrashed("gone"))
                future.exception()
            return future

    async with interpreting(talk, ast=Failing(talk)) as b:
        await b.hear(audio(talk, tail_ms=4000))
        [final] = b.finals
        assert final.status is SegmentStatus.FAILED
        assert final.target.text == b.transcript(OutputTranscriptDelta) != ""
        b.check_captions()
        await b.interpreter.drained()


async def test_passes_are_rarer_when_the_engine_is_busy_and_never_stop() -> None:
    talk = sentences(5)
    counts = []
    for delay_s in (0.05, 0.45, 2.0):
        async with interpreting(talk, ast=OracleAst(talk, delay_s=delay_s)) as b:
            await b.hear(audio(talk, tail_ms=6000))
            counts.append(sum(request.partial for request in b.ast.requests))
            assert b.tts.words == [word.target for word in talk]
    seconds = talk[-1].end_ms / 1000
    assert counts[0] <= seconds / 0.4 + 2
    assert counts[0] > counts[1] > counts[2] >= seconds / 4


def test_the_audio_tells_where_it_was_cut_out() -> None:
    talk = sentences(2)
    whole = audio(talk)
    request = AstRequest(whole[SPEECH_RATE : SPEECH_RATE * 2], "ru", "en", partial=True)
    words = OracleAst(talk).answer(request).source_text.split()
    assert words == ["saae", "saaf", "s"]
    assert np.all(np.abs(whole) < 0.3)

"""A pause in the middle of a sentence does not end it if the engine marks the ends of sentences."""

from dataclasses import replace

import numpy as np
import pytest

from rtc_server.engines.base import AstCapabilities, AstRequest, AstResult, AstStatus
from rtc_server.events.server import OutputTranscriptDelta, VadEvent
from rtc_server.interpreter.modes import Mode
from rtc_server.interpreter.unfinished import UNFINISHED_PAUSE_MS
from rtc_server.interpreter.window import LONG_MS
from rtc_server.pcm import SPEECH_RATE
from tests.support.interpreting import Interpreting, interpreting
from tests.support.talk import AGREEING, ALIGNED, TIMED, OracleAst, Word, audio, sentences, unmarked

PUNCTUATED, UNMARKED, UNTIMED = replace(ALIGNED, punctuates=True), ALIGNED, AGREEING
MODES = pytest.mark.parametrize("mode", [Mode.CONSECUTIVE, Mode.BALANCED])
SIMULTANEOUS = pytest.mark.parametrize("mode", [Mode.FAST, Mode.BALANCED, Mode.ACCURATE])
UNMARKED_ENGINES = pytest.mark.parametrize("engine", [UNMARKED, UNTIMED])
HANGOVER_MS, WINDOW_MS = 300, 32


def ends_ms(b: Interpreting) -> list[int]:
    """Times at which segments were known to be over."""
    return [e.audio_ms for e in b.events if isinstance(e, VadEvent) and e.state == "silence"]


async def late_ms(
    talk: list[Word], engine: AstCapabilities = PUNCTUATED, *, delay_s: float = 0.05
) -> int:
    """Time from the last word until the end was known."""
    async with interpreting(talk, Mode.CONSECUTIVE, OracleAst(talk, engine, delay_s)) as b:
        await b.hear(audio(talk, tail_ms=2000))
        [end_ms] = ends_ms(b)
        return end_ms - talk[-1].end_ms


@MODES
@pytest.mark.parametrize("engine", [PUNCTUATED, replace(TIMED, punctuates=True)])
@pytest.mark.parametrize("gap_ms", [320, 400, 500])
async def test_pauses_inside_sentences_end_none(
    mode: Mode, engine: AstCapabilities, gap_ms: int
) -> None:
    talk = sentences(3, 5, word_ms=300 + gap_ms, gap_ms=gap_ms, pause_ms=400)
    async with interpreting(talk, mode, OracleAst(talk, engine)) as b:
        await b.hear(audio(talk, tail_ms=4000))
        assert len(ends_ms(b)) == 3
        assert " ".join(e.source.text for e in b.finals).split() == [w.source for w in talk]
        assert b.tts.words == [word.target for word in talk]


async def test_without_marks_each_pause_ends_a_segment_of_consecutive() -> None:
    talk = sentences(1, 5, word_ms=700, gap_ms=400)
    async with interpreting(talk, Mode.CONSECUTIVE, OracleAst(talk, UNMARKED)) as b:
        await b.hear(audio(talk, tail_ms=4000))
        assert len(ends_ms(b)) == 5


@SIMULTANEOUS
@UNMARKED_ENGINES
@pytest.mark.parametrize("gap_ms", [320, 400, 500])
async def test_without_marks_a_pause_ends_none_while_the_stretch_is_short(
    mode: Mode, engine: AstCapabilities, gap_ms: int
) -> None:
    talk = unmarked(sentences(3, 5, word_ms=300 + gap_ms, gap_ms=gap_ms, pause_ms=400))
    async with interpreting(talk, mode, OracleAst(talk, engine)) as b:
        await b.hear(audio(talk, tail_ms=4000))
        assert len(ends_ms(b)) == 3
        assert " ".join(e.source.text for e in b.finals).split() == [w.source for w in talk]
        assert b.tts.words == [word.target for word in talk]
        assert b.transcript(OutputTranscriptDelta).split() == [word.target for word in talk]
        b.check_captions()
        assert b.interpreter.queue_depth == 0


@SIMULTANEOUS
@UNMARKED_ENGINES
@pytest.mark.parametrize("delay_s", [0.05, 0.15, 0.4])
async def test_words_before_a_pause_are_heard_as_soon_as_at_the_end_of_a_segment(
    mode: Mode, engine: AstCapabilities, delay_s: float
) -> None:
    talk = unmarked([*sentences(1, 4), *sentences(1, 8)[4:]])
    talk[4:] = [replace(w, start_ms=w.start_ms + 400, end_ms=w.end_ms + 400) for w in talk[4:]]
    begins_ms, texts = [], []
    for each in (Mode.CONSECUTIVE, mode):
        async with interpreting(talk, each, OracleAst(talk, engine, delay_s)) as b:
            await b.hear(audio(talk, tail_ms=4000))
            begins_ms.append(b.voice_ms or 0)
            texts.append(b.tts.words)
    assert begins_ms[1] <= begins_ms[0]
    assert texts[0] == texts[1] == [word.target for word in talk]


@SIMULTANEOUS
async def test_without_marks_a_long_stretch_ends_at_any_pause(mode: Mode) -> None:
    talk = unmarked(sentences(4, 5, word_ms=400, gap_ms=64, pause_ms=350))
    async with interpreting(talk, mode, OracleAst(talk, UNTIMED)) as b:
        await b.hear(audio(talk, tail_ms=4000))
        assert len(ends_ms(b)) == 2
        assert b.longest_pass_s <= (LONG_MS / 1000) + 3
        assert b.tts.words == [word.target for word in talk]


@SIMULTANEOUS
async def test_nothing_is_asked_while_a_long_pause_lasts(mode: Mode) -> None:
    talk = unmarked(sentences(1, 4))
    async with interpreting(talk, mode, OracleAst(talk, UNTIMED, 0.05)) as b:
        await b.hear(audio(talk, tail_ms=250))
        asked = len(b.ast.requests)
        await b.hear(np.zeros(2 * SPEECH_RATE, np.float32))
        assert len(b.ast.requests) == asked


async def test_a_stretch_that_begins_in_a_pause_ends_with_it() -> None:
    talk = [*sentences(1, 3), *unmarked(sentences(1, 4))[3:]]
    known_ms = []
    for mode in (Mode.CONSECUTIVE, Mode.FAST):
        async with interpreting(talk, mode, OracleAst(talk, UNMARKED)) as b:
            await b.hear(audio(talk, tail_ms=2000))
            known_ms.append(ends_ms(b)[-1])
            assert b.tts.words == [word.target for word in talk]
    assert known_ms[1] <= known_ms[0] + 2 * WINDOW_MS


async def test_the_tempo_may_change_behind_a_long_pause() -> None:
    talk = unmarked(sentences(2, 6, pause_ms=350))
    async with interpreting(talk, ast=OracleAst(talk, UNTIMED), word_s=0.6) as b:
        await b.hear(audio(talk, tail_ms=8000))
        assert len(ends_ms(b)) == 1
        assert [request.rate for request in b.tts.requests][-1] > 1.0


async def test_a_finished_sentence_ends_as_soon_as_ever() -> None:
    talk = sentences(1, 4)
    assert await late_ms(talk) == await late_ms(talk, UNMARKED) <= HANGOVER_MS + WINDOW_MS


async def test_a_slow_answer_is_waited_for_and_no_longer() -> None:
    talk = sentences(1, 4)
    soon = await late_ms(talk, delay_s=0.05)
    for delay_s, most_ms in ((0.3, 540), (3.0, UNFINISHED_PAUSE_MS)):
        assert soon < await late_ms(talk, delay_s=delay_s) <= most_ms + WINDOW_MS


async def test_an_unfinished_sentence_ends_after_a_long_pause() -> None:
    talk = sentences(1, 4)
    talk[-1] = replace(talk[-1], source="and", target="and")
    late = await late_ms(talk)
    assert UNFINISHED_PAUSE_MS <= late <= UNFINISHED_PAUSE_MS + WINDOW_MS


async def test_where_the_engine_understands_nothing_the_hangover_counts() -> None:
    def nothing(_request: AstRequest, _result: AstResult) -> AstResult:
        return AstResult(AstStatus.NOT_UNDERSTOOD)

    talk = sentences(1, 4)
    ast = OracleAst(talk, PUNCTUATED, 0.05, nothing)
    async with interpreting(talk, Mode.CONSECUTIVE, ast) as b:
        await b.hear(audio(talk, tail_ms=2000))
        assert ends_ms(b) == [talk[-1].end_ms + await late_ms(talk, UNMARKED)]

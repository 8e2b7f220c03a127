"""A pause in the middle of a sentence does not end it, where the engine tells a sentence's end."""

from dataclasses import replace

import pytest

from rtc_server.engines.base import AstCapabilities, AstRequest, AstResult, AstStatus
from rtc_server.events.server import VadEvent
from rtc_server.interpreter.modes import Mode
from rtc_server.interpreter.unfinished import UNFINISHED_PAUSE_MS
from tests.support.interpreting import Interpreting, interpreting
from tests.support.talk import ALIGNED, TIMED, OracleAst, Word, audio, sentences

PUNCTUATED, UNMARKED = replace(ALIGNED, punctuates=True), ALIGNED
MODES = pytest.mark.parametrize("mode", [Mode.CONSECUTIVE, Mode.BALANCED])
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


@MODES
async def test_without_marks_each_pause_ends_a_segment(mode: Mode) -> None:
    talk = sentences(1, 5, word_ms=700, gap_ms=400)
    async with interpreting(talk, mode, OracleAst(talk, UNMARKED)) as b:
        await b.hear(audio(talk, tail_ms=4000))
        assert len(ends_ms(b)) == 5


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

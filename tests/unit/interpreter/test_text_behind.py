"""Engines that write a sentence only when it is over."""

import asyncio
from dataclasses import replace

import pytest

from rtc_server.engines.base import AstCapabilities, AstRequest, AstResult, AstStatus
from rtc_server.events.server import OutputTranscriptDelta
from rtc_server.interpreter.modes import Mode
from rtc_server.interpreter.words import ends_sentence
from tests.support.interpreting import STEP, interpreting
from tests.support.talk import AGREEING, ALIGNED, OracleAst, audio, sentences

SENTENCE_MS = 8 * 375


def sentence_by_sentence(request: AstRequest, result: AstResult) -> AstResult:
    """Leave out of an open segment what is behind the last mark."""
    if not request.partial:
        return result
    source, target = result.source_text.split(), result.target_text.split()
    count = max((n for n, word in enumerate(source, 1) if ends_sentence(word)), default=0)
    return replace(
        result,
        status=result.status if count else AstStatus.NOT_UNDERSTOOD,
        source_text=" ".join(source[:count]),
        target_text=" ".join(target[:count]),
        words=result.words[:count],
        target_words=result.target_words[:count],
    )


@pytest.mark.parametrize("pause_ms", [0, 150])
@pytest.mark.parametrize("engine", [AGREEING, ALIGNED], ids=["without times", "with times"])
async def test_every_sentence_is_spoken_once_and_before_the_next_one_is_over(
    engine: AstCapabilities, pause_ms: int
) -> None:
    talk = sentences(6, word_ms=375, pause_ms=pause_ms)
    loop = asyncio.get_running_loop()
    committed_ms: dict[str, float] = {}
    ast = OracleAst(talk, engine, twist=sentence_by_sentence)
    async with interpreting(talk, Mode.BALANCED, ast) as b:
        samples, began_s = audio(talk, tail_ms=6000), loop.time()
        for start in range(0, len(samples), STEP):
            await b.hear(samples[start : start + STEP])
            for text in b.transcript(OutputTranscriptDelta).split():
                committed_ms.setdefault(text, 1000 * (loop.time() - began_s))
        assert b.tts.words == [word.target for word in talk]
        assert b.longest_pass_s < 2 * SENTENCE_MS / 1000
    for word in talk:
        if ends_sentence(word.target):
            assert committed_ms[word.target] - word.end_ms < SENTENCE_MS

"""Engines that write a whole sentence before it was said."""

import asyncio
from dataclasses import replace

import pytest

from rtc_server.engines.base import AstCapabilities, AstRequest, AstResult, AstStatus
from rtc_server.events.server import OutputTranscriptDelta
from rtc_server.interpreter.modes import Mode
from rtc_server.pcm import SPEECH_RATE
from tests.support.interpreting import STEP, interpreting
from tests.support.talk import AGREEING, ALIGNED, OracleAst, Word, audio, position, sentences

WRONG = "wrong from its first word to the last one."
MISTAKEN_S = 1.2
"""Audio up to which the engine takes the sentence for another one."""


def texts(word: Word) -> tuple[str, str]:
    """Return the word in both languages."""
    return word.source, word.target


def anticipating(talk: list[Word], engine: AstCapabilities = AGREEING) -> OracleAst:
    """Return an engine that answers with whole sentences, first with a wrong one."""

    def anticipate(request: AstRequest, result: AstResult) -> AstResult:
        if not request.partial:
            return result
        if len(request.samples) < MISTAKEN_S * SPEECH_RATE:
            return replace(result, source_text=WRONG, target_text=WRONG)
        whole = [" ".join(each) for each in zip(*map(texts, talk), strict=True)]
        return replace(result, source_text=whole[0], target_text=whole[1])

    return OracleAst(talk, engine, twist=anticipate)


@pytest.mark.parametrize("mode", [Mode.FAST, Mode.BALANCED, Mode.ACCURATE])
async def test_text_ahead_of_the_speech_is_neither_shown_nor_spoken(mode: Mode) -> None:
    talk = sentences(1, words=12, word_ms=500)
    async with interpreting(talk, mode, anticipating(talk)) as b:
        samples = audio(talk, tail_ms=3000)
        await b.hear(samples[: talk[-1].end_ms * SPEECH_RATE // 1000])
        early = b.transcript(OutputTranscriptDelta).split()
        await b.hear(samples[b.position :])
        assert b.tts.words == [word.target for word in talk]
        assert not any("wrong" in event.source.text for event in b.segments)
    assert early, "the right sentence is believed as soon as it can have been said"


@pytest.mark.parametrize("engine", [AGREEING, ALIGNED], ids=["without times", "with times"])
async def test_captions_alone_commit_no_text_ahead_of_the_speech_either(
    engine: AstCapabilities,
) -> None:
    talk = sentences(1, words=12, word_ms=400)
    async with interpreting(talk, Mode.CONSECUTIVE, anticipating(talk, engine)) as b:
        await b.hear(audio(talk, tail_ms=3000))
        b.check_captions()
        partials = [event.source for event in b.segments if not event.final]
        assert any("wrong" in source.text for source in partials), "shown as it is"
        assert any(source.stable_chars for source in partials)


async def test_text_ahead_of_the_speech_is_no_stall() -> None:
    talk = sentences(1, words=20, word_ms=400)  # 99 characters: 6.2 s
    async with interpreting(talk, ast=anticipating(talk)) as b:
        await b.hear(audio(talk, tail_ms=3000))
        assert b.metric("rtc_interpreter_mended_total", cause="stall") == 0
        assert len(b.finals) == 1
        assert b.tts.words == [word.target for word in talk]


async def test_a_stall_behind_a_text_that_was_ahead_is_noticed_and_mended() -> None:
    talk = sentences(3, words=12, word_ms=400)
    first = talk[:12]
    loop, missed_ms = asyncio.get_running_loop(), talk[12].end_ms

    def stuck(request: AstRequest, result: AstResult) -> AstResult:
        if not request.partial or (position(request.samples) or 0) > SPEECH_RATE:
            return result
        source, target = (" ".join(words) for words in zip(*map(texts, first), strict=True))
        return AstResult(AstStatus.OK, source, target)

    seen_s: list[float] = []
    mended_s: list[float] = []
    async with interpreting(talk, ast=OracleAst(talk, AGREEING, twist=stuck)) as b:
        samples, began_s = audio(talk, tail_ms=4000), loop.time()
        for start in range(0, len(samples), STEP):
            await b.hear(samples[start : start + STEP])
            if b.metric("rtc_interpreter_mended_total", cause="stall"):
                seen_s.append(loop.time() - began_s)
            if talk[12].target in b.transcript(OutputTranscriptDelta):
                mended_s.append(loop.time() - began_s)
        assert seen_s[0] <= missed_ms / 1000 + 2.0
        assert mended_s[0] <= seen_s[0] + 3.0
        assert b.tts.words == [word.target for word in talk]

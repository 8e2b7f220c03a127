"""Extension of the hangover for a pause in the middle of a sentence."""

import asyncio

from rtc_server.background import result_of
from rtc_server.engines.base import AstResult
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.open_segment import OpenSegment
from rtc_server.interpreter.window import LONG_MS
from rtc_server.interpreter.words import ends_sentence
from rtc_server.pcm import speech_ms

UNFINISHED_PAUSE_MS = 600
"""Hangover in the middle of a sentence. Speakers who look for a word, or breathe in, pause for 300
to 500 ms."""


def extend_unfinished(opened: OpenSegment, audio: AudioInput, *, punctuates: bool) -> None:
    """Extend the hangover of the present pause, until the speculative translation shows that whole
    sentences, or nothing, came before it.

    Nothing can be translated before that answer, so waiting for it delays nothing. The text of an
    engine that does not punctuate never shows a whole sentence. Then the extension stays, and in
    the simultaneous modes the words before the pause are committed after the usual hangover.
    """
    speculative = opened.speculative
    if speculative is None:
        return
    if not punctuates:
        # With such an engine, a pause is the only place at which a long stretch can end.
        length_ms = speech_ms(speculative.segment.end_samples - opened.start_samples)
        if not opened.is_live or length_ms > LONG_MS:
            return

    def judge(answer: asyncio.Future[AstResult | None]) -> None:
        if not opened.is_closed and opened.speculative is speculative:
            last = _last_word(answer)
            unfinished = last is not None and not (punctuates and ends_sentence(last))
            audio.extend_hangover(UNFINISHED_PAUSE_MS if unfinished else 0)

    audio.extend_hangover(UNFINISHED_PAUSE_MS)
    speculative.answer.add_done_callback(judge)


def _last_word(answer: asyncio.Future[AstResult | None]) -> str | None:
    """Return the last word of an answer; None when there is none."""
    result = result_of(answer)
    words = result.source_text.split() if result is not None else []
    return words[-1] if words else None

"""Longer hangover for a pause in the middle of a sentence."""

import asyncio

from rtc_server.background import result_of
from rtc_server.engines.base import AstResult
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.open_segment import OpenSegment
from rtc_server.interpreter.words import ends_sentence

UNFINISHED_PAUSE_MS = 600
"""Silence that ends a segment in the middle of a sentence. Speakers who look for a word or take
breath pause for 300 to 500 ms."""


def extend_unfinished(opened: OpenSegment, audio: AudioInput) -> None:
    """Extend the hangover of the present pause, unless what was said before it turns out to be
    whole sentences.

    The engine, which must punctuate, was asked for that already. Until its answer is here nothing
    can be translated, so waiting for it delays nothing.
    """
    speculative = opened.speculative
    if speculative is None:
        return

    def judge(answer: asyncio.Future[AstResult | None]) -> None:
        if not opened.is_closed and opened.speculative is speculative:
            audio.extend_hangover(UNFINISHED_PAUSE_MS if _is_unfinished(answer) else 0)

    audio.extend_hangover(UNFINISHED_PAUSE_MS)
    speculative.answer.add_done_callback(judge)


def _is_unfinished(answer: asyncio.Future[AstResult | None]) -> bool:
    """Return whether the answer is text that stops before the end of a sentence."""
    result = result_of(answer)
    words = result.source_text.split() if result is not None else []
    return bool(words) and not ends_sentence(words[-1])

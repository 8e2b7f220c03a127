"""Trace spans of one call's segments: from the first word to the end of the translated speech.

The trace of a segment, below the span of its call::

    segment        its first word … nothing more of it will be played
      translate    request to the translation engine … answer; one for each pass over speech
                   that is translated while it is spoken
      speak        text given to the synthesis … its last sample
      first audio  last voiced sample, or audio of the clause's last word … first frame sent
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from rtc_server.clock import Clock
from rtc_server.engines.base import AstRequest, AstResult
from rtc_server.errors import EngineError
from rtc_server.interpreter.captions import SegmentCaptions
from rtc_server.interpreter.delays import Delays
from rtc_server.pcm import SPEECH_RATE, samples_to_ms
from rtc_server.tracing import NO_SPAN, Attribute, Span


class SegmentSpans:
    """Spans of the segments that are not yet finished, by segment id."""

    def __init__(self, call: Span, clock: Clock) -> None:
        """`call`: parent span of all segments."""
        self._call, self._clock = call, clock
        self._segments: dict[str, Span] = {}

    def begin(self, captions: SegmentCaptions, ago_s: float = 0.0) -> None:
        """Begin the span of a segment whose first word was said `ago_s` ago."""
        span = self._call.child("segment", at_s=self._clock() - ago_s)
        span.note(Attribute.SEGMENT, captions.segment_id)
        span.note(Attribute.SOURCE, captions.direction.source)
        span.note(Attribute.TARGET, captions.direction.target)
        self._segments[captions.segment_id] = span

    def translate(self, segment_id: str, request: AstRequest, asked: str = "whole") -> Span:
        """Begin the span of a request to the translation engine; `asked` is its
        `Attribute.PASS`."""
        span = self._of(segment_id).child("translate")
        span.note(Attribute.PASS, asked)
        span.note(Attribute.AUDIO_MS, round(samples_to_ms(request.samples.size, SPEECH_RATE)))
        return span

    def speak(self, segment_id: str, text: str) -> Span:
        """Begin the span of a text's synthesis."""
        span = self._of(segment_id).child("speak")
        span.note(Attribute.CHARACTERS, len(text))
        return span

    def first_audio(self, segment_id: str, delays: Delays) -> None:
        """Report that the first frame of a text was sent."""
        span = self._of(segment_id).child("first audio", at_s=delays.speech_end_s)
        span.end(at_s=delays.first_audio_s)

    def note_status(self, segment_id: str, status: str) -> None:
        """Note the status in a segment's caption."""
        self._of(segment_id).note(Attribute.STATUS, status)

    def fail(self, segment_id: str, error: EngineError) -> None:
        """Note that a segment, or a part of it, failed."""
        self._of(segment_id).fail(error.code)

    def end(self, segment_id: str) -> None:
        """End a segment's span: nothing more of it will be played. Idempotent."""
        self._segments.pop(segment_id, NO_SPAN).end()

    def drop(self, segment_id: str) -> None:
        """Forget a segment without speech: its span is not exported."""
        self._segments.pop(segment_id, None)

    def close(self) -> None:
        """End all open spans: the call is over."""
        for segment_id in list(self._segments):
            self.end(segment_id)

    def _of(self, segment_id: str) -> Span:
        return self._segments.get(segment_id, NO_SPAN)


@contextmanager
def failing(span: Span) -> Iterator[None]:
    """End a span with the `EngineError` that leaves the block, if one does."""
    try:
        yield
    except EngineError as error:
        span.fail(error.code)
        span.end()
        raise


def end_with(
    span: Span, answer: asyncio.Future[AstResult] | asyncio.Future[AstResult | None]
) -> None:
    """End the span of a request when its answer comes."""
    answer.add_done_callback(partial(_answered, span))


def _answered(span: Span, answer: asyncio.Future[AstResult | None]) -> None:
    """End a span with its answer. That of a cancelled or stale request is never ended, so it is not
    exported.
    """
    if answer.cancelled():
        return
    error = answer.exception()
    if error is not None:
        span.fail(error.code if isinstance(error, EngineError) else "bug")
    elif (result := answer.result()) is None:
        return
    else:
        span.note(Attribute.STATUS, result.status.value)
    span.end()

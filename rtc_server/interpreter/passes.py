"""Passes of the engine over one speaker's audio: requests for the open segment."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

from rtc_server.clock import Clock
from rtc_server.engines.base import AstRequest, AstResult, Texts
from rtc_server.errors import EngineError
from rtc_server.interpreter.open_segment import OpenSegment, SpeculativeTranslation
from rtc_server.interpreter.ports import AstPort
from rtc_server.interpreter.segment_spans import SegmentSpans, end_with
from rtc_server.interpreter.segments import ClosedSegment
from rtc_server.pcm import Samples
from rtc_server.tracing import NO_SPAN, Span


class TakePass(Protocol):
    """Function that takes the answer to a pass over a stretch of the open segment."""

    def __call__(
        self,
        opened: OpenSegment,
        result: AstResult,
        start_samples: int,
        end_samples: int,
        *,
        is_pause: bool,
    ) -> None:
        """Take it. `is_pause`: True if the stretch ends with a pause."""


class Passes:
    """Requests to the engine, one at a time."""

    def __init__(
        self,
        ast: AstPort,
        session_id: str,
        clock: Clock,
        take: TakePass,
        answered: Callable[[float], None],
        *,
        spans: SegmentSpans,
    ) -> None:
        """`take` is called with each result for an open segment, `answered` with the time in ms
        that a pass took."""
        self._ast, self._session_id, self._clock = ast, session_id, clock
        self._take, self._answered, self._spans = take, answered, spans

    def submit_partial(self, opened: OpenSegment, heard: Samples, end_samples: int) -> None:
        """Request the text of the segment so far, whose audio is `heard`."""
        opened.asked_samples = end_samples
        request = self._request(opened, heard, is_open=True)
        span: Span = NO_SPAN
        if opened.is_live:  # passes for captions alone are many, and nobody waits for them
            request, span = self._traced(opened, request, "open")
        try:
            opened.answer = self._ast.submit_partial(request, session_id=self._session_id)
        except EngineError:  # if it lasts, the request for the closed segment reports it
            return
        end_with(span, opened.answer)
        start_samples = end_samples - heard.size
        came = partial(self._came, opened, start_samples, end_samples, self._clock())
        opened.answer.add_done_callback(came)

    def speculate(self, opened: OpenSegment, pause: ClosedSegment, now_samples: int) -> None:
        """Begin to translate in a pause, so that the answer is there when the hangover is over."""
        start_samples, samples = part_of(opened, pause)
        request = self._request(opened, samples, is_open=False)
        request, span = self._traced(opened, request, "speculative")
        try:
            answer = self._ast.submit_speculative(request, session_id=self._session_id)
        except EngineError:  # if it lasts, the request for the closed segment reports it
            return
        opened.asked_samples = now_samples
        end_with(span, answer)
        opened.speculative = SpeculativeTranslation(pause, request, answer)
        came = partial(self._came, opened, start_samples, pause.end_samples, self._clock())
        answer.add_done_callback(came)

    def final(self, opened: OpenSegment, segment: ClosedSegment) -> asyncio.Future[AstResult]:
        """Return the translation of a closed segment: the speculative one, if it is of exactly this
        segment. Raises `EngineError`."""
        speculative = opened.speculative
        bounds = (segment.start_samples, segment.end_samples)
        if speculative and bounds == (
            speculative.segment.start_samples,
            speculative.segment.end_samples,
        ):
            return self._commit(opened, speculative)
        opened.drop_questions()
        _, samples = part_of(opened, segment)
        return self._submit(opened, self._request(opened, samples, is_open=False))

    def _commit(
        self, opened: OpenSegment, speculative: SpeculativeTranslation
    ) -> asyncio.Future[AstResult]:
        asked, begun = speculative.request, speculative.answer
        if speculative.has_answer:
            return self._ast.commit(asked, begun, session_id=self._session_id)
        # The span of the speculative request ends with its own answer, perhaps already. This one
        # is dropped if no other request was made.
        request, span = self._traced(opened, asked, "whole")
        answer = self._ast.commit(request, begun, session_id=self._session_id)
        if answer is not begun:
            end_with(span, answer)
        return answer

    def anew(self, opened: OpenSegment, samples: Samples) -> asyncio.Future[AstResult]:
        """Return a new translation of a stretch, without its committed text as a prefix. Raises
        `EngineError`."""
        direction = opened.captions.direction
        return self._submit(opened, AstRequest(samples, direction.source, direction.target))

    def _submit(self, opened: OpenSegment, request: AstRequest) -> asyncio.Future[AstResult]:
        request, span = self._traced(opened, request, "whole")
        answer = self._ast.submit(request, session_id=self._session_id)
        end_with(span, answer)
        return answer

    def _traced(
        self, opened: OpenSegment, request: AstRequest, asked: str
    ) -> tuple[AstRequest, Span]:
        span = self._spans.translate(opened.captions.segment_id, request, asked)
        return replace(request, trace=span.context), span

    def _request(self, opened: OpenSegment, samples: Samples, *, is_open: bool) -> AstRequest:
        direction = opened.captions.direction
        if not opened.is_live:
            return AstRequest(samples, direction.source, direction.target, partial=is_open)
        _, text = opened.live()
        return AstRequest(
            samples,
            direction.source,
            direction.target,
            partial=is_open,
            wants_target=is_open,
            committed=text.committed if self._ast.capabilities.prefix else Texts(),
            context=text.context,
        )

    def _came(
        self,
        opened: OpenSegment,
        start_samples: int,
        end_samples: int,
        asked_s: float,
        done: asyncio.Future[AstResult | None],
    ) -> None:
        if done is opened.answer:
            opened.answer = None
        if done.cancelled() or opened.is_closed:
            return
        self._answered((self._clock() - asked_s) * 1000)
        # An error is reported by the closed segment, if it lasts. Without a result it was stale.
        if done.exception() is None and (result := done.result()) is not None:
            is_pause = opened.speculative is not None and done is opened.speculative.answer
            self._take(opened, result, start_samples, end_samples, is_pause=is_pause)


def part_of(opened: OpenSegment, segment: ClosedSegment) -> tuple[int, Samples]:
    """Return position and samples of a segment's part in the open segment, which a cut may have
    begun later."""
    skipped = max(0, opened.start_samples - segment.start_samples)
    return segment.start_samples + skipped, segment.samples[skipped:]

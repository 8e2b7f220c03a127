"""Open segment of speech, and its speculative translation."""

import asyncio
from dataclasses import dataclass

from rtc_server.background import result_of
from rtc_server.engines.base import AstRequest, AstResult, Texts
from rtc_server.interpreter.captions import SegmentCaptions
from rtc_server.interpreter.segment_output import SegmentOutput
from rtc_server.interpreter.segments import ClosedSegment
from rtc_server.interpreter.simultaneous import SimultaneousText


@dataclass(frozen=True, slots=True)
class SpeculativeTranslation:
    """Translation begun in a pause, before the hangover is over."""

    segment: ClosedSegment
    request: AstRequest
    answer: asyncio.Future[AstResult | None]

    @property
    def has_answer(self) -> bool:
        """True once a result has come; a request that became stale ends without one."""
        return result_of(self.answer) is not None


class OpenSegment:
    """Open segment: its requests under way, and its committed text."""

    def __init__(self, captions: SegmentCaptions, position_samples: int) -> None:
        self.captions = captions
        self.start_samples = position_samples
        self.asked_samples = position_samples
        self.answer: asyncio.Future[AstResult | None] | None = None
        """Request for a partial that is under way."""
        self.speculative: SpeculativeTranslation | None = None
        """Translation of the whole segment, for the case that the present pause ends it."""
        self.is_pause_long = False
        """True while that pause is longer than the hangover and its text is not yet committed."""
        self.output: SegmentOutput | None = None
        """Output of a segment that is translated while it is spoken; None for others."""
        self.is_closed = False
        """True once it has ended; later answers to its requests are ignored."""

    @property
    def is_live(self) -> bool:
        """True if it is translated while it is spoken."""
        return self.output is not None

    @property
    def has_committed(self) -> bool:
        """True if words of it are committed, including those that moved here at a cut."""
        text = self.output.text if self.output else None
        return text is not None and text.committed != Texts()

    def live(self) -> tuple[SegmentOutput, SimultaneousText]:
        """Return output and text of a segment that is translated while it is spoken."""
        assert self.output is not None and self.output.text is not None
        return self.output, self.output.text

    def close(self) -> None:
        """Close the segment, and cancel its requests."""
        self.is_closed = True
        self.drop_questions()

    def drop_questions(self) -> None:
        """Cancel the requests that are under way."""
        for question in (self.answer, self.speculative.answer if self.speculative else None):
            if question is not None:
                question.cancel()

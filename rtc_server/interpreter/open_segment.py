"""Open segment of speech, and the translation begun before its end is certain."""

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
    """Speculative translation, begun before the hangover was over."""

    segment: ClosedSegment
    request: AstRequest
    answer: asyncio.Future[AstResult | None]

    @property
    def has_answer(self) -> bool:
        """True once it has come, and was worth its time."""
        return result_of(self.answer) is not None


class OpenSegment:
    """Open segment: the answers asked for it and what is committed."""

    def __init__(self, captions: SegmentCaptions, position_samples: int) -> None:
        self.captions = captions
        self.start_samples = position_samples
        self.asked_samples = position_samples
        self.answer: asyncio.Future[AstResult | None] | None = None
        """Partial that was asked for."""
        self.speculative: SpeculativeTranslation | None = None
        """Speculative translation of the whole segment, should the pause going on end it."""
        self.is_pause_long = False
        """True while the pause that it is of is longer than the hangover, and its text is not yet
        committed."""
        self.output: SegmentOutput | None = None
        """Output of a segment that is translated while it goes on."""
        self.is_closed = False
        """True once it has ended: what is still asked of it comes too late."""

    @property
    def is_live(self) -> bool:
        """True if it is translated while it goes on."""
        return self.output is not None

    @property
    def has_committed(self) -> bool:
        """True if words of it are committed, those that moved here at a cut included."""
        text = self.output.text if self.output else None
        return text is not None and text.committed != Texts()

    def live(self) -> tuple[SegmentOutput, SimultaneousText]:
        """Return both sides of a segment that is translated while it goes on."""
        assert self.output is not None and self.output.text is not None
        return self.output, self.output.text

    def close(self) -> None:
        """Close the segment: nobody asks any more."""
        self.is_closed = True
        self.drop_questions()

    def drop_questions(self) -> None:
        """Cancel the requests: nobody wants the answers any more."""
        for question in (self.answer, self.speculative.answer if self.speculative else None):
            if question is not None:
                question.cancel()

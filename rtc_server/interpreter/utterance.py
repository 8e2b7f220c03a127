"""A segment of speech on its way through the interpreter, open and closed."""

import asyncio
from dataclasses import dataclass

from rtc_server.engines.base import AstRequest, AstResult
from rtc_server.interpreter.captions import SegmentCaptions
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.listener import Segment


@dataclass(slots=True)
class Utterance:
    """A closed segment on its way to the ear."""

    captions: SegmentCaptions
    end_ms: int
    delays: Delays
    generation: int
    """Speech of an older generation than the interpreter's was cleared by the user."""
    answer: asyncio.Future[AstResult]
    result: AstResult | None = None
    tempo: float = 1.0


@dataclass(frozen=True, slots=True)
class Guess:
    """A translation begun before the hangover was over."""

    segment: Segment
    request: AstRequest
    answer: asyncio.Future[AstResult | None]


class OpenSegment:
    """What is known of the segment being spoken."""

    def __init__(self, captions: SegmentCaptions, position_samples: int) -> None:
        self.captions = captions
        self.start_samples = position_samples
        self.asked_samples = position_samples
        self.answer: asyncio.Future[AstResult | None] | None = None
        """A partial that was asked for."""
        self.guess: Guess | None = None
        """What the whole segment would mean if the pause going on ended it."""

    def drop_questions(self) -> None:
        """Nobody wants the answers any more."""
        for question in (self.answer, self.guess.answer if self.guess else None):
            if question is not None:
                question.cancel()

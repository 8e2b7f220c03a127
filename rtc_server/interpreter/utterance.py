"""A segment of speech on its way through the interpreter, open and closed."""

import asyncio
from dataclasses import dataclass

from rtc_server.background import result_of
from rtc_server.engines.base import AstRequest, AstResult, Texts
from rtc_server.interpreter.captions import SegmentCaptions
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.segments import Segment
from rtc_server.interpreter.simultaneous import SimultaneousText


@dataclass(slots=True)
class Utterance:
    """Segment on its way to the playout: closed, or translated while it goes on."""

    captions: SegmentCaptions
    end_ms: int
    delays: Delays
    generation: int
    """Generation of what is spoken of it from now on, see `Saying`."""
    answer: asyncio.Future[AstResult] | None = None
    """Answer for the whole segment; None while it is open."""
    text: SimultaneousText | None = None
    """Committed text; None when it is translated as a whole."""
    result: AstResult | None = None
    tempo: float = 1.0
    sayings: int = 0
    """Number of its parts that were given to the voice."""
    sounded: bool = False
    """True once anything of it was played."""
    over: bool = False
    """True once its end in the playout was reported."""

    def silence(self, generation: int) -> None:
        """Leave unspoken what was said of it until now; it goes on with another generation."""
        self.generation = generation
        self.sounded = self.over = False


@dataclass(slots=True)
class Saying:
    """Text that is synthesized at once: a whole translation, or a clause of it."""

    utterance: Utterance
    text: str
    delays: Delays
    generation: int
    """Speech of an older generation than the speech output's was cleared by the user."""
    number: int = 0
    """Number of the saying within its utterance."""
    start_char: int = 0
    """Start in the translation."""
    begins_sentence: bool = True
    is_last: bool = True
    """True if the utterance ends with it."""
    is_clause: bool = False
    """True if others of the same utterance may come before or behind it."""
    tempo: float = 1.0

    @property
    def key(self) -> str:
        """Name in the playout."""
        return f"{self.utterance.captions.segment_id}.{self.number}"


@dataclass(frozen=True, slots=True)
class SpeculativeTranslation:
    """Speculative translation, begun before the hangover was over."""

    segment: Segment
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
        self.utterance: Utterance | None = None
        """Utterance of a segment that is translated while it goes on."""
        self.is_closed = False
        """True once it has ended: what is still asked of it comes too late."""

    @property
    def is_live(self) -> bool:
        """True if it is translated while it goes on."""
        return self.utterance is not None

    @property
    def has_committed(self) -> bool:
        """True if words of it are committed, those that moved here at a cut included."""
        text = self.utterance.text if self.utterance else None
        return text is not None and text.committed != Texts()

    def live(self) -> tuple[Utterance, SimultaneousText]:
        """Return both sides of a segment that is translated while it goes on."""
        assert self.utterance is not None and self.utterance.text is not None
        return self.utterance, self.utterance.text

    def close(self) -> None:
        """Close the segment: nobody asks any more."""
        self.is_closed = True
        self.drop_questions()

    def drop_questions(self) -> None:
        """Cancel the requests: nobody wants the answers any more."""
        for question in (self.answer, self.speculative.answer if self.speculative else None):
            if question is not None:
                question.cancel()

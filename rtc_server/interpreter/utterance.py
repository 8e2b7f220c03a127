"""A segment of speech on its way through the interpreter, open and closed."""

import asyncio
from dataclasses import dataclass

from rtc_server.engines.base import AstRequest, AstResult, Texts
from rtc_server.interpreter.captions import SegmentCaptions
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.listener import Segment
from rtc_server.interpreter.simultaneous import SimultaneousText


@dataclass(slots=True)
class Utterance:
    """A segment on its way to the ear: closed, or translated while it goes on."""

    captions: SegmentCaptions
    end_ms: int
    delays: Delays
    generation: int
    """What of it is spoken from now on is of this generation, see `Saying`."""
    answer: asyncio.Future[AstResult] | None = None
    """What its end will be; None while it is open."""
    text: SimultaneousText | None = None
    """What is committed of it; None when it is translated as a whole."""
    result: AstResult | None = None
    tempo: float = 1.0
    sayings: int = 0
    """How many parts of it were given to the voice."""
    sounded: bool = False
    """Whether anything of it was heard."""
    over: bool = False
    """Whether its end in the playout was reported."""

    def silence(self, generation: int) -> None:
        """What was said of it until now stays unspoken; it goes on with another generation."""
        self.generation = generation
        self.sounded = self.over = False


@dataclass(slots=True)
class Saying:
    """What is synthesized at once: a whole translation, or a clause of it."""

    utterance: Utterance
    text: str
    delays: Delays
    generation: int
    """Speech of an older generation than the speaker's was cleared by the user."""
    number: int = 0
    """Counts the sayings of an utterance."""
    start_char: int = 0
    """Where it begins in the translation."""
    begins_sentence: bool = True
    is_last: bool = True
    """Whether the utterance ends with it."""
    is_clause: bool = False
    """Whether others of the same utterance may come before or behind it."""
    tempo: float = 1.0

    @property
    def key(self) -> str:
        """Its name in the playout."""
        return f"{self.utterance.captions.segment_id}.{self.number}"


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
        self.utterance: Utterance | None = None
        """Of a segment that is translated while it goes on."""
        self.is_closed = False
        """Whether it has ended: what is still asked of it comes too late."""

    @property
    def is_live(self) -> bool:
        """Whether it is translated while it goes on."""
        return self.utterance is not None

    @property
    def has_committed(self) -> bool:
        """Whether words of it are committed, those that moved here at a cut included."""
        text = self.utterance.text if self.utterance else None
        return text is not None and text.committed != Texts()

    def live(self) -> tuple[Utterance, SimultaneousText]:
        """Return both sides of a segment that is translated while it goes on."""
        assert self.utterance is not None and self.utterance.text is not None
        return self.utterance, self.utterance.text

    def close(self) -> None:
        """It is over: nobody asks any more."""
        self.is_closed = True
        self.drop_questions()

    def drop_questions(self) -> None:
        """Nobody wants the answers any more."""
        for question in (self.answer, self.guess.answer if self.guess else None):
            if question is not None:
                question.cancel()

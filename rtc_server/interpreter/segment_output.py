"""Output of a segment until its last word was played, and the texts of it given to the voice."""

import asyncio
from dataclasses import dataclass

from rtc_server.audio.playout import GAP_MS
from rtc_server.engines.base import AstResult
from rtc_server.interpreter.captions import SegmentCaptions
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.simultaneous import SimultaneousText
from rtc_server.interpreter.words import ends_clause, ends_sentence


@dataclass(slots=True)
class SegmentOutput:
    """Captions, translation and speech of one segment, open or closed."""

    captions: SegmentCaptions
    end_ms: int
    delays: Delays
    generation: int
    """Generation of its next texts; see `Saying.generation`."""
    answer: asyncio.Future[AstResult] | None = None
    """Answer for the whole segment; None while it is open."""
    text: SimultaneousText | None = None
    """Text of a segment that is translated while it is spoken; None if it is translated whole."""
    result: AstResult | None = None
    """Translation of the whole segment, once it has come."""
    tempo: float = 1.0
    """Tempo of its newest text."""
    sayings: int = 0
    """Number of its texts that were given to the voice."""
    sounded: bool = False
    """True once any of its speech was played."""
    over: bool = False
    """True once its end in the playout was reported."""

    def silence(self, generation: int) -> None:
        """Drop the speech of its texts so far; later texts are of another generation."""
        self.generation = generation
        self.sounded = self.over = False


@dataclass(slots=True)
class Saying:
    """Text that is synthesized at once: a whole translation, or a clause of it."""

    output: SegmentOutput
    text: str
    delays: Delays
    generation: int
    """Value of `SpeechOutput.generation` when it was made; an older one was cleared by the user."""
    number: int = 0
    """Number of the saying within its segment."""
    start_char: int = 0
    """Start of the text in the segment's translation."""
    begins_sentence: bool = True
    """True if the tempo may change before it."""
    is_last: bool = True
    """True if it is the last text of its segment."""
    is_clause: bool = False
    """True if other texts of the same segment may come before or after it."""
    tempo: float = 1.0
    """Tempo at which it is spoken."""
    pause_ms: int = GAP_MS
    """Pause of the playout after it, if there is one."""

    @property
    def key(self) -> str:
        """Name in the playout."""
        return f"{self.output.captions.segment_id}.{self.number}"

    @property
    def has_mark(self) -> bool:
        """True if it ends with a punctuation mark after which people pause."""
        return ends_clause(self._last_word)

    @property
    def has_gap(self) -> bool:
        """True if a pause of the playout follows it, as far as is known: after a sentence or a
        segment.
        """
        return self.is_last or ends_sentence(self._last_word)

    @property
    def _last_word(self) -> str:
        return self.text.split()[-1]

"""Output of a segment until its last word was played, and the texts of it that are spoken."""

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
    """Captions, translation and speech of one segment, closed or translated while it goes on."""

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

    output: SegmentOutput
    text: str
    delays: Delays
    generation: int
    """Speech of an older generation than the speech output's was cleared by the user."""
    number: int = 0
    """Number of the saying within its segment."""
    start_char: int = 0
    """Start in the translation."""
    begins_sentence: bool = True
    is_last: bool = True
    """True if the segment ends with it."""
    is_clause: bool = False
    """True if others of the same segment may come before or behind it."""
    tempo: float = 1.0
    pause_ms: int = GAP_MS
    """Pause of the playout behind it, when there is one."""

    @property
    def key(self) -> str:
        """Name in the playout."""
        return f"{self.output.captions.segment_id}.{self.number}"

    @property
    def has_mark(self) -> bool:
        """True if it ends with a mark behind which people pause."""
        return ends_clause(self._last_word)

    @property
    def has_gap(self) -> bool:
        """True if a pause of the playout follows it, as far as is known: behind a sentence, or a
        segment.
        """
        return self.is_last or ends_sentence(self._last_word)

    @property
    def _last_word(self) -> str:
        return self.text.split()[-1]

"""Interface between the cascade and its recognisers."""

from dataclasses import dataclass
from typing import Protocol

from rtc_server.engines.base import WordTime
from rtc_server.pcm import Samples


@dataclass(frozen=True, slots=True)
class Transcript:
    """Recognised words of a segment."""

    words: tuple[WordTime, ...] = ()
    """In the order spoken; none when nothing was recognised."""

    @property
    def text(self) -> str:
        """The words as people write them."""
        return " ".join(word.text for word in self.words)


class Recognizer(Protocol):
    """Speech to text in one or more languages."""

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-1 codes."""

    def transcribe(self, samples: Samples, language: str, *, partial: bool = False) -> Transcript:
        """Return what is said in `samples` (16 kHz, n >= 1), spoken in one of `languages`.

        Args:
            samples: audio of a segment, or of its beginning.
            language: ISO 639-1 code.
            partial: true while the segment is open. Another try follows soon: one that would take
                much longer than usual had better give no words.
        """

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

    def transcribe(self, samples: Samples, language: str) -> Transcript:
        """Return what is said in `samples` (16 kHz, n >= 1), spoken in one of `languages`."""

"""Tokens of a recogniser: from numbers to words, and which of them a language can be written with.

The file has a line for each token, ``PIECE NUMBER``; pieces are SentencePiece's, where ``▁`` begins
a word. ``<blk>`` is the blank of CTC and of transducers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtc_server.engines.base import WordTime
from rtc_server.engines.cascade.recognizer import Transcript
from rtc_server.engines.writing import script_of_language, script_of_letter

BLANK = "<blk>"
_WORD_BEGIN = "▁"
_JOINED_TO_THE_WORD_BEFORE = ",.!?;:…»)%"


@dataclass(frozen=True, slots=True)
class Token:
    """A token that a decoder emitted."""

    number: int
    """Number in the vocabulary."""
    end_ms: int
    """End of the token in the audio, in milliseconds."""


class Vocabulary:
    """The tokens of one model."""

    def __init__(self, pieces: Sequence[str]) -> None:
        """`pieces` by their numbers; one of them is `BLANK`."""
        self._pieces = tuple(pieces)
        self.blank = self._pieces.index(BLANK)
        """Number of the token that says nothing."""

    def __len__(self) -> int:
        return len(self._pieces)

    @classmethod
    def parse(cls, text: str) -> "Vocabulary":
        """Return the vocabulary that a file holds.

        Raises:
            ValueError: it holds none.
        """
        pieces: dict[int, str] = {}
        for line in text.splitlines():
            piece, _, number = line.rpartition(" ")
            pieces[int(number)] = piece
        if sorted(pieces) != list(range(len(pieces))) or BLANK not in pieces.values():
            raise ValueError("numbers with gaps, or no blank")
        return cls([pieces[number] for number in range(len(pieces))])

    def transcript(self, tokens: Iterable[Token]) -> Transcript:
        """Return the words that `tokens` spell."""
        words: list[WordTime] = []
        begins = True
        for token in tokens:
            piece = self._pieces[token.number]
            if _is_control(piece):
                continue
            begins = begins or piece.startswith(_WORD_BEGIN)
            text = piece.replace(_WORD_BEGIN, "")
            if not text:
                continue
            if words and (not begins or text[0] in _JOINED_TO_THE_WORD_BEFORE):
                text = words.pop().text + text
            words.append(WordTime(text, token.end_ms))
            begins = False
        return Transcript(tuple(words))

    def foreign(self, language: str) -> npt.NDArray[np.bool_]:
        """Return for each token whether it holds a letter of another script than `language`'s."""
        script = script_of_language(language)
        return np.array(
            [
                not _is_control(piece)
                and any(char.isalpha() and script_of_letter(char) != script for char in piece)
                for piece in self._pieces
            ]
        )


def _is_control(piece: str) -> bool:
    return piece.startswith("<") and piece.endswith(">") and len(piece) > 2

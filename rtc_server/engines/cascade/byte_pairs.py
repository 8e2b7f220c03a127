"""Whisper's tokens: pieces of UTF-8, each byte written as one printable letter (GPT-2's alphabet).

The file has a line for each token, by number. ``<|ru|>`` and its like steer the model and spell
nothing.
"""

from collections.abc import Sequence

END = "<|endoftext|>"
"""Ends a text; it and all behind it are tokens that steer."""
TRANSCRIBE = "<|transcribe|>"
NO_TIMES = "<|notimestamps|>"
_START = "<|startoftranscript|>"


def _bytes_by_letter() -> dict[str, int]:
    """Return the byte that each letter stands for: itself, or from U+0100 on if not printable."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    letters = {chr(byte): byte for byte in printable}
    return letters | {chr(0x100 + place): byte for place, byte in enumerate(others)}


_BYTES = _bytes_by_letter()


class BytePairs:
    """The tokens of one Whisper model."""

    def __init__(self, pieces: Sequence[str]) -> None:
        """`pieces` by their numbers.

        Raises:
            ValueError: a token that every Whisper has is not among them.
        """
        self._pieces = tuple(pieces)
        self._numbers = {piece: number for number, piece in enumerate(pieces)}
        if missing := {END, _START, TRANSCRIBE, NO_TIMES} - self._numbers.keys():
            raise ValueError(f"no {sorted(missing)[0]}")
        self.end = self._numbers[END]
        """Number of the first token that spells nothing."""

    @classmethod
    def parse(cls, text: str) -> "BytePairs":
        """Return the tokens that a file holds.

        Raises:
            ValueError: it is none of a Whisper model.
        """
        return cls(text.removesuffix("\n").split("\n"))

    def prompt(self, language: str) -> list[int]:
        """Return what asks for a transcript in `language`, ISO 639-1, without times.

        Raises:
            KeyError: this model does not know the language.
        """
        pieces = (_START, f"<|{language}|>", TRANSCRIBE, NO_TIMES)
        return [self._numbers[piece] for piece in pieces]

    def spell(self, token: int) -> bytes:
        """Return the UTF-8 that a token stands for, which may end inside a letter."""
        return bytes(_BYTES[letter] for letter in self._pieces[token])

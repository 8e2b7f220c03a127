"""Patterns, in which phrases are written: words, ``{slots}``, ``[optional]``, ``(this|that)``."""

import re
from dataclasses import dataclass
from itertools import product

MOST_WORDINGS = 64
"""Most wordings of one pattern; more are refused as a mistake."""

_SLOT = re.compile(
    r"(?P<count>count )?(?P<kind>[a-z_]+)(?P<label>\d?)"
    r"(?::(?P<form>[a-z]+))?(?: (?P<low>\d{1,3})-(?P<high>\d{1,3}))?"
)
_WORD = re.compile(r"[^\W\d_]+(?:['’.\-][^\W\d_]+)*")


class PatternError(ValueError):
    """A pattern cannot be read; the message is a sentence for the book's author."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Gap in a phrase that is filled with what was said."""

    kind: str
    """``number``, ``time``, or the name of a list in the book."""
    key: str
    """Key that identifies it in both languages: ``count`` if counted, the kind, and the label."""
    form: str = ""
    """Form of the filler, such as a grammatical case."""
    counted: bool = False
    """True if a number precedes it: "two coffees"."""
    low: int = 0
    """Smallest number, for ``number`` and counted slots."""
    high: int = 0
    """Largest number."""


Piece = str | Slot


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to say a phrase, without choices left."""

    pieces: tuple[Piece, ...]
    """Written text and slots, in order."""
    language: str
    """``en`` or ``ru``."""

    def slots(self) -> tuple[Slot, ...]:
        """Return the slots in order."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Slot))

    def tokens(self) -> tuple[Piece, ...]:
        """Return the pieces that are spoken: lower-case words and slots."""
        heard: list[Piece] = []
        for piece in self.pieces:
            heard += [piece] if isinstance(piece, Slot) else spoken_words(piece, self.language)
        return tuple(heard)


def spoken_words(text: str, language: str) -> list[str]:
    """Return the words of a written text in the form of the recognizer: lower case, no marks."""
    words = [word.replace("’", "'").lower() for word in _WORD.findall(text)]
    if language == "ru":
        return words
    return [part for word in words for part in word.split("-")]


def unfold(text: str, language: str) -> tuple[Wording, ...]:
    """Return all wordings of a pattern, first the one without its optional parts.

    Raises:
        PatternError: brackets do not match, a slot is malformed, or there are no words.
    """
    parser = _Parser(text)
    wordings = []
    for pieces in parser.sequence(""):
        wording = Wording(_tidy(pieces), language)
        if not wording.tokens():
            raise PatternError(f"“{text}” holds no words")
        if wording not in wordings:
            wordings.append(wording)
    return tuple(wordings)


def _tidy(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Join adjacent texts, and correct their spaces."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if isinstance(piece, str) and isinstance(last, str):
            joined[-1] = last + piece
        else:
            joined.append(piece)
    tidy: list[Piece] = []
    for index, piece in enumerate(joined):
        if isinstance(piece, str):
            text = re.sub(r"\s+", " ", piece)
            text = re.sub(r" (?=[,.?!])", "", text)
            text = text.lstrip(" ,") if index == 0 else text
            if text:
                tidy.append(text.rstrip() if index == len(joined) - 1 else text)
        else:
            tidy.append(piece)
    return tuple(tidy)


class _Parser:
    """Recursive descent parser of one pattern. Each method returns all variants of its part."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def sequence(self, closing: str) -> list[tuple[Piece, ...]]:
        parts: list[list[tuple[Piece, ...]]] = []
        while self._at < len(self._text) and self._text[self._at] not in (closing or "\0"):
            char = self._text[self._at]
            if char == "{":
                parts.append([(self._slot(),)])
            elif char == "[":
                self._at += 1
                parts.append([(), *self.sequence("]")])
                self._close("]")
            elif char == "(":
                parts.append(self._choice())
            elif char in "]})|":
                raise PatternError(f"“{self._text}” has “{char}” without its opening bracket")
            else:
                start = self._at
                while self._at < len(self._text) and self._text[self._at] not in "{[(|)]}":
                    self._at += 1
                parts.append([(self._checked(self._text[start : self._at]),)])
        ways = 1
        for part in parts:
            ways *= len(part)
        if ways > MOST_WORDINGS:
            raise PatternError(f"“{self._text}” unfolds into {ways} wordings; split it")
        return [tuple(piece for run in runs for piece in run) for runs in product(*parts)]

    def _choice(self) -> list[tuple[Piece, ...]]:
        self._at += 1
        ways = self.sequence("|)")
        while self._at < len(self._text) and self._text[self._at] == "|":
            self._at += 1
            ways += self.sequence("|)")
        self._close(")")
        return ways

    def _close(self, bracket: str) -> None:
        if self._at >= len(self._text) or self._text[self._at] != bracket:
            raise PatternError(f"“{self._text}” lacks a “{bracket}”")
        self._at += 1

    def _checked(self, text: str) -> str:
        if any(char.isdigit() for char in text):
            raise PatternError(f"“{self._text}” has digits; write numbers as words or as a slot")
        return text

    def _slot(self) -> Slot:
        end = self._text.find("}", self._at)
        if end < 0:
            raise PatternError(f"“{self._text}” lacks a “}}”")
        inside = self._text[self._at + 1 : end]
        self._at = end + 1
        match = _SLOT.fullmatch(inside.strip())
        if match is None:
            raise PatternError(f"“{{{inside}}}” is not a slot such as {{food}} or {{place:acc}}")
        kind, counted = match["kind"], bool(match["count"])
        numeric = counted or kind == "number"
        if match["low"] and not numeric:
            raise PatternError(f"“{{{inside}}}”: only numbers and counts have a range")
        low = int(match["low"] or (1 if counted else 0)) if numeric else 0
        high = int(match["high"] or (20 if counted else 999)) if numeric else 0
        if low > high:
            raise PatternError(f"“{{{inside}}}”: the range is empty")
        key = f"{'count ' if counted else ''}{kind}{match['label']}"
        return Slot(kind, key, match["form"] or "", counted, low, high)

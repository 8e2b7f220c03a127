"""Cuts in a text, so that its beginning is played while the rest is synthesised.

Silero returns no sound before it has synthesised the whole text, so the first piece is short. A cut
sounds natural where speakers pause: after punctuation, else before a conjunction. Only a stretch
without either is cut between words.
"""

import re
from collections.abc import Iterator

MOST_CHARACTERS = 200
"""Longest piece. Users report that the model fails from about 200 characters on."""
FIRST_MOST_CHARACTERS = 60
"""Longest first piece, if the text has a pause before that; else up to `FIRST_AT_WORD`."""
FIRST_AT_WORD = 80
"""Longest first piece of a text without a pause, which is cut between words."""
_LEAST_CHARACTERS = 12
"""Shortest piece, unless it is a sentence of its own: shorter ones sound clipped."""

_SENTENCE_END = re.compile(r"[.!?…]+(?=\s|$)")
_PAUSE = re.compile(r"[,;:]+(?=\s)|\s[–—-](?=\s)")
_CONJUNCTIONS = (
    *("and", "but", "or", "because", "that", "which", "who", "when", "while", "if", "so"),
    *("и", "а", "но", "или", "что", "чтобы", "потому", "который", "которая", "которые", "когда"),
    *("если", "поэтому", "хотя", "і", "та", "але", "або", "що", "щоб", "бо", "який", "яка", "коли"),
    *("und", "aber", "oder", "weil", "dass", "wenn", "als", "während", "denn"),
    *("y", "pero", "o", "porque", "que", "cuando", "mientras", "si", "aunque"),
    *("et", "mais", "ou", "parce", "qui", "quand", "pendant", "donc"),
)
_MAYBE_STRESSED = ("".join(rf"\+?{letter}" for letter in word) for word in _CONJUNCTIONS)
_BEFORE_CONJUNCTION = re.compile(rf"\s(?=(?:{'|'.join(_MAYBE_STRESSED)})\s)", re.IGNORECASE)
_SPACE = re.compile(r"\s")


def clauses(text: str) -> Iterator[str]:
    """Yield the pieces of `text` in order, each at most `MOST_CHARACTERS` long, without spaces at
    its ends.

    Joined with spaces they are the text again, except for a run of more than `MOST_CHARACTERS`
    without a space, which is cut, too.
    """
    rest = " ".join(text.split())
    if rest:
        cut = _first_cut(rest)
        yield rest[:cut].rstrip()
        rest = rest[cut:].lstrip()
    while rest:
        cut = _cut(rest)
        yield rest[:cut].rstrip()
        rest = rest[cut:].lstrip()


def _first_cut(text: str) -> int:
    """Return the end of the first piece: the earliest pause at which it does not sound clipped."""
    if sentences := _ends(_SENTENCE_END, text, 1, FIRST_MOST_CHARACTERS):
        return sentences[0]
    if len(text) <= FIRST_MOST_CHARACTERS:
        return len(text)
    for pattern in (_PAUSE, _BEFORE_CONJUNCTION):
        if pauses := _ends(pattern, text, _LEAST_CHARACTERS, FIRST_MOST_CHARACTERS):
            return pauses[0]
    if len(text) <= FIRST_AT_WORD:
        return len(text)
    later = _ends(_PAUSE, text, FIRST_MOST_CHARACTERS, FIRST_AT_WORD)
    spaces = _ends(_SPACE, text, 1, min(FIRST_AT_WORD, len(text) - _LEAST_CHARACTERS))
    return (later or spaces[-1:] or [min(len(text), MOST_CHARACTERS)])[0]


def _cut(text: str) -> int:
    """Return the end of the next piece: the latest pause that fits, of the strongest kind."""
    if len(text) <= MOST_CHARACTERS:
        return len(text)
    for pattern in (_SENTENCE_END, _PAUSE, _BEFORE_CONJUNCTION, _SPACE):
        if pauses := _ends(pattern, text, _LEAST_CHARACTERS, MOST_CHARACTERS):
            return pauses[-1]
    return MOST_CHARACTERS


def _ends(pattern: re.Pattern[str], text: str, least: int, most: int) -> list[int]:
    """Return the ends of the matches that leave a piece of `least` to `most`
    characters, in order.
    """
    return [m.end() for m in pattern.finditer(text, 0, most + 1) if least <= m.end() <= most]

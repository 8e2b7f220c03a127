"""Live captions: the words of an open segment as the phrase will be written."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rtc_phrasebook.book import Book
from rtc_phrasebook.fillers import Value, write
from rtc_phrasebook.network import Vocabularies
from rtc_phrasebook.pattern import Slot, Wording, spoken_words


class Beginning(NamedTuple):
    """Text of an open segment."""

    text: str
    """Text as it will be written, except for its end."""
    open_chars: int
    """Length of that end: the words of an unfinished slot, as they were said."""


def text_so_far(
    words: Sequence[str], book: Book, language: str, vocabularies: Vocabularies
) -> Beginning:
    """Return `words` written as the beginning of the first wording that can begin with them, with
    complete slots written out.

    The text does not end with a punctuation mark, because more may follow.
    """
    for _, begun in beginnings(words, book, language, vocabularies):
        text = begun.text.rstrip(" .,!?")
        return Beginning(text[:1].upper() + text[1:], begun.open_chars)
    text = " ".join(words)
    return Beginning(text[:1].upper() + text[1:], len(text))


def beginnings(
    words: Sequence[str], book: Book, language: str, vocabularies: Vocabularies
) -> Iterator[tuple[int, Beginning]]:
    """Yield the index of each phrase that can begin with `words`, and their text in it, once for
    each such wording.
    """
    for index, phrase in enumerate(book.phrases):
        for wording in phrase.wordings[language]:
            begun = _begun(list(words), wording, book, vocabularies)
            if begun is not None:
                yield index, begun


def _begun(
    words: list[str], wording: Wording, book: Book, vocabularies: Vocabularies
) -> Beginning | None:
    """Return the written text of `words` if `wording` begins with them."""
    text = ""
    for piece in wording.pieces:
        if not words:
            return Beginning(text, 0)
        if isinstance(piece, Slot):
            known = vocabularies.sayings(piece)
            if any(len(key) > len(words) and key[: len(words)] == tuple(words) for key in known):
                unfinished = " ".join(words)
                return Beginning(text + unfinished, len(unfinished))
            said = _longest(words, known)
            if said == 0:
                return None
            text += write(piece, wording.language, known[tuple(words[:said])], book)
            words = words[said:]
            continue
        expected = spoken_words(piece, wording.language)
        here = words[: len(expected)]
        if expected[: len(here)] != here:
            return None
        text += piece if len(here) == len(expected) else _cut(piece, len(here), wording.language)
        words = words[len(here) :]
    return None if words else Beginning(text, 0)


def _longest(words: Sequence[str], known: dict[tuple[str, ...], Value]) -> int:
    """Return the number of words in the longest complete filler at the beginning of `words`."""
    return next((n for n in range(len(words), 0, -1) if tuple(words[:n]) in known), 0)


def _cut(text: str, count: int, language: str) -> str:
    """Return the written text up to its `count`-th spoken word."""
    ends = (end for end, char in enumerate(text) if not (char.isalnum() or char in "'’-."))
    return next(
        (text[:end] for end in ends if len(spoken_words(text[:end], language)) == count), text
    )

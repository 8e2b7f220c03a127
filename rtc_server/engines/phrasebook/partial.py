"""Live captions: the words of an unfinished segment as they will be written."""

from collections.abc import Sequence

from rtc_server.engines.phrasebook.book import Book
from rtc_server.engines.phrasebook.fillers import Value, write
from rtc_server.engines.phrasebook.network import Vocabularies
from rtc_server.engines.phrasebook.pattern import Slot, Wording, spoken_words


def text_so_far(words: Sequence[str], book: Book, language: str, vocabularies: Vocabularies) -> str:
    """The beginning of the first wording that `words` can begin, with finished slots written out.

    Words of an unfinished slot stand as they were said. No mark ends the text: more may come.
    """
    for phrase in book.phrases:
        for wording in phrase.wordings[language]:
            text = _begun(list(words), wording, book, vocabularies)
            if text is not None:
                text = text.rstrip(" .,!?")
                return text[:1].upper() + text[1:]
    return " ".join(words)


def _begun(
    words: list[str], wording: Wording, book: Book, vocabularies: Vocabularies
) -> str | None:
    """The written text of `words` if `wording` begins with them."""
    text = ""
    for piece in wording.pieces:
        if not words:
            return text
        if isinstance(piece, Slot):
            known = vocabularies.sayings(piece)
            said = _longest(words, known)
            if said in (0, len(words)):  # more words may still change it
                longer = any(
                    len(key) > len(words) and key[: len(words)] == tuple(words) for key in known
                )
                if longer:
                    return text + " ".join(words)
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
    return None if words else text


def _longest(words: Sequence[str], known: dict[tuple[str, ...], Value]) -> int:
    """How many of `words` the longest complete filler at their beginning takes."""
    return next((n for n in range(len(words), 0, -1) if tuple(words[:n]) in known), 0)


def _cut(text: str, count: int, language: str) -> str:
    """The written text up to its `count`-th spoken word."""
    ends = (end for end, char in enumerate(text) if not (char.isalnum() or char in "'’-."))
    return next(
        (text[:end] for end in ends if len(spoken_words(text[:end], language)) == count), text
    )

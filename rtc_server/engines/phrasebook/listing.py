"""Phrases to try, for `rtc-server phrases` and the page. Reads the books only: no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rtc_server.engines.phrasebook import book as books
from rtc_server.engines.phrasebook.fillers import examples


@dataclass(frozen=True, slots=True)
class Example:
    """A phrase that can be said, its slots filled with an example."""

    source: str
    """In the language spoken."""
    target: str
    """Its translation."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A chapter of the book."""

    title: str
    """In the language spoken."""
    examples: tuple[Example, ...]
    """In the order of the book."""


def topics(source: str, target: str, phrasebooks: Sequence[Path] = ()) -> tuple[Topic, ...]:
    """Return every phrase of the book, by topic; empty for a pair the book does not have.

    Raises:
        ConfigError: a phrasebook is wrong; names file, line and reason.
    """
    if {source, target} != set(books.LANGUAGES):
        return ()
    book = books.load(phrasebooks)
    found: dict[str, list[Example]] = {key: [] for key in book.topics}
    for phrase in book.phrases:
        shown = examples(phrase, book)
        found[phrase.topic].append(Example(shown[source], shown[target]))
    return tuple(
        Topic(book.topics[key][source], tuple(said)) for key, said in found.items() if said
    )

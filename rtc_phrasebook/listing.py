"""Phrases to try, for `rtc-server phrases` and the page. Reads the books only: no model."""

from collections.abc import Sequence
from pathlib import Path

from rtc_phrasebook import book as books
from rtc_phrasebook.fillers import examples
from rtc_server.engines.contract import EngineOptions, PhraseExample, PhraseTopic


def topics(source: str, target: str, phrasebooks: Sequence[Path] = ()) -> tuple[PhraseTopic, ...]:
    """Return every phrase of the book, by topic; empty for a pair the book does not have.

    Raises:
        ConfigError: a phrasebook is wrong; names file, line and reason.
    """
    if {source, target} != set(books.LANGUAGES):
        return ()
    book = books.load(phrasebooks)
    found: dict[str, list[PhraseExample]] = {key: [] for key in book.topics}
    for phrase in book.phrases:
        shown = examples(phrase, book)
        found[phrase.topic].append(PhraseExample(shown[source], shown[target]))
    return tuple(
        PhraseTopic(book.topics[key][source], tuple(said)) for key, said in found.items() if said
    )


def suggested(source: str, target: str, options: EngineOptions) -> tuple[PhraseTopic, ...]:
    """Return the same with the operator's own books. Raises `ConfigError`."""
    return topics(source, target, own_books(options))


def own_books(options: EngineOptions) -> tuple[Path, ...]:
    """Return the operator's own books (``--phrasebook``), the last with precedence."""
    files = options.own.get("phrasebook")
    # An engine of others that uses this one has options of its own, and hands on the server's.
    return tuple(map(Path, files)) if isinstance(files, tuple) else options.phrasebooks

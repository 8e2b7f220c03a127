"""Phrases to try, for `rtc-server phrases` and the page. It reads only the books, no model."""

from collections.abc import Sequence
from pathlib import Path

from rtc_phrasebook import book as books
from rtc_phrasebook.fillers import examples
from rtc_server.engines.contract import EngineOptions, PhraseExample, PhraseTopic


def topics(source: str, target: str, phrasebooks: Sequence[Path] = ()) -> tuple[PhraseTopic, ...]:
    """Return all phrases of the book, by topic; empty if the book does not have the language pair.

    Raises:
        ConfigError: a phrasebook has an error; it names file, line and reason.
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
    """Return the same as `topics`, with the operator's own books. Raises `ConfigError`."""
    return topics(source, target, own_books(options))


def own_books(options: EngineOptions) -> tuple[Path, ...]:
    """Return the operator's own books (``--phrasebook``), the last with precedence."""
    files = options.own.get("phrasebook")
    # Another engine that uses this one has options of its own, and passes on those of the server.
    return tuple(map(Path, files)) if isinstance(files, tuple) else options.phrasebooks

"""Phrases of the engine in use, for the page to suggest."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from rtc_server.engines.base import AstCapabilities
from rtc_server.engines.phrasebook import listing
from rtc_server.session.session_api import SuggestedPhrase

Phrases: TypeAlias = dict[str, tuple[SuggestedPhrase, ...]]
"""By the language they are said in."""


def read_phrases(ast: AstCapabilities, phrasebooks: Sequence[Path]) -> Phrases:
    """Return the phrasebook's examples, when it is the engine in use."""
    if ast.name != "phrasebook":
        return {}
    return {
        source: tuple(
            SuggestedPhrase(example.source, example.target, target, topic.title)
            for topic in listing.topics(source, target, phrasebooks)
            for example in topic.examples
        )
        for source, target in ast.pairs  # a book has one other language for each
    }

"""Phrases of the engine in use, for the page to suggest."""

from typing import TypeAlias

from rtc_server.engines import registry
from rtc_server.engines.base import AstCapabilities, EngineOptions
from rtc_server.session.session_api import SuggestedPhrase

Phrases: TypeAlias = dict[str, tuple[SuggestedPhrase, ...]]
"""By the language they are said in."""


def read_phrases(ast: AstCapabilities, options: EngineOptions) -> Phrases:
    """Return the examples of an engine that understands a list of phrases; empty for others."""
    suggested: Phrases = {}
    for source, target in ast.pairs:
        phrases = tuple(
            SuggestedPhrase(example.source, example.target, target, topic.title)
            for topic in registry.phrases(ast.name, source, target, options)
            for example in topic.examples
        )
        if phrases:
            suggested[source] = (*suggested.get(source, ()), *phrases)
    return suggested

"""Phrases of the engine in use, for the page to suggest."""

from typing import TypeAlias

from rtc_server.engines import registry
from rtc_server.engines.base import AstCapabilities, EngineOptions
from rtc_server.session.session_api import SuggestedPhrase

Phrases: TypeAlias = dict[str, tuple[SuggestedPhrase, ...]]
"""Phrases by the language to say them in."""


def read_phrases(ast: AstCapabilities, options: EngineOptions) -> Phrases:
    """Return the phrases of an engine that has a list of them; empty for others."""
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

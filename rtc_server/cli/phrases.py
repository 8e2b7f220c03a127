"""``rtc-server phrases``: list of the phrases that the phrasebook engine understands."""

import argparse
from collections.abc import Mapping

from rtc_server.config import EngineSettings, load
from rtc_server.engines import registry
from rtc_server.engines.base import EngineOptions
from rtc_server.errors import ConfigError
from rtc_server.events.client import language_code

PHRASEBOOK = "phrasebook"
"""Name of the engine, as in ``--ast``."""


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print every phrase with its translations, by topic."""
    (settings,) = load(arguments, environ, EngineSettings)
    options = EngineOptions(phrasebooks=settings.phrasebook)
    source = language_code(arguments.language)
    registry.resolve("ast", PHRASEBOOK)  # or a sentence: two of that name, or one that is faulty
    [languages] = (
        card.languages for card in registry.cards() if (card.kind, card.name) == ("ast", PHRASEBOOK)
    )
    if source not in languages:
        raise ConfigError(
            f"The phrasebook has no phrases in {source!a}. It has: {', '.join(languages)}."
        )
    for target in languages:
        for topic in registry.phrases(PHRASEBOOK, source, target, options):
            print(topic.title)
            for example in topic.examples:
                print(f"  {example.source} → {example.target}")
            print()
    return 0

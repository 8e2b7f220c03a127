"""``rtc-server phrases``: list of the phrases that the phrasebook engine understands."""

import argparse
from collections.abc import Mapping

from rtc_server.config import EngineSettings, load
from rtc_server.engines.phrasebook.book import LANGUAGES
from rtc_server.engines.phrasebook.listing import topics
from rtc_server.errors import ConfigError
from rtc_server.events.client import language_code


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print every phrase with its translations, by topic."""
    (settings,) = load(arguments, environ, EngineSettings)
    source = language_code(arguments.language)
    if source not in LANGUAGES:
        raise ConfigError(
            f"The phrasebook has no phrases in {source!a}. It has: {', '.join(LANGUAGES)}."
        )
    for target in LANGUAGES:
        for topic in topics(source, target, settings.phrasebook):
            print(topic.title)
            for example in topic.examples:
                print(f"  {example.source} → {example.target}")
            print()
    return 0

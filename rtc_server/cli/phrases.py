"""``rtc-server phrases``: list of the phrases that an engine understands."""

import argparse
from collections.abc import Mapping

from rtc_server.config import EngineSettings, load_with_plugins, plugins
from rtc_server.engines import registry
from rtc_server.errors import ConfigError
from rtc_server.events.client import language_code


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print every phrase with its translations, by topic."""
    engine, source = arguments.engine, language_code(arguments.language)
    plugins().check("ast", engine)
    (settings,), values = load_with_plugins(arguments, environ, EngineSettings, starts=())
    options = settings.options("ast", values, engine)
    registry.resolve("ast", engine)  # or a sentence: two of that name, or one that is faulty
    languages = next(
        (card.languages for card in registry.cards() if (card.kind, card.name) == ("ast", engine)),
        (),
    )
    lists = [registry.phrases(engine, source, target, options) for target in languages]
    if not any(lists):
        others = ", ".join(each for each in languages if each != source)
        raise ConfigError(
            f"Engine {engine} lists no phrases in {source!a}. Its languages: {others or 'none'}."
        )
    for topics in lists:
        for topic in topics:
            print(topic.title)
            for example in topic.examples:
                print(f"  {example.source} → {example.target}")
            print()
    return 0

"""``rtc-server engines``: list of the engines that can translate and speak here, and a server of
them for other processes.
"""

import argparse
from collections.abc import Mapping

from rtc_server.config import plugins
from rtc_server.engines import registry
from rtc_server.engines.base import EngineCard

_KINDS = {"ast": "Speech translation", "tts": "Speech synthesis"}


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print one block for each engine, or serve until SIGINT or SIGTERM."""
    if arguments.action == "serve":
        # Here: a list of engines needs nothing of what a server does.
        from rtc_server.cli.engines_serve import serve  # noqa: PLC0415

        return serve(arguments, environ)
    cards = registry.cards()
    for kind, title in _KINDS.items():
        print(f"{title} (--{kind} NAME)")
        for card in cards:
            if card.kind == kind:
                print("\n".join(describe(card)))
        print()
    for fault in plugins().faults:
        print(fault)
    return 0


def describe(card: EngineCard) -> list[str]:
    """Return the lines about one engine."""
    state = "" if card.installed else "  (not installed)"
    lines = [
        f"  {card.name}{state}",
        f"    {card.title}",
        f"    languages: {', '.join(card.languages) or 'as configured'}",
        f"    licence: {card.licence}",
        *(f"    {label}: {text}" for label, text in card.extra.items()),
    ]
    return lines if card.installed else [*lines, f"    {card.missing}"]

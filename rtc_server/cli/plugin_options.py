"""Options of plug-ins on the command line: found for the command that is run, and for no other."""

import argparse
from typing import NoReturn

from rtc_server.config import plugins
from rtc_server.options import LateParser, add_options


class CommandParser(LateParser):
    """Parser that names engines which cannot be used where it refuses an option as unknown."""

    def error(self, message: str) -> NoReturn:
        """End the process with a usage and sentences, as argparse does."""
        if message.startswith("unrecognized arguments") and (faults := plugins().faults):
            message += f". They may belong to an engine that cannot be used. {' '.join(faults)}"
        super().error(message)


def add_plugin_options(parser: argparse.ArgumentParser) -> None:
    """Give the parser of a subcommand the options of installed plug-ins, once it is used."""
    assert isinstance(parser, LateParser), "subcommands are parsers of their parent's class"
    parser.late = _add


def _add(parser: argparse.ArgumentParser) -> None:
    add_options(parser, *plugins().sections)

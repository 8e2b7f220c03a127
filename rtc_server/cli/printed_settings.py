"""``--config`` and ``--print-config``: settings from a file, and the settings in force as one."""

import argparse
from collections.abc import Mapping
from typing import Any

from rtc_server.config import SECTIONS, Settings, open_sources, plugins
from rtc_server.options import add_config_option, add_options, effective_file, example_file

EFFECTIVE, EXAMPLE = "effective", "example"


def add_settings_options(parser: argparse.ArgumentParser, *sections: type[Any]) -> None:
    """Give a parser of a command that serves its sections, and what concerns their file."""
    add_config_option(parser)
    parser.add_argument(
        "--print-config",
        nargs="?",
        const=EFFECTIVE,
        choices=(EFFECTIVE, EXAMPLE),
        help="print the settings in force, each with its source and with secrets hidden, and "
        "exit; with =example, print a configuration file of all options instead",
    )
    add_options(parser, *sections)


def print_settings(
    arguments: argparse.Namespace, environ: Mapping[str, str], *sections: type[Any]
) -> bool:
    """Print settings and options of plug-ins if ``--print-config`` says so; return whether it did.

    Raises:
        ConfigError: the settings contradict their rules, as in a start with the same flags,
            environment and file. Engines, models and files that they name are not looked for.
    """
    if arguments.print_config is None:
        return False
    printed = (*sections, *plugins().sections)
    if arguments.print_config == EXAMPLE:
        print(example_file(printed), end="")
    else:
        sources = open_sources(arguments, environ)
        values = sources.sections(*printed)
        if sections == SECTIONS:
            Settings(*values[: len(SECTIONS)])  # the rules between sections
        print(effective_file(sources, values), end="")
    return True

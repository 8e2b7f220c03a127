"""Parser of the command line: options of plug-ins, and sentences for a wrong command line."""

import argparse
import difflib
import re
from typing import Any, NoReturn

from rtc_server.config import plugins
from rtc_server.options import LateParser, add_options

_COLOUR = re.compile(r"\x1b\[[\d;]*m")
"""Colours, which argparse puts into help and usage on a terminal from Python 3.14 on."""
_LONGEST_USAGE = 4
"""Lines of usage above an error. That of `serve` takes forty, and would hide the error."""


class CommandParser(LateParser):
    """Parser of a command, which answers a wrong command line with the thing, the value, and help.

    Plug-ins' options are found for the command that is run, and for no other.
    """

    _subcommands: Any = None
    """Action that parses the subcommands, where there are any."""

    def add_subparsers(self, **kwargs: Any) -> Any:
        """Add subcommands, and keep them, to be named in an error."""
        self._subcommands = super().add_subparsers(**kwargs)
        return self._subcommands

    def parse_known_args(self, *args: Any, **kwargs: Any) -> Any:
        """Parse, and refuse unknown arguments in the command that knows its options."""
        parsed, unknown = super().parse_known_args(*args, **kwargs)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}{self._advice(unknown)}")
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        """End the process with a usage and sentences, as argparse does."""
        if message.endswith("required: ACTION") or message.endswith("required: COMMAND"):
            message += f". Choose one of {', '.join(self._subcommands.choices)}"
        # argparse takes a value such as -x for another option.
        if found := re.fullmatch(r"argument (?:-\w/)?(--[\w-]+): expected one argument", message):
            message += f". Write {found[1]}=VALUE for a value that begins with a dash"
        super().error(message)

    def format_usage(self) -> str:
        """Return the usage; if it would be long, one line without what may be left out."""
        usage = super().format_usage()
        if usage.count("\n") <= _LONGEST_USAGE:
            return usage
        needed = _COLOUR.sub("", usage)
        while needed != (needed := re.sub(r"\[[^][]*\]", "", needed)):
            pass  # brackets stand in brackets: from the innermost outwards
        return f"{' '.join(needed.split())} [OPTION]...  (`{self.prog} --help` lists the options)\n"

    def _advice(self, unknown: list[str]) -> str:
        """Return what may help: the nearest option, and engines whose options are missing."""
        names = [each.partition("=")[0] for each in unknown if each.startswith("-")]
        text = _COLOUR.sub("", self.format_help())
        entries = re.findall(r"^  (-.*?)(?:  |$)", text, re.MULTILINE)
        known = [option for entry in entries for option in re.findall(r"--[\w-]+", entry)]
        near = [each for name in names[:1] for each in difflib.get_close_matches(name, known, 1)]
        advice = f". Did you mean {near[0]}?" if near else ""
        if faults := plugins().faults if names else ():
            stop = "" if advice else "."
            advice += f"{stop} It may belong to an engine that cannot be used. {' '.join(faults)}"
        return advice


def add_plugin_options(parser: argparse.ArgumentParser) -> None:
    """Give the parser of a subcommand the options of installed plug-ins, once it is used."""
    assert isinstance(parser, LateParser), "subcommands are parsers of their parent's class"
    parser.late = _add


def _add(parser: argparse.ArgumentParser) -> None:
    add_options(parser, *plugins().sections)

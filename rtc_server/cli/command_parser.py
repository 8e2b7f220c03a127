"""Parser of the command line: options of plug-ins, and sentences for a wrong command line."""

import argparse
import difflib
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NoReturn, Self

from rtc_server.config import plugins
from rtc_server.options import LateParser, add_options

_COLOUR = re.compile(r"\x1b\[[\d;]*m")
"""Colours, which argparse puts into help and usage on a terminal from Python 3.14 on."""
_ENDS_OPTIONS = frozenset({"--", "-h", "--help", "--version"})
"""Arguments behind which no option is looked at."""
_LONGEST_USAGE = 4
"""Lines of usage above an error. That of `serve` takes forty, and would hide the error."""


class CommandParser(LateParser):
    """Parser of a command, which answers a wrong command line with the thing, the value, and help.

    Plug-ins' options are found for the command that is run, and for no other.
    """

    _subcommands: Any = None
    """Action that parses the subcommands, where there are any."""

    def __init__(self, *args: Any, parent: Self | None = None, **kwargs: Any) -> None:
        """Make the parser; `parent` is the one whose subcommand it parses."""
        super().__init__(*args, **kwargs)
        self._parent = parent

    def add_subparsers(self, **kwargs: Any) -> Any:
        """Add subcommands, and keep them, to be named in an error."""
        kwargs.setdefault("parser_class", partial(type(self), parent=self))
        self._subcommands = super().add_subparsers(**kwargs)
        return self._subcommands

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and refuse unknown arguments in the command whose options they would be."""
        given = sys.argv[1:] if args is None else list(args)
        self._refuse_options_before_command(given)
        parsed, unknown = super().parse_known_args(given, namespace)
        if unknown:
            place, others = self._place_of(unknown, given)
            said = f"unrecognized arguments: {' '.join(unknown)}{self._advice(others)}"
            stop = "." if place and said[-1] not in "?." else ""
            self.error(f"{said}{stop}{place}")
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

    def _refuse_options_before_command(self, given: Sequence[str]) -> None:
        """Refuse a subcommand's options before its name.

        argparse would take the value of such an option for the subcommand.
        """
        choices = self._subcommands.choices if self._subcommands else {}
        commands = [i for i, each in enumerate(given) if each in choices]
        names = [each.partition("=")[0] for each in given[: min(commands, default=0)]]
        known = self._options() if names else {}
        unknown = [name for name in names if name.startswith("--") and name not in known]
        if not unknown or not _ENDS_OPTIONS.isdisjoint(names) or _nearest(unknown[0], known):
            return
        # Its value may have the name of a command, as in `--url models doctor`.
        takers = (i for i in commands if unknown[0] in choices[given[i]]._options())
        at, first = next(takers, commands[0]), names.index(unknown[0])
        before, misplaced, rest = given[:first], given[first:at], given[at + 1 :]
        right = shlex.join([*before, given[at], *misplaced, *rest])
        self.error(
            f"unrecognized arguments: {' '.join(misplaced)}. Put options behind the command: "
            f"{self.prog} {right}"
        )

    def _place_of(self, unknown: Sequence[str], given: Sequence[str]) -> tuple[str, Sequence[str]]:
        """Return where unknown options of the parent belong, and what else is unknown."""
        options = self._parent._options() if self._parent else {}
        moved: list[str] = []
        rest, others = list(given), list(unknown)
        for each in unknown:
            name, equals, _ = each.partition("=")
            if name not in options:
                continue
            at, there = rest.index(each), others.index(each)
            option = rest[at : at + (1 if equals or not options[name] else 2)]
            moved += option
            del rest[at : at + len(option)]
            # A subcommand's own argument may have taken the value.
            of_it = others[there : there + len(option)] == option
            del others[there : there + (len(option) if of_it else 1)]
        if not self._parent or not moved:
            return "", others
        own = self.prog.removeprefix(self._parent.prog).strip()
        right = f": {self._parent.prog} {shlex.join([*moved, own, *rest])}" if not others else ""
        return f" Put {shlex.join(moved)} before {own}{right}", others

    def _options(self) -> dict[str, bool]:
        """Return the long options in the help, and for each whether it takes a value."""
        text = _COLOUR.sub("", self.format_help())
        entries = re.findall(r"^  (-.*?)(?:  |$)", text, re.MULTILINE)
        return {
            option: " " in entry.rpartition(", ")[2]
            for entry in entries
            for option in re.findall(r"--[\w-]+", entry)
        }

    def _advice(self, unknown: Sequence[str]) -> str:
        """Return what may help: the nearest options, and engines whose options are missing."""
        options = [each for each in unknown if each.startswith("-") and each != "--"]
        names = list(dict.fromkeys(each.partition("=")[0] for each in options))
        known = self._options()  # behind -- stands no option, so one that is known helps nobody
        near = [(n, option) for n in names if n not in known and (option := _nearest(n, known))]
        each = [option if len(names) == 1 else f"{option} for {name}" for name, option in near]
        advice = f". Did you mean {', '.join(each)}?" if each else ""
        if faults := plugins().faults if names else ():
            stop = "" if advice else "."
            advice += f"{stop} It may belong to an engine that cannot be used. {' '.join(faults)}"
        return advice


def _nearest(name: str, known: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(name, list(known), 1)), "")


def add_plugin_options(parser: argparse.ArgumentParser) -> None:
    """Give the parser of a subcommand the options of installed plug-ins, once it is used."""
    assert isinstance(parser, LateParser), "subcommands are parsers of their parent's class"
    parser.late = _add


def _add(parser: argparse.ArgumentParser) -> None:
    add_options(parser, *plugins().sections)

"""Parser of the command line: options of plug-ins, and sentences for a wrong command line."""

import argparse
import difflib
import itertools
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn, Self

from rtc_server.config import plugins
from rtc_server.options import LateParser, add_options

_COLOUR = re.compile(r"\x1b\[[\d;]*m")
"""Colours, which argparse puts into help and usage on a terminal from Python 3.14 on."""
_ANSWERED = ("-h", "--help", "--version")
"""Options that argparse answers wherever they stand, whatever else is wrong."""
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
        """Refuse a subcommand's options before its name, except where help is asked for.

        argparse would take the value of such an option for the subcommand.
        """
        if not self._subcommands or not given or not given[0].startswith("-"):
            return
        own = self._options()
        groups = list(_groups(given, own))
        known = itertools.takewhile(lambda group: group[0] in own, groups)
        before = [word for _, words in known for word in words]
        rest = given[len(before) :]
        at, end = self._command_in(rest, own)
        if not at or "--" in rest[:at]:
            return
        if wish := next((each for each in [*before, *rest[:at]] if each in _ANSWERED), ""):
            super().parse_known_args([wish])  # prints the answer and ends the process
        if _nearest(rest[0].partition("=")[0], own):
            return
        ours, theirs = _parted(rest[:at], own)
        right = shlex.join([*before, *ours, *rest[at:end], *theirs, *rest[end:]])
        self.error(
            f"unrecognized arguments: {' '.join(theirs)}. Put options behind the command: "
            f"{self.prog} {right}"
        )

    def _command_in(self, rest: Sequence[str], own: Mapping[str, bool]) -> tuple[int, int]:
        """Return where the subcommand begins and ends behind options that are not this parser's.

        Its name may also be the value of such an option (`--url models doctor`). So the first one
        that has all options before it is taken, and without such a one the first.
        """
        if not rest or not rest[0].startswith("-"):
            return 0, 0
        found = [i for i, each in enumerate(rest) if each in self._subcommands.choices]
        for at in found:
            parser: CommandParser = self
            for end in range(at, len(rest)):  # a command of a command, as `keys new`, is both words
                actions = parser._subcommands
                if not actions or rest[end] not in actions.choices:
                    break
                parser = actions.choices[rest[end]]
                if _are_complete(rest[:at], {**own, **parser._options()}):
                    return at, end + 1
        return (found[0], found[0] + 1) if found else (0, 0)

    def _place_of(self, unknown: Sequence[str], given: Sequence[str]) -> tuple[str, Sequence[str]]:
        """Return where unknown options of a parser above belong, and what else is unknown."""
        names = {each.partition("=")[0] for each in unknown}
        above = self._parent
        while above is not None and names.isdisjoint(above._options()):
            above = above._parent
        if above is None:
            return "", unknown
        options = above._options()
        moved, rest = _parted(given, options, only=unknown)
        others = list(unknown)
        for _, group in _groups(moved, options):
            at = others.index(group[0])
            # A subcommand's own argument may have taken the value.
            of_it = others[at : at + len(group)] == list(group)
            del others[at : at + (len(group) if of_it else 1)]
        own = self.prog.removeprefix(above.prog).split()
        right = f": {above.prog} {shlex.join([*moved, *own, *rest])}" if not others else ""
        return f" Put {shlex.join(moved)} before {own[0]}{right}", others

    def _options(self) -> dict[str, bool]:
        """Return the options in the help, and for each whether it takes a value."""
        self.add_late_options()
        text = _COLOUR.sub("", self.format_help())
        entries = re.findall(r"^  (-.*?)(?:  |$)", text, re.MULTILINE)
        return {
            option: " " in entry.rpartition(", ")[2]
            for entry in entries
            for option in re.findall(r"(?<!\S)--?\w[\w-]*", entry)
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


def _groups(
    words: Sequence[str], takes_value: Mapping[str, bool]
) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield each word under its name, an option together with its value."""
    at = 0
    while at < len(words):
        name, equals, _ = words[at].partition("=")
        end = at + (2 if takes_value.get(name) and not equals else 1)
        yield name, words[at:end]
        at = end


def _are_complete(words: Sequence[str], takes_value: Mapping[str, bool]) -> bool:
    """Return True if the words are known options, none of which lacks its value."""
    return all(
        name in takes_value and ("=" in group[0] or len(group) == 1 + takes_value[name])
        for name, group in _groups(words, takes_value)
    )


def _parted(
    words: Sequence[str], takes_value: Mapping[str, bool], only: Sequence[str] | None = None
) -> tuple[list[str], list[str]]:
    """Return the options of a parser with their values, of these words `only`, and the rest."""
    options: list[str] = []
    others: list[str] = []
    for name, group in _groups(words, takes_value):
        is_option = name in takes_value and (only is None or group[0] in only)
        (options if is_option else others).extend(group)
    return options, others


def _nearest(name: str, known: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(name, list(known), 1)), "")


def add_plugin_options(parser: argparse.ArgumentParser) -> None:
    """Give the parser of a subcommand the options of installed plug-ins, once it is used."""
    assert isinstance(parser, LateParser), "subcommands are parsers of their parent's class"
    parser.late = _add


def _add(parser: argparse.ArgumentParser) -> None:
    add_options(parser, *plugins().sections)

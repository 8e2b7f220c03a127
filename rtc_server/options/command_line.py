"""Flags of a parser, from the fields of sections."""

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_origin

from rtc_server.options.option import flag, settings_fields, variable
from rtc_server.options.sources import CONFIG_VARIABLE


class LateParser(argparse.ArgumentParser):
    """Parser that gets some of its options when it is first used, and not when it is made."""

    late: Callable[[argparse.ArgumentParser], None] | None = None
    """Adds them. For a parser of a subcommand: finding them takes time that others need not."""

    def parse_known_args(self, *args: Any, **kwargs: Any) -> Any:
        """Add the options that are still missing, then parse."""
        self.add_late_options()
        return super().parse_known_args(*args, **kwargs)

    def add_late_options(self) -> None:
        """Add the options that are still missing."""
        if self.late is not None:
            add, self.late = self.late, None
            add(self)


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """Give `parser` ``--config``: the file of `OptionSources`."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="TOML file of options, by their names without the dashes; flags and variables win "
        f"over it (environment: {CONFIG_VARIABLE})",
    )


def add_options(
    parser: argparse.ArgumentParser, *sections: type[Any], only: Sequence[str] = ()
) -> None:
    """Give `parser` one flag for each field of the sections, grouped by section in its help.

    With `only`, for the fields so named and no others; the rest still has its variables.
    """
    for section in sections:
        group = parser.add_argument_group((section.__doc__ or "").rstrip("."))
        for _, fld, kind in settings_fields(section):
            if only and fld.name not in only:
                continue
            text = (
                f"{fld.metadata['help']} (default: {_shown(fld.default)}; "
                f"environment: {variable(fld.name)})"
            )
            group.add_argument(
                flag(fld.name),
                dest=f"{section.__name__}.{fld.name}",
                metavar=_metavar(fld, kind),
                help=text.replace("%", "%%"),  # argparse formats it
            )


def _shown(default: object) -> str:
    """Return a default as a person would type it."""
    match default:
        case bool():
            return "yes" if default else "no"
        case tuple():
            return ",".join(map(str, default)) or "none"
    return str(default) or "none"


def _metavar(fld: dataclasses.Field[Any], kind: Any) -> str:
    if fld.metadata["metavar"]:
        return str(fld.metadata["metavar"])
    if fld.metadata["choices"]:
        return "{" + ",".join(fld.metadata["choices"]) + "}"
    if get_origin(kind) is tuple:
        return "LIST"
    return {int: "N", float: "X", bool: "yes|no", Path: "PATH"}.get(kind, "TEXT")

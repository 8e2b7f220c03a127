"""Dataclass fields as flags and environment variables.

``port`` is ``--port`` and ``RTC_PORT``. A flag beats the environment, the environment beats the
default. Unknown flags and unknown ``RTC_*`` variables fail, so that a typing error never runs a
server with settings nobody chose.
"""

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Never, TypeVar, cast, get_args, get_origin, get_type_hints

from rtc_server.errors import ConfigError

ENV_PREFIX = "RTC_"

T = TypeVar("T")


def option(
    default: Any,
    help_text: str,
    *,
    choices: Sequence[str] = (),
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """Return a dataclass field that is also a flag and an environment variable."""
    meta = {"help": help_text, "choices": tuple(choices), "low": low, "high": high}
    return field(default=default, metadata=meta)


def settings_fields(
    *sections: type[Any],
) -> list[tuple[type[Any], dataclasses.Field[Any], Any]]:
    """Return each (section, field, type) of the given sections, in the order they are written."""
    rows = []
    for section in sections:
        hints = get_type_hints(section)
        rows += [(section, f, hints[f.name]) for f in dataclasses.fields(section)]
    return rows


def flag(name: str) -> str:
    """Return ``max_sessions`` as a flag: ``--max-sessions``."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """Return ``max_sessions`` as an environment variable: ``RTC_MAX_SESSIONS``."""
    return ENV_PREFIX + name.upper()


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
            shown = (
                ",".join(map(str, fld.default)) if isinstance(fld.default, tuple) else fld.default
            )
            group.add_argument(
                flag(fld.name),
                dest=f"{section.__name__}.{fld.name}",
                metavar=_metavar(fld, kind),
                help=f"{fld.metadata['help']} (default: {shown if shown != '' else 'none'}; "
                f"environment: {variable(fld.name)})",
            )


def refuse_unknown_variables(environ: Mapping[str, str], sections: Sequence[type[Any]]) -> None:
    """Raise `ConfigError` when the environment names a setting that no section has."""
    known = {variable(fld.name) for _, fld, _ in settings_fields(*sections)}
    unknown = sorted(k for k in environ if k.startswith(ENV_PREFIX) and k not in known)
    if unknown:
        raise ConfigError(
            f"Unknown environment variable {unknown[0]}. "
            f"`rtc-server serve --help` lists the {ENV_PREFIX}* variables that exist."
        )


def read_options(
    arguments: argparse.Namespace, environ: Mapping[str, str], *sections: type[T]
) -> list[Any]:
    """Return the given sections from parsed flags and the environment.

    Raises:
        ConfigError: a value does not fit.
    """
    values: dict[type[Any], dict[str, Any]] = {section: {} for section in sections}
    for section, fld, kind in settings_fields(*sections):
        text = getattr(arguments, f"{section.__name__}.{fld.name}", None)
        origin = flag(fld.name)
        if text is None:
            text, origin = environ.get(variable(fld.name)), variable(fld.name)
        if text is not None:
            values[section][fld.name] = _convert(text, fld, kind, origin)
    return [section(**given) for section, given in values.items()]


def _metavar(fld: dataclasses.Field[Any], kind: Any) -> str:
    if fld.metadata["choices"]:
        return "{" + ",".join(fld.metadata["choices"]) + "}"
    if get_origin(kind) is tuple:
        return "LIST"
    return {int: "N", float: "X", bool: "yes|no", Path: "PATH"}.get(kind, "TEXT")


def _convert(text: str, fld: dataclasses.Field[Any], kind: Any, origin: str) -> Any:
    def refuse(want: str) -> Never:
        shown = "(hidden)" if "key" in fld.name or "secret" in fld.name else repr(text)
        raise ConfigError(f"{origin} must be {want}, not {shown}.")

    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        return tuple(item(part.strip()) for part in text.split(",") if part.strip())
    if kind is bool:
        if text.lower() not in ("yes", "no", "true", "false", "1", "0"):
            refuse("yes or no")
        return text.lower() in ("yes", "true", "1")
    if kind in (int, float):
        low, high = fld.metadata["low"], fld.metadata["high"]
        want = f"a{' whole' if kind is int else ''} number from {low} to {high}"
        try:
            number = kind(text)
        except ValueError:
            refuse(want)
        if (low is not None and not number >= low) or (high is not None and not number <= high):
            refuse(want)
        return cast(int | float, number)
    if fld.metadata["choices"] and text not in fld.metadata["choices"]:
        refuse("one of " + ", ".join(fld.metadata["choices"]))
    return kind(text)

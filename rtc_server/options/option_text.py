"""Text of a flag or of an environment variable to the value of its option."""

import dataclasses
import math
from typing import Any, Final, Never, cast, get_args, get_origin

from rtc_server.errors import ConfigError
from rtc_server.options.option import HIDDEN, refuse_hidden

_TOML_LIMIT: Final = 2**63
"""Whole numbers from here on are none of TOML's, nor do they all have a float."""


def from_text(text: str, fld: dataclasses.Field[Any], kind: Any, origin: str) -> Any:
    """Return the value of a field that is of type `kind`; lists are comma separated.

    Raises:
        ConfigError: the text does not fit; the sentence names `origin`.
    """

    def refuse() -> Never:
        shown = HIDDEN if fld.metadata["mask"] else repr(text)
        raise ConfigError(f"{origin} must be {wanted(fld, kind)}, not {shown}.")

    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        parts = tuple(item(part.strip()) for part in text.split(",") if part.strip())
        refuse_hidden(fld, parts, origin)
        return parts
    if kind is bool:
        if text.lower() not in ("yes", "no", "true", "false", "1", "0"):
            refuse()
        return text.lower() in ("yes", "true", "1")
    if kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            refuse()
        if not in_range(number, fld):
            refuse()
        return cast(int | float, number)
    if not is_choice(text, fld):
        refuse()
    refuse_hidden(fld, text, origin)
    return kind(text)


def wanted(fld: dataclasses.Field[Any], kind: Any) -> str:
    """Return what a value of the field must be, to follow "must be"."""
    if kind is bool:
        return "yes or no"
    if kind in (int, float):
        return f"a{' whole' if kind is int else ''} number{_limits(fld)}"
    return "one of " + ", ".join(fld.metadata["choices"])


def _limits(fld: dataclasses.Field[Any]) -> str:
    match fld.metadata["low"], fld.metadata["high"]:
        case None, None:
            return ""
        case low, None:
            return f" of {low} or more"
        case None, high:
            return f" of {high} or less"
        case low, high:
            return f" from {low} to {high}"
    raise AssertionError("unreachable")


def has_toml(number: float) -> bool:
    """Return whether TOML has a number as it is read here; NaN has no order to be checked by."""
    return abs(number) < _TOML_LIMIT if isinstance(number, int) else not math.isnan(number)


def is_choice(text: str, fld: dataclasses.Field[Any]) -> bool:
    """Return whether a text is one of the field's choices, or its default."""
    choices = fld.metadata["choices"]
    return not choices or text in choices or text == fld.default


def in_range(number: float, fld: dataclasses.Field[Any]) -> bool:
    """Return whether a number is within the field's limits, and those of TOML; NaN never is."""
    low, high = fld.metadata["low"], fld.metadata["high"]
    return has_toml(number) and (low is None or number >= low) and (high is None or number <= high)

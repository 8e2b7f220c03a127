"""Forms of the options that a plug-in declares, fit for flags, variables and lines of TOML."""

import keyword
import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from rtc_server.engines.plugin import PluginOption
from rtc_server.options.option_text import has_toml

WrongForm: TypeAlias = tuple[str, str, object]
"""Name of a place, the words for what must stand there, and what does."""

_LIST: Final = tuple[str, ...]
_NAMES: Final = {
    str: "a text",
    int: "a whole number",
    float: "a number with a point",
    bool: "True or False",
}
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_METAVAR: Final = re.compile(r"([A-Z][A-Z0-9_|-]*)?")
_CHOICE: Final = re.compile(r"[A-Za-z0-9.+_-]+")
_MOST_CHARS: Final = 60


def wrong_option(options: object) -> WrongForm | None:
    """Return the first fault of the options of a plug-in, None where they are as they must be."""
    if not isinstance(options, tuple) or not all(isinstance(o, PluginOption) for o in options):
        return "options", "a tuple of PluginOption", options
    for each in options:
        if not _is_name(each.name):
            return "name of an option", "small letters, digits and _, no word of Python", each.name
        for field, form, value in _faults(each):
            return f"{field} of the option {each.name}", form, value
    names = [each.name for each in options]
    if len(set(names)) < len(names):
        return "options", "of different names", names
    return None


def _is_name(name: object) -> bool:
    return (
        isinstance(name, str)
        and len(name) <= _MOST_CHARS
        and _NAME.fullmatch(name) is not None
        and not keyword.iskeyword(name)
    )


def _faults(option: PluginOption) -> Iterator[WrongForm]:
    kind, default = option.type, option.default
    if kind != _LIST and not any(kind is each for each in _NAMES):
        yield "type", "str, int, float, bool or tuple[str, ...]", kind
    if not _fits(default, kind):
        form = next((text for each, text in _NAMES.items() if kind is each), "a tuple of texts")
        yield "default", form, default
    elif needed := _unreadable(default):
        yield "default", needed, default
    if not isinstance(option.help, str) or not (option.help and option.help.isprintable()):
        yield "help", "a text in one line", option.help
    if not isinstance(option.metavar, str) or not _METAVAR.fullmatch(option.metavar):
        yield "metavar", "a word in capitals", option.metavar
    yield from _choice_faults(option)
    yield from _limit_faults(option)
    if type(option.secret) is not bool:
        yield "secret", "True or False", option.secret
    if option.secret and not (kind in (str, _LIST) and not default and not option.choices):
        yield "secret", "False for anything but an empty text or list without choices", True


def _fits(default: object, kind: object) -> bool:
    if kind == _LIST:
        return isinstance(default, tuple) and all(isinstance(each, str) for each in default)
    return type(default) is kind


def _unreadable(default: object) -> str | None:
    """Return what a default of the right type must be for a file, or a terminal; None if it is.

    ``--print-config`` writes it, and what it wrote is read as any other file.
    """
    match default:
        case bool():
            return None
        case int() | float():
            return None if has_toml(default) else "a number of 64 bits"
        case str():
            return None if _is_utf8(default) else "a text without NUL, in UTF-8"
        case tuple():
            # As a flag, a list is split at its commas; spaces around its items are dropped.
            if not all(each and each == each.strip() and "," not in each for each in default):
                return "a tuple of texts without commas, none empty or with spaces at its ends"
            return None if all(map(_is_utf8, default)) else "a tuple of texts without NUL, in UTF-8"
    return None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return "\0" not in text


def _choice_faults(option: PluginOption) -> Iterator[WrongForm]:
    choices = option.choices
    if not isinstance(choices, tuple) or not all(
        isinstance(each, str) and _CHOICE.fullmatch(each) for each in choices
    ):
        yield "choices", "a tuple of words of letters, digits, and . + _ -", choices
    elif choices and option.type is not str:
        yield "choices", "empty for anything but a text", choices


def _limit_faults(option: PluginOption) -> Iterator[WrongForm]:
    for name, limit in (("low", option.low), ("high", option.high)):
        if limit is None:
            continue
        if type(limit) not in (int, float):
            yield name, "a number or None", limit
        elif not has_toml(limit):
            yield name, "a number of 64 bits or None", limit
        if option.type not in (int, float):
            yield name, "None for anything but a number", limit
    default = option.default
    if isinstance(default, int | float) and not (
        (option.low is None or default >= option.low)
        and (option.high is None or default <= option.high)
    ):
        yield "default", "within low and high", default

"""Sentences about values that do not fit a struct.

msgspec says where a message does not fit, in words of its own; clients are told in ours, with the
path of the field as the protocol names it. So the definition of a struct is walked once more when
a message was refused, and only then. Of several faults the first in the order of the definition is
told.
"""

import re
from functools import cache
from typing import TypeVar

import msgspec
from msgspec import Struct, inspect

from rtc_server.errors import BadEvent
from rtc_server.events.fields import SHORT_CHARS

_Kind = TypeVar("_Kind", bound=Struct)


def checked(kind: type[_Kind], value: object, path: str = "") -> _Kind:
    """Convert what JSON held; unknown keys are ignored.

    Raises:
        BadEvent: a field does not fit; the sentence names it, by `path` and its name.
    """
    if fault := first_fault(kind, value, path):
        raise BadEvent(fault)
    return msgspec.convert(value, kind)


def first_fault(kind: type[Struct], value: object, path: str) -> str:
    """Return a sentence on the first field that does not fit, or "".

    `path` names the value in the sentence; empty for a message, whose fields stand for themselves.
    """
    return _fault(_form(kind), value, path)


@cache
def _form(kind: type[Struct]) -> inspect.Type:
    return inspect.type_info(kind)


def _fault(form: inspect.Type, value: object, path: str) -> str:
    match form:
        case inspect.UnionType(types):
            own = [each for each in types if not isinstance(each, inspect.NoneType)]
            fault = "" if value is None and own != list(types) else _fault(own[0], value, path)
        case inspect.StructType(fields=fields):
            fault = _object_fault(value, fields, path)
        case inspect.Metadata(type=inner, extra={"sentence": sentence}):
            fault = _fault(inner, value, path)
            if fault and not (isinstance(inner, inspect.StructType) and isinstance(value, dict)):
                fault = sentence  # else a field of it is at fault, and has its own
        case inspect.Metadata(extra={"words": words}):
            fault = _short_fault(value, path)
            if not fault and value not in words:
                fault = f"{path} must be one of {', '.join(words)}."
        case inspect.Metadata(extra={"printable": True}):
            fault = _short_fault(value, path)
        case inspect.Metadata(type=inner):
            fault = _fault(inner, value, path)
        case inspect.IntType() | inspect.FloatType() | inspect.LiteralType() | inspect.StrType():
            fault = _plain_fault(form, value, path)
        case inspect.ListType(inspect.LiteralType(values)):
            fault = _list_fault(value, values, path)
        case _:
            raise TypeError(f"no sentence for {form}")
    return fault


def _plain_fault(
    form: inspect.IntType | inspect.FloatType | inspect.LiteralType | inspect.StrType,
    value: object,
    path: str,
) -> str:
    match form:
        case inspect.IntType(ge=low, le=high):
            fits = type(value) is int and low <= value <= high  # type: ignore[operator]
            wanted = f"a whole number from {low} to {high}"
        case inspect.FloatType(ge=low, le=high):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            fits = is_number and low <= value <= high  # type: ignore[operator]
            wanted = f"a number from {low} to {high}"
        case inspect.LiteralType(values):
            fits = value in values
            wanted = f"one of {', '.join(map(str, values))}"
        case inspect.StrType(min_length=least, max_length=most, pattern=pattern):
            fits = (
                isinstance(value, str)
                and (least or 0) <= len(value) <= (len(value) if most is None else most)
                and (pattern is None or re.fullmatch(pattern, value) is not None)
            )
            wanted = f"a string of {least} to {most} characters"
    return "" if fits else f"{path} must be {wanted}."


def _object_fault(value: object, fields: tuple[inspect.Field, ...], path: str) -> str:
    if not isinstance(value, dict):
        return f"{path} must be an object."
    within = f"{path}." if path else ""
    faults = (
        _fault(each.type, value.get(each.encode_name), within + each.encode_name)
        for each in fields
        if each.required or each.encode_name in value
    )
    return next(filter(None, faults), "")


def _short_fault(value: object, path: str) -> str:
    fits = isinstance(value, str) and len(value) <= SHORT_CHARS and value.isprintable()
    return "" if fits else f"{path} must be a short string of printable text."


def _list_fault(value: object, words: tuple[object, ...], path: str) -> str:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return f"{path} must be a list of strings."
    unknown = sorted(set(value) - set(map(str, words)))
    if not unknown:
        return ""
    there = ", ".join(sorted(map(str, words)))
    return f"{path} has no group {unknown[0][:64]!a}; there are: {there}."

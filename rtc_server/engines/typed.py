"""Data classes to plain JSON values and back, each field checked against its type.

Known are: str, int, float, bool, `Path`, enums of str, data classes, tuples, mappings by str, and
any of them or None. Types are taken from the annotations alone; nothing that is read can choose
what is made of it.
"""

import dataclasses
from collections.abc import Callable, Hashable, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

import numpy as np

from rtc_server.pcm import Samples


class WrongType(Exception):
    """A value is not of the type that its place has."""


def to_plain(value: object, put_array: Callable[[Samples], int]) -> Any:
    """Return `value` as JSON holds it. `put_array` is given each array, and gives its stand-in.

    A field that has its default is left out: a reader of an earlier version, which refuses fields
    that it does not know, then reads whatever does without the newer ones.

    Raises:
        WrongType: there is no such thing in a message.
    """
    match value:
        case StrEnum() | Path():
            return str(value)
        case bool() | int() | float() | str() | None:
            return value
        case tuple() | list():
            return [to_plain(each, put_array) for each in value]
        case Mapping():
            return {str(key): to_plain(each, put_array) for key, each in value.items()}
        case np.ndarray() if value.dtype == np.float32 and value.ndim == 1:
            return put_array(value)
    if dataclasses.is_dataclass(value):
        return {
            field.name: to_plain(getattr(value, field.name), put_array)
            for field in dataclasses.fields(value)
            if not _is_default(field, getattr(value, field.name))
        }
    raise WrongType(f"{type(value).__name__} cannot be sent")


def _is_default(field: "dataclasses.Field[Any]", value: object) -> bool:
    default = field.default
    if default is dataclasses.MISSING or type(value) is not type(default):
        return False
    return not isinstance(value, np.ndarray) and bool(value == default)


def from_plain(kind: type[Any], value: Any, take_array: Callable[[int], Samples]) -> Any:
    """Return what `to_plain` was given, a data class `kind`; fields may be left out that have a
    default. `take_array` is given the stand-in of each array.

    Raises:
        WrongType: it is something else.
    """
    fields = _fields(cast(Hashable, kind))
    if not isinstance(value, dict) or not value.keys() <= fields.keys():
        raise WrongType(f"no {kind.__name__}")
    read = {name: _read(fields[name], each, take_array) for name, each in value.items()}
    try:
        return kind(**read)
    except TypeError:
        raise WrongType(f"no whole {kind.__name__}") from None


def _read(kind: Any, value: Any, take_array: Callable[[int], Samples]) -> Any:
    if kind in (str, int, bool):
        wanted = kind
    elif kind is float:
        wanted = (int, float)
    elif kind is Path or (isinstance(kind, type) and issubclass(kind, StrEnum)):
        return _made(kind, value)
    elif isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return from_plain(kind, value, take_array)
    else:
        return _read_many(kind, value, take_array)
    if isinstance(value, bool) is not (kind is bool) or not isinstance(value, wanted):
        raise WrongType(f"no {kind.__name__}")
    return value


def _made(kind: Callable[[str], object], value: Any) -> object:
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise WrongType("no such choice, or no path") from None


def _read_many(kind: Any, value: Any, take_array: Callable[[int], Samples]) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType and inner[1:] == (NoneType,):
        return None if value is None else _read(inner[0], value, take_array)
    if origin is tuple and isinstance(value, list):
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        if len(kinds) == len(value):
            return tuple(
                _read(each, item, take_array) for each, item in zip(kinds, value, strict=True)
            )
    if origin is Mapping and isinstance(value, dict):
        return {key: _read(inner[1], item, take_array) for key, item in value.items()}
    if origin is np.ndarray and type(value) is int:
        return take_array(value)
    raise WrongType(f"no {kind}")


@cache
def _fields(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}

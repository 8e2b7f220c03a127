"""Data classes to plain JSON values and back, each field checked against its type.

Supported types: str, int, float, bool, `Path`, enums of str, data classes, tuples, mappings with
str keys, any of them or None, and unions of those that JSON distinguishes: str, int, float, bool, a
tuple. The annotations alone choose the types; the data cannot.
"""

import dataclasses
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import MISSING
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeAlias, cast, get_args, get_origin, get_type_hints

import numpy as np

from rtc_server.pcm import Samples

_TakeArray: TypeAlias = Callable[[int], Samples]
_Reader: TypeAlias = Callable[[Any, _TakeArray], Any]
_AS_IT_IS = frozenset({str, int, float, bool, NoneType})
"""Types that JSON has itself."""


class WrongType(Exception):
    """Value of another type than its annotation."""


def to_plain(value: object, put_array: Callable[[Samples], int]) -> Any:
    """Return `value` as JSON types; `put_array` returns the int that replaces an array.

    Fields with their default value are left out, so that a reader of an earlier version, which
    refuses unknown fields, can read messages that do not use newer ones.

    Raises:
        WrongType: a part of it is of a type that is not supported.
    """
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    fields = _written(cast(Hashable, kind))
    if fields is None:
        return _unstructured(value, put_array)
    plain: dict[str, Any] = {}
    for name, default in fields:
        each = getattr(value, name)
        if type(each) is not type(default) or each != default:
            plain[name] = each if type(each) in _AS_IT_IS else to_plain(each, put_array)
    return plain


def _unstructured(value: object, put_array: Callable[[Samples], int]) -> Any:
    match value:
        case np.ndarray() if value.dtype == np.float32 and value.ndim == 1:
            return put_array(value)
        case StrEnum() | Path():
            return str(value)
        case bool() | int() | float() | str():
            return value
        case tuple() | list():
            return [to_plain(each, put_array) for each in value]
        case Mapping():  # the last: its check, of an abstract class, takes the longest
            return {str(key): to_plain(each, put_array) for key, each in value.items()}
    raise WrongType(f"{type(value).__name__} cannot be sent")


@cache
def _written(kind: type[Any]) -> tuple[tuple[str, object], ...] | None:
    """Return names and defaults of a data class's fields; None if it is no data class.

    For a field without a default, or with an array, the default is an object that equals nothing.
    """
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple(
        (each.name, MISSING if isinstance(each.default, np.ndarray) else each.default)
        for each in dataclasses.fields(kind)
    )


def from_plain(kind: type[Any], value: Any, take_array: Callable[[int], Samples]) -> Any:
    """Return the data class `kind` that `to_plain` made `value` of.

    Fields with a default may be missing. `take_array` takes the int that replaced an array, and
    returns the array.

    Raises:
        WrongType: the value does not fit the annotations of `kind`.
    """
    readers = _readers(cast(Hashable, kind))
    if not isinstance(value, dict):
        raise WrongType(f"no {kind.__name__}")
    read: dict[str, Any] = {}
    for name, each in value.items():
        if (reader := readers.get(name)) is None:
            raise WrongType(f"no {kind.__name__}")
        read[name] = reader(each, take_array)
    try:
        return kind(**read)
    except TypeError:
        raise WrongType(f"no whole {kind.__name__}") from None


@cache
def _readers(kind: Any) -> dict[str, _Reader]:
    hints = get_type_hints(kind)
    return {field.name: _reader(hints[field.name]) for field in dataclasses.fields(kind)}


def _reader(kind: Any) -> _Reader:
    """Return the function that reads a value of an annotated type, made once for each type."""
    if kind in (str, int, bool):
        return partial(_exact, (kind,))
    if kind is float:
        return partial(_exact, (float, int))
    if kind is Path or (isinstance(kind, type) and issubclass(kind, StrEnum)):
        return partial(_made, kind)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return partial(from_plain, kind)
    return _reader_of_many(kind)


def _reader_of_many(kind: Any) -> _Reader:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return _reader_of_choice(inner)
    if origin is tuple:
        if inner[-1] is Ellipsis:
            return partial(_any_number, _reader(inner[0]))
        return partial(_each, [_reader(each) for each in inner])
    if origin is Mapping:
        return partial(_mapped, _reader(inner[1]))
    if origin is np.ndarray:
        return _array
    return partial(_exact, ())


def _reader_of_choice(kinds: Sequence[Any]) -> _Reader:
    """Return the function that reads a value of a union, chosen by the value's type in JSON."""
    if kinds[1:] == (NoneType,):
        return partial(_optional, _reader(kinds[0]))
    by_form = {
        list if get_origin(kind) is tuple else kind: _reader(kind)
        for kind in kinds
        if kind in _AS_IT_IS or get_origin(kind) is tuple
    }
    return partial(_chosen, by_form)


def _chosen(readers: Mapping[type, _Reader], value: Any, take: _TakeArray) -> Any:
    if (reader := readers.get(type(value))) is None:
        raise WrongType("another kind of value")
    return reader(value, take)


def _exact(kinds: tuple[type, ...], value: Any, _take: _TakeArray) -> Any:
    if type(value) not in kinds:  # not isinstance: True is an int
        raise WrongType("another kind of value")
    return value


def _made(kind: Callable[[str], object], value: Any, _take: _TakeArray) -> object:
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise WrongType("no such choice, or no path") from None


def _optional(reader: _Reader, value: Any, take: _TakeArray) -> Any:
    return None if value is None else reader(value, take)


def _any_number(reader: _Reader, value: Any, take: _TakeArray) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise WrongType("no list")
    return tuple(reader(each, take) for each in value)


def _each(readers: Sequence[_Reader], value: Any, take: _TakeArray) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) != len(readers):
        raise WrongType("no list, or one of another length")
    return tuple(reader(each, take) for reader, each in zip(readers, value, strict=True))


def _mapped(reader: _Reader, value: Any, take: _TakeArray) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongType("no mapping")
    return {key: reader(each, take) for key, each in value.items()}


def _array(value: Any, take: _TakeArray) -> Samples:
    if type(value) is not int:
        raise WrongType("no array")
    return take(value)

"""Orders that the supervisor gives to a worker, or to the engines' process, at its start."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_args, get_type_hints

from rtc_server import __version__
from rtc_server.config import EngineSettings, HttpSettings, Settings
from rtc_server.engines.plugin import OptionValue
from rtc_server.engines.registry import Kind


@dataclass(frozen=True, slots=True)
class WorkerOrder:
    """Everything that a worker receives at its start."""

    number: int
    socket_path: str
    """Unix socket to serve HTTP on."""
    settings: Settings


@dataclass(frozen=True, slots=True)
class EngineOrder:
    """Everything that the engines' process receives at its start."""

    number: int
    socket_path: str
    """Unix socket to serve engines on."""
    engines: EngineSettings
    http: HttpSettings
    kinds: tuple[Kind, ...]
    """Engines to hold."""
    plugins: Mapping[str, OptionValue]
    """Options of plug-ins by name."""


def fingerprint() -> bytes:
    """Return 32 bytes that differ where orders of another version would be understood wrongly.

    Values of a pickled order go to fields by their position. The version alone is not enough:
    a checkout changes without it.
    """
    lines = [__version__]
    waiting: list[Any] = [WorkerOrder, EngineOrder]
    seen: set[Any] = set()
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        waiting += get_args(each)
        if isinstance(each, type) and is_dataclass(each):
            hints = get_type_hints(each)
            lines += [f"{each.__qualname__}.{one.name}: {hints[one.name]}" for one in fields(each)]
            waiting += [hints[one.name] for one in fields(each)]
    return hashlib.sha256("\n".join(lines).encode()).digest()

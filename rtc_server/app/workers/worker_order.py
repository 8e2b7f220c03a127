"""Orders that the supervisor gives to a worker, or to the engines' process, at its start."""

from dataclasses import dataclass

from rtc_server.config import EngineSettings, HttpSettings, Settings
from rtc_server.engines.registry import Kind


@dataclass(frozen=True, slots=True)
class WorkerOrder:
    """All that a worker is told at its start."""

    number: int
    socket_path: str
    """Unix socket to serve HTTP on."""
    settings: Settings


@dataclass(frozen=True, slots=True)
class EngineOrder:
    """All that the engines' process is told at its start."""

    number: int
    socket_path: str
    """Unix socket to serve engines on."""
    engines: EngineSettings
    http: HttpSettings
    kinds: tuple[Kind, ...]
    """Engines to hold."""

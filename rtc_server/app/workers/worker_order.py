"""Order that the supervisor gives to a worker at its start."""

from dataclasses import dataclass

from rtc_server.config import Settings


@dataclass(frozen=True, slots=True)
class WorkerOrder:
    """All that a worker is told at its start."""

    number: int
    settings: Settings
    socket_path: str
    """Unix socket to serve HTTP on."""

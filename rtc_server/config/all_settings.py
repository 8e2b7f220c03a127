"""All settings together, the rules between sections, and how they are read."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rtc_server.config.usage_settings import UsageSettings
from rtc_server.config.worker_settings import WorkerSettings
from rtc_server.engines.engine_settings import EngineSettings
from rtc_server.errors import ConfigError
from rtc_server.interpreter.interpreter_settings import InterpreterSettings
from rtc_server.interpreter.segmenter_settings import SegmenterSettings
from rtc_server.options import ENV_PREFIX, OptionSources
from rtc_server.rooms.room_settings import RoomSettings
from rtc_server.signaling.access_settings import AccessSettings
from rtc_server.signaling.http_settings import HttpSettings
from rtc_server.transport.transport_settings import TransportSettings

T = TypeVar("T")

SHORTEST_KEY = 16
"""Characters of a key on an address that others reach: shorter ones are guessed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All sections."""

    http: HttpSettings = field(default_factory=HttpSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    transport: TransportSettings = field(default_factory=TransportSettings)
    segmenter: SegmenterSettings = field(default_factory=SegmenterSettings)
    engines: EngineSettings = field(default_factory=EngineSettings)
    interpreter: InterpreterSettings = field(default_factory=InterpreterSettings)
    rooms: RoomSettings = field(default_factory=RoomSettings)
    usage: UsageSettings = field(default_factory=UsageSettings)
    workers: WorkerSettings = field(default_factory=WorkerSettings)

    def __post_init__(self) -> None:
        self._check_key()
        if self.needs_key():
            return
        if not self.http.is_loopback():
            raise ConfigError(
                f"Listening on {self.http.host} would let anyone use this server. Set an API key "
                f"(--api-key or {ENV_PREFIX}API_KEY, or --api-keys), or listen on 127.0.0.1."
            )
        if "*" in self.access.cors_origins:
            raise ConfigError(
                "--cors-origins * would let every web page use this server without a key. Set an "
                "API key, or name the origins."
            )

    def _check_key(self) -> None:
        """Raise `ConfigError` for a key that would be guessed, or that nobody could use."""
        key = self.http.api_key
        if key.startswith("ek_"):
            raise ConfigError(
                "--api-key begins with ek_, as client secrets do, so it would never be let in. "
                "`openssl rand -hex 32` makes a key."
            )
        if key and len(key) < SHORTEST_KEY and not self.http.is_loopback():
            raise ConfigError(
                f"--api-key has {len(key)} characters; where others reach the server it needs "
                f"{SHORTEST_KEY} or more. `openssl rand -hex 32` makes a key."
            )

    def needs_key(self) -> bool:
        """Return whether callers must show a key or a secret."""
        return bool(self.http.api_key or self.access.api_keys)


SECTIONS: tuple[type[Any], ...] = (
    HttpSettings,
    AccessSettings,
    TransportSettings,
    SegmenterSettings,
    EngineSettings,
    InterpreterSettings,
    RoomSettings,
    UsageSettings,
    WorkerSettings,
)


def load(
    arguments: argparse.Namespace, environ: Mapping[str, str], *sections: type[T]
) -> list[Any]:
    """Return the given sections from parsed flags, the environment and the configuration file.

    Raises:
        ConfigError: a value does not fit, or the environment or the file names a setting that does
            not exist.
    """
    known = tuple(dict.fromkeys((*SECTIONS, *sections)))  # sections of one command count there
    return OptionSources.open(arguments, environ, known).sections(*sections)


def open_sources(arguments: argparse.Namespace, environ: Mapping[str, str]) -> OptionSources:
    """Return the places that settings come from. Raises `ConfigError`, as `load`."""
    return OptionSources.open(arguments, environ, SECTIONS)


def load_settings(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    """Return all sections, checked together."""
    return Settings(*load(arguments, environ, *SECTIONS))

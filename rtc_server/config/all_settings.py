"""All settings together, the rules between sections, and how they are read."""

import argparse
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar, get_args

from rtc_server.config.cluster_settings import ClusterSettings
from rtc_server.config.plugin_sections import PluginSections, plugin_sections, values_of
from rtc_server.config.plugin_values import checked
from rtc_server.config.usage_settings import UsageSettings
from rtc_server.config.worker_settings import WorkerSettings
from rtc_server.engines.engine_settings import EngineSettings
from rtc_server.engines.plugin import Kind, OptionValue
from rtc_server.errors import ConfigError
from rtc_server.interpreter.interpreter_settings import InterpreterSettings
from rtc_server.interpreter.segmenter_settings import SegmenterSettings
from rtc_server.options import ENV_PREFIX, OptionSources, settings_fields
from rtc_server.rooms.room_settings import RoomSettings
from rtc_server.signaling.access_settings import AccessSettings
from rtc_server.signaling.http_settings import HttpSettings
from rtc_server.transport.transport_settings import TransportSettings

T = TypeVar("T")

SHORTEST_KEY = 16
"""Characters of a key on an address that others reach: shorter ones are guessed."""
_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Settings:
    """All sections, and the options of plug-ins."""

    http: HttpSettings = field(default_factory=HttpSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    transport: TransportSettings = field(default_factory=TransportSettings)
    segmenter: SegmenterSettings = field(default_factory=SegmenterSettings)
    engines: EngineSettings = field(default_factory=EngineSettings)
    interpreter: InterpreterSettings = field(default_factory=InterpreterSettings)
    rooms: RoomSettings = field(default_factory=RoomSettings)
    usage: UsageSettings = field(default_factory=UsageSettings)
    workers: WorkerSettings = field(default_factory=WorkerSettings)
    plugins: Mapping[str, OptionValue] = field(default_factory=dict, hash=False)
    """Options of plug-ins by name; one that is absent has its default."""

    def __post_init__(self) -> None:
        if self.plugins:
            object.__setattr__(self, "plugins", checked(self.plugins, plugins().sections))
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
                "--api-key begins with ek_, as client secrets do, so it would never be accepted. "
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


COMMAND_OPTIONS: Final = frozenset(
    {"config", "print_config", "help", "url", "listen", "only", "engine", "language", "output"}
)
"""Options of commands that read plug-ins' options beside them; they are no settings."""


def plugins() -> PluginSections:
    """Return the sections of installed plug-ins."""
    own = settings_fields(*SECTIONS, ClusterSettings)
    return plugin_sections(COMMAND_OPTIONS.union(fld.name for _, fld, _ in own))


def sections() -> tuple[type[Any], ...]:
    """Return all sections: the server's own, then those of installed plug-ins."""
    return (*SECTIONS, *plugins().sections)


def load(arguments: argparse.Namespace, environ: Mapping[str, str], *wanted: type[T]) -> list[Any]:
    """Return the given sections from parsed flags, the environment and the configuration file.

    Raises:
        ConfigError: a value does not fit, or the environment or the file names a setting that does
            not exist.
    """
    return open_sources(arguments, environ, *wanted).sections(*wanted)


def load_with_plugins(
    arguments: argparse.Namespace,
    environ: Mapping[str, str],
    *wanted: type[T],
    starts: Collection[Kind] = _KINDS,
) -> tuple[list[Any], dict[str, OptionValue]]:
    """Return the same and the options of plug-ins.

    `starts`: kinds of the engines that the command starts, of those that the settings name.

    Raises:
        ConfigError: as `load`; or one of the engines to start claims an option of another.
    """
    installed = plugins()
    loaded = load(arguments, environ, *wanted, *installed.sections)
    own, others = loaded[: len(wanted)], loaded[len(wanted) :]
    for each in own:
        if isinstance(each, EngineSettings):
            for sentence in engine_clashes(each, starts):
                raise ConfigError(sentence)
    return own, values_of(others)


def engine_clashes(engines: EngineSettings, starts: Collection[Kind] = _KINDS) -> list[str]:
    """Return a sentence for each engine to start that claims an option of another.

    `starts`: kinds, as of `load_with_plugins`.
    """
    # Servers that are named have engines of their own.
    chosen: dict[Kind, str] = {}
    if not engines.ast_servers:
        chosen["ast"] = engines.ast
    if not engines.tts_servers:
        chosen["tts"] = engines.tts
    installed = plugins()
    found = (installed.clashes.get(each) for each in chosen.items() if each[0] in starts)
    return [sentence for sentence in found if sentence]


def open_sources(
    arguments: argparse.Namespace, environ: Mapping[str, str], *wanted: type[Any]
) -> OptionSources:
    """Return the places that settings come from. Raises `ConfigError`, as `load`.

    `wanted`: sections of one command, which count there.
    """
    known = tuple(dict.fromkeys((*sections(), *wanted)))
    return OptionSources.open(arguments, environ, known, plugins().faults)


def load_settings(
    arguments: argparse.Namespace,
    environ: Mapping[str, str],
    *,
    starts: Collection[Kind] = _KINDS,
) -> Settings:
    """Return all sections, checked together. `starts`: as of `load_with_plugins`."""
    own, others = load_with_plugins(arguments, environ, *SECTIONS, starts=starts)
    return replace(Settings(*own), plugins=others)

"""Engines: which, their options, queues and deadlines."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from rtc_server.engine_sets import EMBEDDED, ENGINE_SETS
from rtc_server.engines.plugin import Kind, OptionValue
from rtc_server.errors import ConfigError
from rtc_server.options import option
from rtc_server.options.option import hidden, hidden_query

if TYPE_CHECKING:
    from rtc_server.engines.base import EngineOptions

NO_PLUGINS: Final[Mapping[str, OptionValue]] = MappingProxyType({})
"""Values of plug-ins' options where nobody gave one."""
SHORTEST_TOKEN = 16
"""Characters of a token: shorter ones are guessed."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Engine settings: engines in use, their deadlines and queues."""

    engines: str = option(
        EMBEDDED,
        "set of engines, which sets --ast and --tts: embedded (a phrasebook), laptop (any "
        "sentence, on any CPU), gpu (any sentence, on an NVIDIA GPU)",
        choices=tuple(ENGINE_SETS),
    )
    ast: str = option(
        "", "speech translation engine (see `rtc-server engines`); default: the set's"
    )
    tts: str = option("", "speech synthesis engine (see `rtc-server engines`); default: the set's")
    canary_model: str = option(
        "nvidia/canary-1b-v2",
        "Canary's model: a .nemo file (canary), a folder (canary-hf), or the name of a fetched "
        "model",
    )
    canary_heads: str = option(
        "-2",
        "attention heads of Canary's decoder that give the times of words (canary): layers "
        "separated by spaces, each with or without heads (docs/canary.md)",
    )
    models_dir: str = option(
        "", "folder of fetched models; by default rtc-server/models in your cache folder"
    )
    silero_models: tuple[str, ...] = option(
        (),
        "models for the silero engine, comma separated (see `rtc-server models list`); by "
        "default the usual model of each language that was fetched",
    )
    piper_voices: tuple[Path, ...] = option(
        (), "voices (.onnx files) or folders of them for the piper engine, comma separated"
    )
    device: str = option(
        "auto",
        "device on which models compute; auto takes a GPU if there is one",
        choices=("auto", "cpu", "cuda"),
    )
    tts_device: str = option(
        "",
        "device on which voices compute; default: that of --device. Silero is fast on a CPU",
        choices=("auto", "cpu", "cuda"),
    )
    engine_threads: int = option(
        0,
        "CPU threads of one engine call (laptop, piper); 0 takes the cores less one",
        low=0,
        high=256,
    )
    ast_deadline_s: float = option(
        0.0,
        "seconds without a sign of work, during a translation, after which the engine is "
        "restarted; 0 takes the engine's own limit",
        low=0,
        high=120,
    )
    tts_deadline_s: float = option(
        0.0,
        "the same while the next piece of speech is synthesized",
        low=0,
        high=120,
    )
    engine_patience_s: float = option(
        30.0,
        "seconds beyond its limit that a call may take while its engine works, as on a busy "
        "machine; calls behind it may wait longer by the same time",
        low=0,
        high=600,
    )
    engine_wait_s: float = option(
        5.0,
        "seconds for which a segment or a text may wait for its turn before it fails; up to "
        "--engine-patience-s more while a call takes more than half of that, or while the engine "
        "is restarted",
        low=0.5,
        high=120,
    )
    engine_answer_s: float = option(
        1.0,
        "new calls are refused while, with one more, one answer in 20 would take longer than "
        "this many seconds; 0 never refuses",
        low=0,
        high=120,
    )
    engine_start_s: float = option(
        300.0, "seconds that an engine may take to load and warm up", low=1, high=3600
    )
    engine_memory_mb: int = option(
        0,
        "limit of the address space of each engine's process, in MB; 0 for no limit, which CUDA "
        "needs",
        low=0,
        high=100_000_000,
    )
    ast_processes: int = option(
        1,
        "number of processes of the translation engine, which share one queue; each loads the "
        "model",
        low=1,
        high=64,
    )
    ast_servers: tuple[str, ...] = option(
        (),
        "engine servers that translate, instead of a process of this server, comma separated: "
        "HOST:PORT (by TLS, unless it is loopback), ws://HOST:PORT, unix:PATH, or the URL of a "
        "directory that lists some, such as a Ray cluster's (docs/scaling.md)",
        mask=hidden_query,
    )
    tts_servers: tuple[str, ...] = option((), "the same for speech", mask=hidden_query)
    engine_token: str = option(
        "",
        "secret that engine servers share with their clients, 16 characters or more",
        mask=hidden,
    )
    engine_token_file: str = option("", "file that holds the secret, instead of --engine-token")
    engine_ca: str = option(
        "", "CA certificates (PEM) to verify engine servers with; by default the system's"
    )
    ast_queue: int = option(
        64, "segments of all sessions that may wait for translation", low=1, high=10_000
    )
    tts_queue: int = option(
        64, "texts of all sessions that may wait for synthesis", low=1, high=10_000
    )

    def __post_init__(self) -> None:
        for name in ("ast", "tts"):  # filled here, once: nobody else reads the set's choice
            if not getattr(self, name):
                object.__setattr__(self, name, getattr(ENGINE_SETS[self.engines], name))
        check_engine_token(self.engine_token)
        if self.ast_servers or self.tts_servers:
            # Here: a server that runs its engines itself loads nothing of the pool.
            from rtc_server.engines.remote.server_lists import check_server  # noqa: PLC0415

            for server in (*self.ast_servers, *self.tts_servers):
                check_server(server)

    def options(
        self, kind: Kind, plugins: Mapping[str, OptionValue] = NO_PLUGINS, engine: str = ""
    ) -> "EngineOptions":
        """Return what the factory of the engine of a kind may read of the settings.

        Args:
            kind: kind of the engine.
            plugins: values of plug-ins' options by name (`Settings.plugins`).
            engine: another engine than the one in use.
        """
        # Here: the command reads settings for its help, and these bring the numerics.
        from rtc_server.engines.base import EngineOptions  # noqa: PLC0415
        from rtc_server.engines.own_options import own_options  # noqa: PLC0415
        from rtc_server.model_files import models_folder  # noqa: PLC0415

        own_device = self.tts_device if kind == "tts" else ""
        books = plugins.get("phrasebook", ())
        return EngineOptions(
            # Engines of others, written before `own` was there, read the operator's books here.
            phrasebooks=tuple(map(Path, books)) if isinstance(books, tuple) else (),
            canary_model=self.canary_model,
            canary_heads=self.canary_heads,
            models_dir=models_folder(self.models_dir),
            silero_models=self.silero_models,
            piper_voices=self.piper_voices,
            device=own_device or self.device,
            threads=self.engine_threads,
            own=own_options(kind, engine or getattr(self, kind), plugins),
        )


def check_engine_token(token: str) -> None:
    """Raise `ConfigError` for a token that would be guessed, or that no header can carry."""
    if token and len(token) < SHORTEST_TOKEN:
        raise ConfigError(
            f"The engine token has {len(token)} characters; it needs {SHORTEST_TOKEN} or more. "
            "`openssl rand -hex 32` makes one."
        )
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ConfigError("The engine token may hold printable ASCII without spaces only.")

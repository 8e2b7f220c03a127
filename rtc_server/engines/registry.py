"""Names of engines and where each lives. Nothing here imports an engine.

An engine of your own needs no entry: ``--ast my_module:create`` takes any importable factory.
"""

import importlib.util
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rtc_server.engines.base import EngineCard
from rtc_server.engines.extras import install_command
from rtc_server.errors import EngineUnavailable

Kind: TypeAlias = Literal["ast", "tts"]

CANARY_LANGUAGES = (
    *("bg", "hr", "cs", "da", "nl", "en", "et", "fi", "fr", "de", "el", "hu", "it"),
    *("lv", "lt", "mt", "pl", "pt", "ro", "sk", "sl", "es", "sv", "ru", "uk"),
)
"""The 25 languages of PROTOCOL.md, as ISO 639-1 codes."""


@dataclass(frozen=True, slots=True)
class _Known:
    """An engine that this package carries."""

    kind: Kind
    """Kind of engine."""
    name: str
    """The name it is chosen by."""
    factory: str
    """``module:function``."""
    title: str
    """The name people read."""
    licence: str
    """Licence of code and weights."""
    languages: tuple[str, ...]
    """Source languages (AST) or spoken languages (TTS)."""
    needs: tuple[str, ...]
    """Top-level modules without which it cannot start."""
    extra: str = ""
    """The extra that brings them; none for what every installation has."""
    loads: tuple[str, ...] = ()
    """Kinds of models of the catalogue that it loads."""


_ENGINES = (
    _Known(
        kind="ast",
        name="phrasebook",
        factory="rtc_server.engines.phrasebook.engine:create",
        title="Phrasebook",
        licence="Apache-2.0; PocketSphinx BSD-2-Clause; eSpeak NG GPL-3.0-or-later",
        languages=("en", "ru"),
        needs=("pocketsphinx", "espeakng_loader"),
    ),
    _Known(
        kind="ast",
        name="laptop",
        factory="rtc_server.engines.cascade.engine:create",
        title="Recogniser and Firefox translation, without a GPU",
        licence="GigaAM MIT; Parakeet CC BY 4.0; Firefox translation models MPL-2.0",
        languages=CANARY_LANGUAGES,
        needs=("onnxruntime", "fxtranslate"),
        extra="laptop",
        loads=("recognizer", "translation"),
    ),
    _Known(
        kind="ast",
        name="canary",
        factory="rtc_server.engines.canary.engine:create",
        title="NVIDIA Canary (NeMo)",
        licence="weights CC-BY-4.0; NeMo Apache-2.0",
        languages=CANARY_LANGUAGES,
        needs=("torch", "nemo"),
        extra="canary",
        loads=("canary",),
    ),
    _Known(
        kind="ast",
        name="canary-hf",
        factory="rtc_server.engines.canary.engine:create_hf",
        title="NVIDIA Canary (transformers)",
        licence="weights CC-BY-4.0; transformers Apache-2.0",
        languages=CANARY_LANGUAGES,
        needs=("torch", "transformers"),
        extra="canary-hf",
        loads=("canary-hf",),
    ),
    _Known(
        kind="ast",
        name="canary-onnx",
        factory="rtc_server.engines.canary.engine:create_onnx",
        title="NVIDIA Canary (ONNX Runtime)",
        licence="weights CC-BY-4.0; ONNX Runtime MIT",
        languages=CANARY_LANGUAGES,
        needs=("onnxruntime",),
        extra="canary-onnx",
        loads=("canary-onnx",),
    ),
    _Known(
        kind="tts",
        name="espeak",
        factory="rtc_server.engines.espeak.engine:create",
        title="eSpeak NG",
        licence="GPL-3.0-or-later (code and voices), in a process of its own",
        languages=CANARY_LANGUAGES,
        needs=("espeakng_loader",),
    ),
    _Known(
        kind="tts",
        name="silero",
        factory="rtc_server.engines.silero.engine:create",
        title="Silero",
        licence="voices CC BY-NC-SA 4.0, not for commercial use; v5_cis_base (ru, uk) MIT",
        languages=("ru", "uk", "en", "de", "es", "fr"),
        needs=("torch", "ru_normalizr", "num2words"),
        extra="silero",
        loads=("silero",),
    ),
    _Known(
        kind="tts",
        name="piper",
        factory="rtc_server.engines.piper.engine:create",
        title="Piper",
        licence="GPL-3.0-or-later, in a process of its own; each voice has its own licence",
        languages=(),
        needs=("piper",),
        extra="piper",
        loads=("piper",),
    ),
    _Known(
        kind="tts",
        name="auto",
        factory="rtc_server.engines.best_tts:create",
        title="The best that is here: Silero, else Piper, else eSpeak NG, for each language",
        licence="that of each engine",
        languages=CANARY_LANGUAGES,
        needs=("espeakng_loader",),
        loads=("silero", "piper"),
    ),
)


def names(kind: Kind) -> tuple[str, ...]:
    """Return the engines of a kind that this package carries, the default first."""
    return tuple(engine.name for engine in _ENGINES if engine.kind == kind)


def ast_names() -> tuple[str, ...]:
    """Return the speech translation engines, the default first."""
    return names("ast")


def tts_names() -> tuple[str, ...]:
    """Return the speech synthesis engines, the default first."""
    return names("tts")


def resolve(kind: Kind, name: str) -> str:
    """Return ``module:function`` of an engine's factory; a name of that form stands for itself.

    Raises:
        EngineUnavailable: no such engine, or something that it needs is not installed.
    """
    if ":" in name:
        return name
    for engine in _ENGINES:
        if (engine.kind, engine.name) == (kind, name):
            if missing := _missing(engine):
                raise EngineUnavailable(missing)
            return engine.factory
    raise EngineUnavailable(
        f"There is no {kind.upper()} engine named {name}. There is: {', '.join(names(kind))}; "
        "or module:factory for one of your own."
    )


def kinds_loaded(ast: str, tts: str) -> frozenset[str]:
    """Return the kinds of models of the catalogue that two engines load."""
    chosen = {("ast", ast), ("tts", tts)}
    return frozenset(
        kind for engine in _ENGINES if (engine.kind, engine.name) in chosen for kind in engine.loads
    )


def cards() -> tuple[EngineCard, ...]:
    """Return every engine that this package carries, installed or not, without loading any."""
    return tuple(
        EngineCard(
            kind=engine.kind,
            name=engine.name,
            title=engine.title,
            licence=engine.licence,
            languages=engine.languages,
            installed=not _missing(engine),
            missing=_missing(engine),
        )
        for engine in _ENGINES
    )


def _missing(engine: _Known) -> str:
    """Return the sentence that says what to install, or nothing."""
    absent = [module for module in engine.needs if importlib.util.find_spec(module) is None]
    if not absent:
        return ""
    return (
        f"Engine {engine.name} needs {' and '.join(absent)}, not installed here. "
        f"Run: {install_command(engine.extra)}"
    )

"""Names of engines and the factory of each. Nothing here loads an engine.

The engines of this package are in a table; others, the phrasebook among them, are found by entry
points (`plugin_discovery`). For an engine in neither, ``--ast my_module:create`` takes any
importable factory.
"""

import importlib.util
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TypeAlias

from rtc_server.engines import plugin
from rtc_server.engines.base import EngineCard, EngineOptions
from rtc_server.engines.extras import install_command
from rtc_server.engines.plugin import EnginePlugin, PhraseTopic
from rtc_server.engines.plugin_discovery import OWN_PACKAGE, FoundPlugin, found_plugins
from rtc_server.error_location import location_of
from rtc_server.errors import EngineUnavailable, RtcServerError

Kind: TypeAlias = plugin.Kind

CANARY_LANGUAGES = (
    *("bg", "hr", "cs", "da", "nl", "en", "et", "fi", "fr", "de", "el", "hu", "it"),
    *("lv", "lt", "mt", "pl", "pt", "ro", "sk", "sl", "es", "sv", "ru", "uk"),
)
"""The 25 languages of NVIDIA Canary, as ISO 639-1 codes."""


@dataclass(frozen=True, slots=True)
class _Known:
    """An engine that can be chosen."""

    kind: Kind
    """Kind of engine."""
    name: str
    """Name by which options choose it."""
    factory: str
    """``module:function``."""
    title: str
    """Name that people read."""
    licence: str
    """Licence of code and weights."""
    languages: tuple[str, ...]
    """Source languages (AST) or spoken languages (TTS)."""
    needs: tuple[str, ...]
    """Top-level modules that it cannot start without."""
    extra: str = ""
    """Extra of this package that installs them; empty if every installation has them."""
    loads: tuple[str, ...] = ()
    """Kinds of the catalogue's models that it loads."""
    package: str = ""
    """Distribution of a plug-in; empty for an engine of this package."""
    install: str = ""
    """Command that installs what it needs; empty for the usual one with `extra`."""


_ENGINES = (
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
        title="The best one installed: Silero, else Piper, else eSpeak NG, for each language",
        licence="that of each engine",
        languages=CANARY_LANGUAGES,
        needs=("espeakng_loader",),
        loads=("silero", "piper"),
    ),
)


def names(kind: Kind) -> tuple[str, ...]:
    """Return the engines of a kind, the default first."""
    return tuple(dict.fromkeys(each.name for each in _engines() if each.kind == kind))


def ast_names() -> tuple[str, ...]:
    """Return the speech translation engines, the default first."""
    return names("ast")


def tts_names() -> tuple[str, ...]:
    """Return the speech synthesis engines, the default first."""
    return names("tts")


def resolve(kind: Kind, name: str) -> str:
    """Return ``module:function`` of an engine's factory; a name of that form stands for itself.

    Raises:
        EngineUnavailable: no such engine, two of one name, one that its package describes wrongly,
            or something that it needs is not installed.
    """
    if ":" in name:
        return name
    fitting = [each for each in _engines(name) if (each.kind, each.name) == (kind, name)]
    if len(fitting) > 1:
        raise EngineUnavailable(_claimed_twice(fitting))
    for engine in fitting:
        if missing := _missing(engine):
            raise EngineUnavailable(missing)
        return engine.factory
    for fault in faults(name):
        raise EngineUnavailable(fault)
    raise EngineUnavailable(
        f"There is no {kind.upper()} engine named {name}. Choose {', '.join(names(kind))}, "
        "or module:factory for one of your own."
    )


def faults(name: str = "") -> tuple[str, ...]:
    """Return a sentence for each engine, or each of a name, whose package describes it wrongly."""
    return tuple(each.fault for each in found_plugins(name) if each.fault)


def phrases(name: str, source: str, target: str, options: EngineOptions) -> tuple[PhraseTopic, ...]:
    """Return the phrases that the AST engine `name` understands; empty if it has no list of them.

    Raises:
        ConfigError: a file of phrases is wrong.
        EngineUnavailable: the package that brings the engine cannot list them.
    """
    for found in found_plugins(name):
        if found.plugin and found.plugin.kind == "ast" and found.plugin.phrases:
            try:
                topics = tuple(resolve_name(found.plugin.phrases)(source, target, options))
            except RtcServerError:
                raise
            except (Exception, SystemExit) as error:  # code of another package
                reason = f"cannot list its phrases: {location_of(error)}"
                raise EngineUnavailable(found.complaint(reason)) from None
            if not all(isinstance(each, PhraseTopic) for each in topics):
                raise EngineUnavailable(found.complaint("lists phrases that are no PhraseTopic"))
            return topics
    return ()


def kinds_loaded(ast: str, tts: str) -> frozenset[str]:
    """Return the kinds of models of the catalogue that two engines load."""
    chosen = {("ast", ast), ("tts", tts)}
    return frozenset(
        kind for engine in _ENGINES if (engine.kind, engine.name) in chosen for kind in engine.loads
    )


def cards() -> tuple[EngineCard, ...]:
    """Return every engine, installed or not, without loading any."""
    engines = tuple(_engines())
    shown = []
    for engine in engines:
        rivals = [each for each in engines if (each.kind, each.name) == (engine.kind, engine.name)]
        missing = _claimed_twice(rivals) if len(rivals) > 1 else _missing(engine)
        shown.append(
            EngineCard(
                kind=engine.kind,
                name=engine.name,
                title=engine.title,
                licence=engine.licence,
                languages=engine.languages,
                installed=not missing,
                missing=missing,
                extra={"package": engine.package} if engine.package else {},
            )
        )
    return tuple(shown)


def _engines(name: str = "") -> Iterator[_Known]:
    """Yield plug-ins of this package, then its table, then others' plug-ins; of a name, or all."""
    plugins = [
        (each.is_own, _known(each, each.plugin)) for each in found_plugins(name) if each.plugin
    ]
    yield from (engine for is_own, engine in plugins if is_own)
    yield from _ENGINES
    yield from (engine for is_own, engine in plugins if not is_own)


def _known(found: FoundPlugin, described: EnginePlugin) -> _Known:
    again = shlex.join([sys.executable, "-m", "pip", "install", found.package])
    return _Known(
        kind=described.kind,
        name=found.name,
        factory=described.create,
        title=described.title,
        licence=described.licence,
        languages=described.languages,
        needs=described.needs,
        package="" if found.is_own else found.origin,
        install=described.install or ("" if found.is_own else again),
    )


def _claimed_twice(rivals: list[_Known]) -> str:
    packages = " and ".join(each.package or OWN_PACKAGE for each in rivals)
    return (
        f"Several packages bring an {rivals[0].kind.upper()} engine named {rivals[0].name}: "
        f"{packages}. Remove all but one, or choose by module:factory."
    )


def _missing(engine: _Known) -> str:
    """Return a sentence that says what to install; empty if nothing is missing."""
    absent = [module for module in engine.needs if not _is_installed(module)]
    if not absent:
        return ""
    return (
        f"Engine {engine.name} needs {' and '.join(absent)}, not installed here. "
        f"Run: {engine.install or install_command(engine.extra)}"
    )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # imported already, by something that gave it no spec
        return True

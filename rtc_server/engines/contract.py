"""Contract between this server and an engine of anybody's package: all that an engine may import.

In go `EngineOptions` to the engine's factory and requests to its methods; out come capabilities,
results and chunks of speech. docs/plugins.md has it as a guide, with an example.

Read `EnginePlugin` first, which a package names by an entry point of the group `ENTRY_POINTS`; then
`Ast` and `Tts`. `beat` is a sign of work inside a long call. Names listed here stay as they are
while `CONTRACT_VERSION` does; everything else in this package may change in any release.

A description of an engine is read by every command, so what it needs of this module loads nothing
more; the rest, with the numerics, is loaded when it is first used (PEP 562).
"""

import importlib
from typing import TYPE_CHECKING

from rtc_server.engines.heartbeat import beat
from rtc_server.engines.plugin import (
    CONTRACT_VERSION,
    ENTRY_POINTS,
    EnginePlugin,
    Kind,
    OptionValue,
    PhraseExample,
    PhraseTopic,
    PluginOption,
)
from rtc_server.errors import ConfigError, EngineError, EngineUnavailable

if TYPE_CHECKING:
    from rtc_server.engines.base import (
        Ast,
        AstCapabilities,
        AstRequest,
        AstResult,
        AstStatus,
        EngineOptions,
        NearPhrase,
        Pair,
        Texts,
        Tts,
        TtsCapabilities,
        TtsRequest,
        WordTime,
    )
    from rtc_server.engines.extras import install_command
    from rtc_server.pcm import SPEECH_RATE, Samples, centered, from_int16, to_int16

__all__ = [
    "CONTRACT_VERSION",
    "ENTRY_POINTS",
    "SPEECH_RATE",
    "Ast",
    "AstCapabilities",
    "AstRequest",
    "AstResult",
    "AstStatus",
    "ConfigError",
    "EngineError",
    "EngineOptions",
    "EnginePlugin",
    "EngineUnavailable",
    "Kind",
    "NearPhrase",
    "OptionValue",
    "Pair",
    "PhraseExample",
    "PhraseTopic",
    "PluginOption",
    "Samples",
    "Texts",
    "Tts",
    "TtsCapabilities",
    "TtsRequest",
    "WordTime",
    "beat",
    "centered",
    "from_int16",
    "install_command",
    "to_int16",
]

_LOADED_LATER = ("rtc_server.engines.base", "rtc_server.pcm", "rtc_server.engines.extras")


def __getattr__(name: str) -> object:
    """Load a name when it is first used."""
    for module in _LOADED_LATER if name in __all__ else ():
        value: object = getattr(importlib.import_module(module), name, None)
        if value is not None:
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

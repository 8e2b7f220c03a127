"""Contract between this server and an engine of anybody's package: all that an engine may import.

In go `EngineOptions` to the engine's factory and requests to its methods; out come capabilities,
results and chunks of speech. docs/plugins.md has it as a guide, with an example.

Read `EnginePlugin` first, which a package names by an entry point of the group `ENTRY_POINTS`; then
`Ast` and `Tts`. `beat` is a sign of work inside a long call. Names listed here stay as they are
while `CONTRACT_VERSION` does; everything else in this package may change in any release.
"""

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
from rtc_server.engines.heartbeat import beat
from rtc_server.engines.plugin import (
    CONTRACT_VERSION,
    ENTRY_POINTS,
    EnginePlugin,
    Kind,
    PhraseExample,
    PhraseTopic,
)
from rtc_server.errors import ConfigError, EngineError, EngineUnavailable
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
    "Pair",
    "PhraseExample",
    "PhraseTopic",
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

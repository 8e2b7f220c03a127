"""Description of an engine for those who choose one; its package names it by an entry point.

An engine's own code is elsewhere, and is imported by the engine's process alone.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["ast", "tts"]

CONTRACT_VERSION: Final = 1
"""Version of `rtc_server.engines.contract`. It grows when an engine that was written for the one
before could not be used as it is; what is added with a default changes nothing."""
ENTRY_POINTS: Final = "rtc_server.engines"
"""Group of entry points; the name of one is the engine's, as in ``--ast NAME``."""

OptionValue: TypeAlias = str | int | float | bool | tuple[str, ...]
"""Value of an engine's own option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginOption:
    """An option of one engine: flag, environment variable and key of the configuration file."""

    name: str
    """``model_size`` is ``--model-size``, ``RTC_MODEL_SIZE`` and the key ``model-size``."""
    type: object = str
    """`str`, `int`, `float`, `bool` or ``tuple[str, ...]``; a path is a text."""
    default: OptionValue
    """Value where nobody gives one."""
    help: str
    """Half a sentence in one line, in lower case."""
    metavar: str = ""
    """Word for the value in ``--help``, in capitals; empty for one by the type."""
    choices: tuple[str, ...] = ()
    """All values that a text may have, besides the default; empty for any."""
    low: float | None = None
    """Least value of a number; None for no limit."""
    high: float | None = None
    """Greatest value of a number; None for no limit."""
    secret: bool = False
    """True for a text that is never shown; its default is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnginePlugin:
    """An engine of a package, not loaded yet: what an entry point of `ENTRY_POINTS` names."""

    contract: int
    """`CONTRACT_VERSION` that it was written for, as a number."""
    kind: Kind
    """"ast" or "tts"."""
    title: str
    """The name people read."""
    licence: str
    """Licence of code and weights, in one line."""
    languages: tuple[str, ...] = ()
    """Source languages (AST) or spoken languages (TTS), to be listed."""
    create: str
    """``module:function`` of ``create(options: EngineOptions) -> Ast | Tts``."""
    needs: tuple[str, ...] = ()
    """Top-level modules without which it cannot start."""
    install: str = ""
    """Command that brings them; empty for an installation of the plug-in's own package."""
    phrases: str = ""
    """``module:function`` of ``phrases(source: str, target: str, options: EngineOptions) ->
    Sequence[PhraseTopic]``, for an AST engine that understands a list of phrases only. Called in
    the server's process, so its module is light."""
    options: tuple[PluginOption, ...] = ()
    """Options of its own: `EngineOptions.own` has their values."""


@dataclass(frozen=True, slots=True)
class PhraseExample:
    """A phrase that can be said."""

    source: str
    """In the language spoken."""
    target: str
    """Translation of it."""


@dataclass(frozen=True, slots=True)
class PhraseTopic:
    """Phrases that belong together."""

    title: str
    """In the language spoken."""
    examples: tuple[PhraseExample, ...]
    """In the order to show them in."""

"""Interface of an engine: two small protocols, their capabilities and data.

Engine objects live in a child process (`rtc_server.engines.worker`) and are called from one thread
there. They never see sessions, queues or the event loop; they may block. An engine raises
`EngineUnavailable` from its factory when something it needs is missing, and `EngineError` for a
batch that failed; both reach the caller with the same sentence. Of any other exception only type
and location are told, because its text may quote what was said.

To add an engine: write a module with a factory ``create(options: EngineOptions) -> Ast | Tts``
and choose it as ``--ast module:create``, or name it in `rtc_server.engines.registry`. Nothing else
changes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeAlias

from rtc_server.engines.plugin import OptionValue
from rtc_server.pcm import Samples

Pair: TypeAlias = tuple[str, str]
"""(source language, target language), ISO 639-1 codes as in docs/protocol.md."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Options of an engine's factory. They travel to the engine's process."""

    phrasebooks: tuple[Path, ...] = ()
    """Value of ``--phrasebook``, for engines written before engines had options of their own; the
    phrasebook itself reads `own`."""
    canary_model: str = "nvidia/canary-1b-v2"
    """Canary's model: a path, or a Hugging Face name that was fetched before."""
    canary_heads: str = "-2"
    """Attention heads of Canary's decoder that say where in the audio words are: layers, each with
    or without some of its heads ("4:1,5 6:0")."""
    models_dir: Path = Path()
    """Folder of the models that `rtc-server models fetch` brought."""
    silero_models: tuple[str, ...] = ()
    """Silero models to load; empty takes the usual ones of those that were fetched."""
    piper_voices: tuple[Path, ...] = ()
    """Piper voices, or folders of them, besides those that were fetched."""
    device: str = "auto"
    """Device that models compute on: ``cpu``, ``cuda``, or ``auto`` for CUDA when
    there is a GPU."""
    threads: int = 0
    """Most threads that one call on the CPU uses; 0 takes the cores less one."""
    own: Mapping[str, OptionValue] = field(default_factory=dict, hash=False)
    """Values of the engine's own options (`EnginePlugin.options`), each by its name."""


@dataclass(frozen=True, slots=True)
class AstCapabilities:
    """Capabilities of a speech translation engine."""

    name: str
    """The name it is chosen by, as in ``--ast canary``."""
    title: str
    """The name people read, with its version where there is one."""
    licence: str
    """Licence of code and weights, in one line, with any restriction of use."""
    pairs: tuple[Pair, ...]
    """Every (source, target) it translates."""
    partials: bool
    """True if it can be asked for the text of an unfinished segment."""
    max_batch: int
    """Most requests in one call; 1 means one at a time."""
    max_audio_s: float
    """Longest segment it takes, in seconds."""
    target_partials: bool = False
    """True if a partial can be asked for its translation, too (`AstRequest.wants_target`)."""
    prefix: bool = False
    """True if answers continue `AstRequest.committed`, as far as they can say it to the letter;
    without it, the caller compares."""
    word_times: bool = False
    """True if results have the end of each source word (`AstResult.words`)."""
    alignment: bool = False
    """True if results have the time by which each target word was spoken
    (`AstResult.target_words`)."""
    punctuates: bool = False
    """True if texts tell by a mark where a sentence ends: a pause in an unfinished one may last
    longer before it ends the segment."""
    deadline_s: float = 1.5
    """Time without a sign of work after which a call counts as hung. On an idle machine a call
    takes no longer than this, and 50 ms for each second of its audio."""
    notes: tuple[str, ...] = ()
    """Sentences an operator should read once, at start."""


@dataclass(frozen=True, slots=True)
class TtsCapabilities:
    """Capabilities of a speech synthesis engine."""

    name: str
    """The name it is chosen by, as in ``--tts espeak``."""
    title: str
    """The name people read, with its version where there is one."""
    licence: str
    """Licence of code and voices, in one line, with any restriction of use."""
    voices: Mapping[str, tuple[str, ...]]
    """Language to its voices, the default first. A language that is absent cannot be spoken."""
    sample_rate: int
    """Samples per second of what `Tts.synthesize` yields."""
    deadline_s: float = 1.5
    """Time without a sign of work after which a call counts as hung. On an idle machine the next
    chunk takes no longer than this."""
    notes: tuple[str, ...] = ()
    """Sentences an operator should read once, at start."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Text in both languages."""

    source: str = ""
    """Text in the language spoken."""
    target: str = ""
    """Translation of it."""


@dataclass(frozen=True, slots=True)
class WordTime:
    """One written word, and its end in the audio of its request."""

    text: str
    """The word with the marks written on to it: what `str.split` gives."""
    end_ms: int
    """Milliseconds from the first sample of the request."""


@dataclass(frozen=True, slots=True)
class AstRequest:
    """One segment of speech, or the beginning of one that is still being spoken."""

    samples: Samples
    """Mono float32 at `SPEECH_RATE`, shape (n,), n >= 1."""
    source_language: str
    """Language that is spoken; one half of a pair in the capabilities."""
    target_language: str
    """Language wanted; the other half."""
    partial: bool = False
    """True while the segment is open: the text so far is wanted."""
    wants_target: bool = False
    """Of a partial: true if its translation is wanted beside the source text."""
    committed: Texts = Texts()
    """Text of the beginning of this audio that will not change any more: an engine with `prefix`
    answers with texts that continue it."""
    context: Texts = Texts()
    """Text of the sentence right before this audio. Engines that cannot use it leave it."""
    trace: str = ""
    """`Span.context` of the question, for the spans of an engine server; empty when untraced."""


class AstStatus(StrEnum):
    """Outcome of a translation."""

    OK = "ok"
    NOT_UNDERSTOOD = "not_understood"
    """Speech that the engine cannot translate reliably; nothing may be spoken."""


@dataclass(frozen=True, slots=True)
class NearPhrase:
    """Phrase similar to what was said, offered when it was not understood."""

    source: str
    """In the language spoken."""
    target: str
    """Translation of it."""


@dataclass(frozen=True, slots=True)
class AstResult:
    """Transcript and translation of a segment. Texts are written as people write, not as tokens."""

    status: AstStatus
    """OK, or NOT_UNDERSTOOD with both texts empty (a partial may still carry source text)."""
    source_text: str = ""
    """Transcript, in the source language."""
    target_text: str = ""
    """The translation; empty for a partial of an engine that does not translate partials."""
    hints: tuple[NearPhrase, ...] = ()
    """At most three, nearest first, and only near ones; only with NOT_UNDERSTOOD."""
    open_chars: int = 0
    """Of a partial: number of characters at the end of the source text that may be written
    otherwise once more is spoken, as an unfinished number is."""
    reason: str = ""
    """Reason for NOT_UNDERSTOOD, as a short code to count by ("repeated"); never what was said."""
    words: tuple[WordTime, ...] = ()
    """The words of `source_text`, all of them, with their times; empty from an engine without."""
    target_words: tuple[WordTime, ...] = ()
    """The words of `target_text`, each with the latest time that it rests on; or empty."""


class Ast(Protocol):
    """A speech translation engine. Called from one thread, in its own process."""

    @property
    def capabilities(self) -> AstCapabilities:
        """Known as soon as the factory returned."""

    def warm_up(self) -> None:
        """Do once what would make the first real call slow. Called before readiness."""

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        """Return one result per request, in order. 1 <= len(batch) <= max_batch, pairs may be
        mixed.
        """

    def close(self) -> None:
        """Free what the process does not free by ending."""


@dataclass(frozen=True, slots=True)
class TtsRequest:
    """One text to speak."""

    text: str
    """As people write it: digits, abbreviations and all. The engine normalises."""
    language: str
    """A key of `TtsCapabilities.voices`."""
    voice: str | None = None
    """One of that language's voices; None takes its default."""
    rate: float = 1.0
    """Speed of speech, 0.5 to 2; 1 is the voice's own."""
    trace: str = ""
    """`Span.context` of the synthesis, as of `AstRequest`."""


class Tts(Protocol):
    """A speech synthesis engine. Called from one thread, in its own process."""

    @property
    def capabilities(self) -> TtsCapabilities:
        """Known as soon as the factory returned."""

    def warm_up(self) -> None:
        """Do once what would make the first real call slow. Called before readiness."""

    def synthesize(self, request: TtsRequest) -> Iterator[Samples]:
        """Yield speech as it is made: mono float32 at `sample_rate`, non-empty chunks.

        Yields nothing when the text holds nothing that can be spoken. The caller may stop
        early by closing the iterator.
        """

    def close(self) -> None:
        """Free what the process does not free by ending."""


@dataclass(frozen=True, slots=True)
class EngineCard:
    """An engine as `/v1/engines` and `rtc-server engines` show it, loaded or not."""

    kind: str
    """"ast" or "tts"."""
    name: str
    """The name it is chosen by."""
    title: str
    """The name people read."""
    licence: str
    """Licence of code and weights."""
    languages: tuple[str, ...] = ()
    """Source languages (AST) or spoken languages (TTS)."""
    installed: bool = True
    """True if it could be started on this machine."""
    missing: str = ""
    """If not, the sentence that says what to install."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Anything else worth showing, as label to text."""

"""Services that all sessions share, and the checks of what a session requests from them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from rtc_server.audio.vad import Vad
from rtc_server.clock import Clock, wall
from rtc_server.errors import BadEvent, UnsupportedPair
from rtc_server.events.client import SessionPatch
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.captions import Direction
from rtc_server.interpreter.echo import EchoGuard
from rtc_server.interpreter.interpreter_settings import InterpreterSettings
from rtc_server.interpreter.ports import AstPort, TtsPort
from rtc_server.interpreter.segmenter_settings import SegmenterSettings
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.metrics import Metrics
from rtc_server.session.journal import MakeJournal, no_journal
from rtc_server.session.session_api import SuggestedPhrase
from rtc_server.session.usage import RecordUsage
from rtc_server.session.vad_batcher import VadBatcher
from rtc_server.tracing import NO_TRACES, Tracer
from rtc_server.transport.media_scheduler import MediaScheduler

SEGMENT_MARGIN_S = 0.5
"""Audio by which a segment may be longer than its limit: the limit is checked per VAD window."""


@dataclass(frozen=True, slots=True)
class Services:
    """Engines, settings and helpers that all sessions of a server share."""

    ast: AstPort
    tts: TtsPort
    make_vad: Callable[[], Vad]
    """Function that makes the detector of a new stream."""
    segmenter: SegmenterSettings
    interpreter: InterpreterSettings
    metrics: Metrics
    clock: Clock
    """Monotonic seconds."""
    wall: Clock = wall
    """Unix time."""
    scheduler: MediaScheduler = field(default_factory=MediaScheduler)
    """Tick of all sessions, and work after it."""
    vad_batcher: VadBatcher = field(init=False)
    """Voice activity detection of all sessions together."""
    resume_s: float = 0.0
    """Time for which a session waits for a lost client; 0 ends it at once."""
    journal: MakeJournal = no_journal
    """Function that makes the journal of each session."""
    record_usage: RecordUsage = lambda _record: None
    """Function that takes the usage record of each session that has ended."""
    tracer: Tracer = NO_TRACES
    """Traces of calls."""
    phrases: Callable[[str], Sequence[SuggestedPhrase]] = lambda _language: ()
    """Phrases a client may request to be spoken, by source language; see `Catalogue.phrases`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "vad_batcher", VadBatcher(self.scheduler))

    def now(self) -> tuple[float, float]:
        """Return the present monotonic and Unix time, in seconds."""
        return self.clock(), self.wall()

    def forget(self, session_id: str) -> None:
        """Drop what the engines keep of a session that has ended, or was never started."""
        self.ast.forget(session_id)
        self.tts.forget(session_id)

    def make_segmenter(self) -> SpeechSegmenter:
        """Return a segmenter whose segments are short enough for the translation engine."""
        longest_s = self.ast.capabilities.max_audio_s - SEGMENT_MARGIN_S
        max_segment_s = min(self.segmenter.max_segment_s, longest_s)
        return SpeechSegmenter(
            self.make_vad(), replace(self.segmenter, max_segment_s=max_segment_s)
        )

    def make_audio_input(self) -> AudioInput:
        """Return the input of a session's audio."""
        segmenter = self.make_segmenter()
        guard = EchoGuard(on=self.interpreter.own_voice_guard)
        return AudioInput(segmenter, guard, self.vad_batcher.client(segmenter))

    def direction(self, patch: SessionPatch, now: Direction | None = None) -> Direction:
        """Return the direction that `patch` requests, starting from `now` or the server's defaults.

        Raises:
            UnsupportedPair: this server lacks something that it names; the message lists what there
                is.
        """
        default = now or Direction(self.interpreter.source, self.interpreter.target)
        target = patch.target_language or default.target
        source = patch.source_language or self._source_for(target, default.source)
        engine = self.ast.capabilities
        if patch.engine is not None and patch.engine != engine.name:
            raise UnsupportedPair(
                f"This server runs the engine {engine.name}, not {patch.engine!a}. "
                "Leave the engine out, or start the server with it."
            )
        if (source, target) not in engine.pairs:
            pairs = _listed(f"{s} to {t}" for s, t in engine.pairs)
            raise UnsupportedPair(
                f"{engine.title} does not translate {source!a} to {target!a}. "
                f"It translates {pairs}."
            )
        voices = self.tts.capabilities.voices
        if target not in voices:
            raise UnsupportedPair(
                f"{self.tts.capabilities.title} has no voice for {target!a}. "
                f"It has: {_listed(voices)}."
            )
        kept = default.voice if target == default.target else None
        voice = patch.voice if patch.voice is not None else kept
        if voice is not None and voice not in voices[target]:
            raise UnsupportedPair(
                f"{self.tts.capabilities.title} has no voice {voice!a} for {target}. "
                f"It has: {_listed(voices[target])}."
            )
        return Direction(source, target, voice)

    def phrase(self, text: str, direction: Direction) -> SuggestedPhrase:
        """Return the phrase with that text. Raises `BadEvent` if there is none."""
        for phrase in self.phrases(direction.source):
            if phrase.text == text and phrase.language == direction.target:
                return phrase
        raise BadEvent(
            "This text is not in this server's phrasebook. /v1/phrases lists the phrases."
        )

    def _source_for(self, target: str, usual: str) -> str:
        """Return the usual source language, unless only another one can be translated to `target`.

        Clients of OpenAI's API name only a target.
        """
        sources = [source for source, into in self.ast.capabilities.pairs if into == target]
        return sources[0] if usual not in sources and len(sources) == 1 else usual


def _listed(names: Iterable[str], most: int = 60) -> str:
    every = sorted(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more

"""Canary as an engine, whatever computes it: requests to the model, and checks of its answers.

One pass over a segment gives its transcript and its translation together, so that the page can show
both and the gate in `safety` can hold one against the other.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rtc_server.engines.base import AstCapabilities, AstRequest, AstResult, AstStatus
from rtc_server.engines.canary.alignment import word_times
from rtc_server.engines.canary.canary_text import clean
from rtc_server.engines.canary.prompts import check_pairs, translated_pairs
from rtc_server.engines.loudness import leveled
from rtc_server.engines.safety import doubt_text, doubt_translation, is_silent
from rtc_server.errors import EngineError
from rtc_server.pcm import SPEECH_RATE, Samples

log = logging.getLogger(__name__)

SILENT = "silence"
"""Reason for audio without speech, which never reaches the model; others are `safety.Doubt`."""
TOO_LONG = "longer_than_the_engine_takes"
"""Reason for audio of more than `MAX_AUDIO_S`, which never reaches the model either."""
MAX_BATCH = 16
MAX_AUDIO_S = 40.0
"""Longest audio the model was trained on; beyond it loops."""
MIN_AUDIO_S = 1.0
"""Shorter audio is padded to this with silence on both sides, as NeMo's own `transcribe` does."""
TOKENS_PER_S = 12.5
"""Most tokens a second of speech may become: one for each encoder frame, twice what people say."""
TOKENS_ANYWAY = 16
"""Tokens that any segment may become, however short."""
DEADLINE_S = {"cuda": 3.0, "cpu": 60.0}
"""Time after which a call has hung. The full model takes seconds for a phrase on a CPU."""
WARM_BATCHES = {"cuda": (1, 2, 4, 8, 16), "cpu": (1,)}
WARM_SECONDS = {"cuda": (1.0, 3.0, 5.0, 7.0, 9.0, 12.0, 15.0), "cpu": (1.0,)}
"""Shapes made ready before the first caller comes."""


class OutOfMemory(Exception):
    """The device cannot hold the batch; what could be given back has been."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One text to write of a wave."""

    source: str
    """Language spoken."""
    language: str
    """Language to write."""
    committed: str = ""
    """Beginning of the text that stands already, in whole words."""


@dataclass(frozen=True, slots=True)
class Written:
    """One text as the model wrote it."""

    text: str
    """May hold control tokens."""
    complete: bool
    """True if the model ended it by itself, within its limit."""
    pieces: tuple[tuple[str, int], ...] = ()
    """Pieces of the text, each with the encoder frame that it comes from; empty of a writer that
    does not say."""


class Writer(Protocol):
    """Interface to what computes: NeMo, transformers or ONNX Runtime."""

    @property
    def title(self) -> str:
        """The model, as people read it."""

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda``."""

    @property
    def precision(self) -> str:
        """Of the weights, such as ``bfloat16``."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the model."""

    @property
    def continues(self) -> bool:
        """True if texts go on from `Wanted.committed`; others begin anew."""

    @property
    def aligns(self) -> bool:
        """True if `Written.pieces` say where in the audio they come from."""

    def write(
        self, waves: Sequence[Samples], wanted: Sequence[Sequence[Wanted]], limits: Sequence[int]
    ) -> list[list[Written]]:
        """Return for each wave the texts wanted of it; each audio is encoded once, however often
        it is among the waves.

        Args:
            waves: at least `MIN_AUDIO_S` each.
            wanted: texts of each wave.
            limits: most tokens of each wave's texts.

        Raises:
            OutOfMemory: the device cannot hold the batch.
        """


class CanaryAst:
    """See `rtc_server.engines.base.Ast`."""

    def __init__(self, writer: Writer, name: str, licence: str) -> None:
        self._writer = writer
        notes = [f"Canary computes on {writer.device} in {writer.precision}."]
        if writer.device == "cpu":
            notes.append("Without a GPU the full model takes seconds for a phrase.")
        self._capabilities = AstCapabilities(
            name=name,
            title=writer.title,
            licence=licence,
            pairs=translated_pairs(writer.languages),
            partials=True,
            punctuates=True,
            max_batch=MAX_BATCH,
            max_audio_s=MAX_AUDIO_S,
            target_partials=True,
            prefix=writer.continues,
            word_times=writer.aligns,
            alignment=writer.aligns,
            deadline_s=DEADLINE_S[writer.device],
            notes=tuple(notes),
        )

    @property
    def capabilities(self) -> AstCapabilities:
        """Known as soon as the model is loaded."""
        return self._capabilities

    def warm_up(self) -> None:
        """Run the model on noise of the usual shapes."""
        pair = self._capabilities.pairs[0]
        noise = 0.01 * np.random.default_rng(0).standard_normal(int(MAX_AUDIO_S * SPEECH_RATE))
        for seconds in WARM_SECONDS[self._writer.device]:
            length = int(seconds * SPEECH_RATE)
            for batch in WARM_BATCHES[self._writer.device]:
                # Each its own: what is the same would be encoded once.
                waves = [noise[i : i + length].astype(np.float32) for i in range(batch)]
                for partial in (False, True):
                    self.translate([AstRequest(wave, *pair, partial) for wave in waves])

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        """Return one result per request, in order; pairs, partials and lengths may be mixed.

        Raises:
            EngineError: a pair that the model does not have, or no memory for even one segment.
        """
        check_pairs(batch, self._capabilities.pairs)
        refusals = [_refused(request.samples) for request in batch]
        taken = [one for one, refused in zip(batch, refusals, strict=True) if refused is None]
        answers = iter(self._translate(taken))
        return [next(answers) if refused is None else refused for refused in refusals]

    def close(self) -> None:
        """Do nothing: the process ends after this and takes everything along."""

    def _translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        if not batch:
            return []
        waves = [padded(leveled(request.samples)) for request in batch]
        wanted = [wanted_texts(request) for request in batch]
        limits = [longest_text(len(request.samples)) for request in batch]
        try:
            written = self._writer.write(waves, wanted, limits)
        except OutOfMemory:
            written = None  # the halves wait for the end of this block, which holds the memory
        if written is None:
            return self._translate_halves(batch)
        return [judged(request, texts) for request, texts in zip(batch, written, strict=True)]

    def _translate_halves(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        if len(batch) == 1:
            raise EngineError(
                "There is not enough memory for one segment. Give this server more (on a GPU, "
                "a larger part of it), or stop other programs that use it."
            )
        log.warning("Out of memory at a batch of %d; trying it in two halves", len(batch))
        half = len(batch) // 2
        return self._translate(batch[:half]) + self._translate(batch[half:])


def judged(request: AstRequest, written: Sequence[Written]) -> AstResult:
    """Return the result that `written` amounts to, if it is believed."""
    audio_s = len(request.samples) / SPEECH_RATE
    complete = all(one.complete for one in written)
    source_text, *translation = [clean(one.text) for one in written]
    target_text = translation[0] if translation else ""
    if not translation:
        doubt = doubt_text(source_text, request.source_language, audio_s, complete)
    else:
        pair = (request.source_language, request.target_language)
        doubt = doubt_translation(source_text, target_text, pair, audio_s, complete)
    if doubt is not None:
        return not_understood(doubt.value)
    padding_ms = 500.0 * max(0.0, MIN_AUDIO_S - audio_s)
    times = [
        word_times(text, one.pieces, padding_ms, int(1000 * audio_s)) if one.pieces else ()
        for text, one in zip((source_text, target_text), written, strict=False)
    ]
    words, target_words = [*times, ()][:2]
    return AstResult(AstStatus.OK, source_text, target_text, words=words, target_words=target_words)


def wanted_texts(request: AstRequest) -> tuple[Wanted, ...]:
    """Return the texts to write for a request: transcript, and translation unless it is a partial
    without.
    """
    source, target = request.source_language, request.target_language
    transcript = Wanted(source, source, request.committed.source)
    if request.partial and not request.wants_target:
        return (transcript,)
    return transcript, Wanted(source, target, request.committed.target)


def not_understood(reason: str) -> AstResult:
    """Return a result with nothing to show or say, and why."""
    return AstResult(AstStatus.NOT_UNDERSTOOD, reason=reason)


def longest_text(samples: int) -> int:
    """Return the most tokens that so many samples of speech may become, the end included."""
    return TOKENS_ANYWAY + int(TOKENS_PER_S * samples / SPEECH_RATE)


def padded(samples: Samples) -> Samples:
    """Return at least `MIN_AUDIO_S` of audio, with silence on both sides."""
    missing = max(0, int(MIN_AUDIO_S * SPEECH_RATE) - len(samples))
    return np.pad(samples, (missing // 2, missing - missing // 2))


def without_repeats(waves: Sequence[Samples]) -> tuple[list[Samples], list[int]]:
    """Return the waves that differ, and for each wave the place of its like among them.

    A room asks for one segment in several languages, at the same moment.
    """
    places: dict[bytes, int] = {}
    among = [places.setdefault(wave.tobytes(), len(places)) for wave in waves]
    return [waves[among.index(place)] for place in range(len(places))], among


def _refused(samples: Samples) -> AstResult | None:
    """Return the result of audio that the model is not given, with why; nothing for all other
    audio.
    """
    if len(samples) > MAX_AUDIO_S * SPEECH_RATE:
        log.warning("A segment of more than %.0f s was not translated", MAX_AUDIO_S)
        return not_understood(TOO_LONG)
    return not_understood(SILENT) if is_silent(samples) else None

"""One segment through both halves: recognised, judged, translated, judged again."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np

from rtc_server.engines.base import AstCapabilities, AstRequest, AstResult, AstStatus
from rtc_server.engines.cascade.recognizer import Recognizer, Transcript
from rtc_server.engines.cascade.translation import Translation
from rtc_server.engines.loudness import leveled
from rtc_server.engines.safety import Doubt, doubt_text, doubt_translation, is_silent
from rtc_server.errors import EngineError, EngineUnavailable
from rtc_server.pcm import SPEECH_RATE

MAX_AUDIO_S = 25.0
"""Longest audio that GigaAM takes in one piece."""
MIN_AUDIO_S = 0.5
"""Shorter audio is padded to this with silence behind it."""
DEADLINE_S = 10.0
SILENT = "silence"
"""Reason for audio without speech, which never reaches a model; others are `safety.Doubt`."""
TOO_LONG = "longer_than_the_engine_takes"
"""Reason for audio of more than `MAX_AUDIO_S`, which never reaches a model either."""
_REMEMBERED = 4
"""Transcripts kept: a room asks for one segment in several languages, one after the other."""


class CascadeAst:
    """See `rtc_server.engines.base.Ast`."""

    def __init__(
        self,
        recognizers: Mapping[str, Recognizer],
        translation: Translation,
        *,
        title: str,
        licence: str,
        notes: tuple[str, ...] = (),
    ) -> None:
        """`recognizers` by the language each is to recognise."""
        self._recognizers = recognizers
        self._translation = translation
        self._transcripts: OrderedDict[tuple[str, bytes, bool], Transcript] = OrderedDict()
        self._capabilities = AstCapabilities(
            name="laptop",
            title=title,
            licence=licence,
            pairs=tuple(pair for pair in translation.pairs if pair[0] in recognizers),
            partials=True,
            punctuates=True,
            target_partials=True,
            word_times=True,
            max_batch=1,
            max_audio_s=MAX_AUDIO_S,
            deadline_s=DEADLINE_S,
            notes=notes,
        )

    @property
    def capabilities(self) -> AstCapabilities:
        """Known as soon as the models are loaded."""
        return self._capabilities

    def warm_up(self) -> None:
        """Run each model once.

        Raises:
            EngineUnavailable: files of different models lie together.
        """
        noise = 0.01 * np.random.default_rng(0).standard_normal(3 * SPEECH_RATE)
        for language, recognizer in self._recognizers.items():
            try:
                recognizer.transcribe(noise.astype(np.float32), language)
            except Exception as exc:  # onnxruntime's errors share no base
                raise EngineUnavailable(
                    f"The recogniser of {language} fails on a first sound ({type(exc).__name__}): "
                    "its files do not belong together. Run: rtc-server models verify"
                ) from exc
        self._translation.warm_up()

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        """Return one result per request, in order.

        Raises:
            EngineError: a pair that is not among the capabilities', or a model failed.
        """
        return [self._translate(request) for request in batch]

    def close(self) -> None:
        """Do nothing: the process ends after this and takes everything along."""

    def _translate(self, request: AstRequest) -> AstResult:
        pair = (request.source_language, request.target_language)
        if pair not in self._capabilities.pairs:
            raise EngineError(f"There are no models here from {pair[0]} to {pair[1]}.")
        audio_s = len(request.samples) / SPEECH_RATE
        if audio_s > MAX_AUDIO_S:
            return _not_understood(TOO_LONG)
        if is_silent(request.samples):
            return _not_understood(SILENT)
        transcript = self._transcribe(request)
        text = transcript.text
        if not any(char.isalnum() for char in text):
            return _not_understood(Doubt.EMPTY.value)
        if request.partial and not request.wants_target:
            meaning, doubt = "", doubt_text(text, pair[0], audio_s, complete=True)
        else:
            meaning = self._translation.translate(text, pair)
            doubt = doubt_translation(text, meaning, pair, audio_s, complete=True)
        if doubt is not None:
            return _not_understood(doubt.value)
        return AstResult(AstStatus.OK, text, meaning, words=transcript.words)

    def _transcribe(self, request: AstRequest) -> Transcript:
        samples, language = request.samples, request.source_language
        key = (language, samples.tobytes(), request.partial)
        transcript = self._transcripts.pop(key, None)
        if transcript is None:
            missing = max(0, int(MIN_AUDIO_S * SPEECH_RATE) - len(samples))
            sound = np.pad(leveled(samples), (0, missing))
            recognizer = self._recognizers[language]
            transcript = recognizer.transcribe(sound, language, partial=request.partial)
        self._transcripts[key] = transcript
        while len(self._transcripts) > _REMEMBERED:
            self._transcripts.popitem(last=False)
        return transcript


def _not_understood(reason: str) -> AstResult:
    """Return a result with nothing to show or say, and why."""
    return AstResult(AstStatus.NOT_UNDERSTOOD, reason=reason)

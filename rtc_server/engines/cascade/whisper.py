"""Whisper: one model for 99 languages, held to the one that is spoken.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022. It is trained on
windows of 30 s and most of its time goes into encoding one, speech or not. A window that ends
`_MARGIN_S` after the speech gave the same words in a quarter of the time; with 2 s it began to
repeat itself. Where an answer does not end, or is improbable, the whole window decides. That takes
six times as long, and most first words of an open segment are improbable: they wait for more.

A generative model answers noise, too: what stays improbable is no transcript, nor are the credits
that ended many films it learned from; `safety` judges every text after this.
"""

import re
from collections.abc import Sequence

import numpy as np

from rtc_server.engines.base import WordTime
from rtc_server.engines.cascade.byte_pairs import BytePairs
from rtc_server.engines.cascade.features import HOP_MS, Mel
from rtc_server.engines.cascade.recognizer import Transcript
from rtc_server.engines.cascade.whisper_model import DecodedWindow, WhisperModel
from rtc_server.pcm import SPEECH_RATE, Samples, ms_to_samples

WINDOW_S = 30
"""Length of audio that the model was trained on, and the most it takes."""
_MARGIN_S = 5
_STEP_MS = 2 * HOP_MS
_TOKENS_AT_LEAST = 16
_TOKENS_A_SECOND = 12
"""Brisk speech has 4 in English, 8 in Russian."""
_MOST_TOKENS = 224
"""Tokens that the decoder has room for behind its prompt."""
_LEAST_LOG_PROBABILITY = -1.0
_MOST_NO_SPEECH = 0.6
"""Beyond one or the other, OpenAI's own program distrusts an answer."""
_SURE_LOG_PROBABILITY = -0.5
"""Answers surer than this are speech, whatever the token for none says."""

_CREDITS = re.compile(
    r"(редактор субтитров|субтитры (сделал|создавал|делал|подготов)|subtitles by\b|"
    r"transcri(bed|ption) by\b|thanks for watching\b|продолжение следует\W*$).*",
    re.IGNORECASE | re.DOTALL,
)
"""Texts that it writes to hum and music."""


class WhisperRecognizer:
    """See `rtc_server.engines.cascade.recognizer.Recognizer`."""

    def __init__(
        self, model: WhisperModel, tokens: BytePairs, mel: Mel, languages: Sequence[str]
    ) -> None:
        """All of `languages` are among those that `tokens` name.

        Raises:
            ValueError: one is not.
        """
        self._model = model
        self._tokens = tokens
        self._mel = mel
        self.languages = tuple(languages)
        try:
            self._prompts = {language: tokens.prompt(language) for language in languages}
        except KeyError as exc:
            raise ValueError(f"no {exc.args[0]}") from exc

    def transcribe(self, samples: Samples, language: str, *, partial: bool = False) -> Transcript:
        """See `Recognizer`."""
        whole = WINDOW_S * SPEECH_RATE
        short = min(len(samples) + _MARGIN_S * SPEECH_RATE, whole)
        for window in [short] if partial else sorted({short, whole}):
            encoded = self._model.encode(self._mel(np.pad(samples, (0, window - len(samples)))))
            most = _most_tokens(len(samples))
            prompt = self._prompts[language]
            decoded = self._model.decode(encoded, prompt, most)
            text = [token for token in decoded.tokens if token < self._tokens.end]
            if len(text) < most and _is_probable(decoded):
                frames = len(samples) // ms_to_samples(HOP_MS, SPEECH_RATE)
                path = self._model.align(encoded, prompt, text, frames) if text else []
                transcript = self._transcript(text, path)
                return Transcript() if _CREDITS.match(transcript.text) else transcript
        return Transcript()

    def _transcript(self, tokens: Sequence[int], path: Sequence[tuple[int, int]]) -> Transcript:
        """Return the words that `tokens` spell; `path` is `WhisperModel.align`'s."""
        begins = dict(reversed(path))  # the first step of each place wins
        spelt: list[tuple[bytes, int]] = []
        for place, token in enumerate(tokens):
            piece = self._tokens.spell(token)
            end_ms = begins.get(place + 1, path[-1][1]) * _STEP_MS
            if spelt and not piece.startswith(b" "):
                piece = spelt.pop()[0] + piece
            spelt.append((piece, end_ms))
        words = ((piece.decode("utf-8", "replace").strip(), end_ms) for piece, end_ms in spelt)
        return Transcript(tuple(WordTime(word, end_ms) for word, end_ms in words if word))


def _most_tokens(samples: int) -> int:
    """Return how many tokens can be said in so many samples; more is a loop."""
    said = _TOKENS_A_SECOND * samples // SPEECH_RATE
    return min(_TOKENS_AT_LEAST + said, _MOST_TOKENS)


def _is_probable(decoded: DecodedWindow) -> bool:
    """Return whether an answer is speech, and these words."""
    sure = decoded.mean_log_probability
    return sure >= _SURE_LOG_PROBABILITY or (
        sure >= _LEAST_LOG_PROBABILITY and decoded.no_speech_probability <= _MOST_NO_SPEECH
    )

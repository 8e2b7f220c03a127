"""Engines that take no time, so that only the server around them is measured."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from rtc_server.engines.base import (
    AstCapabilities,
    AstRequest,
    AstResult,
    AstStatus,
    EngineOptions,
    TtsCapabilities,
    TtsRequest,
)
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE, Samples

WORD_S = 0.3
"""Length of a spoken word."""
ANSWER = "an answer of five words"
STEP = 2 * SPEECH_RATE // 5
"""Samples of a word."""


class _ReadyAst:
    capabilities = AstCapabilities(
        name="ready",
        title="Ready",
        licence="none",
        pairs=(("en", "ru"), ("ru", "en")),
        partials=False,
        max_batch=8,
        max_audio_s=40.0,
    )

    def warm_up(self) -> None:
        """Do nothing: there is nothing to warm up."""

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        return [AstResult(AstStatus.OK, "said", ANSWER) for _ in batch]

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


class _FollowingAst(_ReadyAst):
    capabilities = replace(
        _ReadyAst.capabilities, name="following", partials=True, target_partials=True
    )

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        texts = (" ".join(_words(request)) for request in batch)
        return [AstResult(AstStatus.OK, text, text) for text in texts]


def _words(request: AstRequest) -> list[str]:
    """Return a word for each 0.4 s of audio."""
    return [f"word{'abcdefghijklmnopqrst'[i % 20]}" for i in range(len(request.samples) // STEP)]


class _ReadyTts:
    capabilities = TtsCapabilities(
        name="ready",
        title="Ready",
        licence="none",
        voices={"en": ("tone",), "ru": ("tone",)},
        sample_rate=PLAYOUT_RATE,
    )

    def __init__(self) -> None:
        t = np.arange(round(WORD_S * PLAYOUT_RATE)) / PLAYOUT_RATE
        self._word: Samples = (0.3 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)

    def warm_up(self) -> None:
        """Do nothing: there is nothing to warm up."""

    def synthesize(self, request: TtsRequest) -> Iterator[Samples]:
        yield np.tile(self._word, len(request.text.split()))

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


def ast(_options: EngineOptions) -> _ReadyAst:
    """Return an engine that translates anything at once."""
    return _ReadyAst()


def following(_options: EngineOptions) -> _FollowingAst:
    """Return an engine that also translates open segments, word by word."""
    return _FollowingAst()


def tts(_options: EngineOptions) -> _ReadyTts:
    """Return a voice that speaks a prepared tone."""
    return _ReadyTts()


class TimedAst:
    """Engine that answers any request; a batch takes a known time."""

    def __init__(self, batch_s: float) -> None:
        self._batch_s = batch_s
        self.capabilities = AstCapabilities(
            name="timed",
            title="Timed",
            licence="none",
            pairs=(("en", "ru"), ("ru", "en")),
            partials=True,
            max_batch=4,
            max_audio_s=40.0,
            deadline_s=5.0,
        )

    def warm_up(self) -> None:
        """Do nothing: there is nothing to warm up."""

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        if self._batch_s:
            time.sleep(self._batch_s)
        return [AstResult(AstStatus.OK, "слово", "word")] * len(batch)

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


def no_time(_options: EngineOptions) -> TimedAst:
    """Answers at once."""
    return TimedAst(0.0)


def batch_of_four(_options: EngineOptions) -> TimedAst:
    """Return an engine that takes a quarter of a second for up to four requests."""
    return TimedAst(0.25)

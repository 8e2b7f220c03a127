"""Engines that take no time, so that only the server around them is measured."""

from collections.abc import Iterator, Sequence

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
from rtc_server.pcm import PLAYOUT_RATE, Samples

ANSWER_S = 1.5


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
        """Nothing is cold."""

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        return [AstResult(AstStatus.OK, "said", "answer") for _ in batch]

    def close(self) -> None:
        """Nothing to free."""


class _ReadyTts:
    capabilities = TtsCapabilities(
        name="ready",
        title="Ready",
        licence="none",
        voices={"en": ("tone",), "ru": ("tone",)},
        sample_rate=PLAYOUT_RATE,
    )

    def __init__(self) -> None:
        t = np.arange(round(ANSWER_S * PLAYOUT_RATE)) / PLAYOUT_RATE
        self._answer: Samples = (0.3 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)

    def warm_up(self) -> None:
        """Nothing is cold."""

    def synthesize(self, request: TtsRequest) -> Iterator[Samples]:
        yield self._answer

    def close(self) -> None:
        """Nothing to free."""


def ast(_options: EngineOptions) -> _ReadyAst:
    """Translates anything at once."""
    return _ReadyAst()


def tts(_options: EngineOptions) -> _ReadyTts:
    """Speaks a tone that is ready."""
    return _ReadyTts()

"""Engines for tests of the whole server, each in its own process like any other."""

import time
from collections.abc import Sequence
from dataclasses import replace

from rtc_server.engines.base import (
    AstCapabilities,
    AstRequest,
    AstResult,
    AstStatus,
    EngineOptions,
    Pair,
)
from rtc_server.pcm import SPEECH_RATE

MANY: tuple[Pair, ...] = (("en", "ru"), ("en", "de"), ("en", "fr"), ("en", "es"))


class MeasuringAst:
    """Engine that answers with the segment's length: ``1.4 s``. The answer takes `delay_s`."""

    capabilities = AstCapabilities(
        name="measuring",
        title="Measuring",
        licence="none",
        pairs=(("en", "ru"), ("ru", "en")),
        partials=False,
        max_batch=4,
        max_audio_s=40.0,
        deadline_s=30.0,
    )

    def __init__(
        self,
        delay_s: float,
        answer: str = "one two three",
        pairs: tuple[Pair, ...] = capabilities.pairs,
    ) -> None:
        self.capabilities = replace(self.capabilities, pairs=pairs)
        self._delay_s = delay_s
        self._answer = answer

    def warm_up(self) -> None:
        """Do nothing: there is nothing to warm up."""

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        time.sleep(self._delay_s)
        seconds = [len(request.samples) / SPEECH_RATE for request in batch]
        return [AstResult(AstStatus.OK, f"{s:.2f} s", self._answer) for s in seconds]

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


def quick(_options: EngineOptions) -> MeasuringAst:
    """Answers at once."""
    return MeasuringAst(0.0)


def slow(_options: EngineOptions) -> MeasuringAst:
    """Return an engine that is slow, but within its deadline."""
    return MeasuringAst(3.0)


def talkative(_options: EngineOptions) -> MeasuringAst:
    """Answers at once, and at length: a quarter of a minute of speech."""
    return MeasuringAst(0.0, "one two three four five six seven eight nine ten " * 6)


class WordyAst(MeasuringAst):
    """Engine that answers with 60,000 letters, so that few captions fill every queue."""

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        heard = "many words " * 5_455
        return [replace(each, source_text=heard) for each in super().translate(batch)]


def wordy(_options: EngineOptions) -> WordyAst:
    """Return an engine that translates English into several languages, at once, with captions of 60
    kB.
    """
    return WordyAst(0.0, pairs=MANY)


def many(_options: EngineOptions) -> MeasuringAst:
    """Return an engine that translates English into several languages, at once."""
    return MeasuringAst(0.0, pairs=MANY)

"""Engines for tests of the whole server, each in its own process like any other."""

import re
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
    Pair,
    TtsCapabilities,
    TtsRequest,
)
from rtc_server.pcm import SPEECH_RATE, Samples
from tests.support.engine_fakes import is_first

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


def for_one(_options: EngineOptions) -> MeasuringAst:
    """Return an engine that carries one session, on any machine: its answers take a second."""
    return MeasuringAst(1.0)


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


class CountingAst(MeasuringAst):
    """Translates the segments into "number 1", "number 2" and so on."""

    _count = 0

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        results = super().translate(batch)
        if is_first(batch):
            return results
        first = self._count + 1
        self._count += len(batch)
        return [
            replace(each, target_text=f"number {number}")
            for number, each in enumerate(results, first)
        ]


def counting(_options: EngineOptions) -> CountingAst:
    """Answers at once, each time with another number."""
    return CountingAst(0.0)


TONES_HZ = {"en": 700.0, "ru": 1500.0}
"""Tone of `ToneTts` in each language, for a text without a number."""
NUMBER_HZ = 100.0
"""Distance between the tones of two numbers."""


def tone_hz(text: str, language: str) -> float:
    """Return the tone that `ToneTts` speaks a text with."""
    number = re.search(r"\d+", text)
    return TONES_HZ[language] + NUMBER_HZ * (int(number[0]) if number else 0)


TONE_S = 1.5


class ToneTts:
    """Voice that speaks any text as a tone, which stays the same where a busy machine tears it."""

    capabilities = TtsCapabilities(
        name="tones",
        title="Tones",
        licence="none",
        voices=dict.fromkeys(TONES_HZ, ("tone",)),
        sample_rate=SPEECH_RATE,
        deadline_s=30.0,
    )

    def warm_up(self) -> None:
        """Nothing is cold."""

    def synthesize(self, request: TtsRequest) -> Iterator[Samples]:
        time_s = np.arange(round(TONE_S * SPEECH_RATE)) / SPEECH_RATE
        sine = np.sin(2 * np.pi * tone_hz(request.text, request.language) * time_s)
        yield (0.5 * sine).astype(np.float32)

    def close(self) -> None:
        """Nothing to free."""


def tones(_options: EngineOptions) -> ToneTts:
    """Speaks in tones, one for each language and number."""
    return ToneTts()


class EndlessTts(ToneTts):
    """Voice that speaks for ever."""

    def synthesize(self, request: TtsRequest) -> Iterator[Samples]:
        while True:
            yield from super().synthesize(request)


def endless(_options: EngineOptions) -> EndlessTts:
    """Return a voice that does not come to an end."""
    return EndlessTts()


class MuteTts(ToneTts):
    """Voice without a language."""

    capabilities = replace(ToneTts.capabilities, voices={})


def mute(_options: EngineOptions) -> MuteTts:
    """Return a voice that has no language."""
    return MuteTts()

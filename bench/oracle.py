"""Engines for `bench.interpret`: an oracle that reads words off pilot tones, and a voice of tones.

Each source word carries a tone above what speech needs; the oracle finds the tones in whatever
audio it is shown, and answers with those words: what was not heard it cannot know. Each word of the
translation is spoken as a tone, so that it is found in received audio by its frequency.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from bench.astray import Astray, Words, repeated, revised, stuck, untranslated
from rtc_server.engines.base import (
    AstCapabilities,
    AstRequest,
    AstResult,
    AstStatus,
    EngineOptions,
    TtsCapabilities,
    TtsRequest,
    WordTime,
)
from rtc_server.pcm import SPEECH_RATE, Samples

WORDS = 48
"""Different words; then they come again."""
SENTENCE = 8
"""Words of a sentence."""
LOST = 20
"""Word at which an engine goes astray; once in `WORDS`."""
SYLLABLES = {"en": "so", "ru": "то", "de": "da"}
"""Syllable that each word of a language begins with."""
PILOT_HZ, PILOT_STEP_HZ = 5200.0, 46.0
VOICE_HZ, VOICE_STEP_HZ, VOICE_RATE = 500.0, 50.0, 24_000
WORD_S, GAP_S = 0.22, 0.03
"""Length of a spoken word of the translation, and of the silence after it."""
LONG_WORD_S = 1.2 * 60 / 159 - GAP_S
"""The same of the long voice, which takes 1.2 times as long as the speaker of `bench.interpret`."""
PASS_S, PASS_PER_AUDIO = 0.1, 0.01
"""Seconds that an answer takes, and more for each second of audio."""
_FRAME, _HOP = 1024, 256
_LEAST_FRAMES = 4


class Sighting(NamedTuple):
    """A word in the audio."""

    number: int
    end_ms: int
    is_whole: bool


def spelled(number: int) -> str:
    """A word's number in letters: digits have rules of their own."""
    return f"{'abcdef'[number // 8]}{'abcdefgh'[number % 8]}"


def written(number: int, language: str) -> str:
    """The word in a language, with the mark that ends a sentence."""
    mark = "." if number % SENTENCE == SENTENCE - 1 else ""
    return f"{SYLLABLES[language]}{spelled(number)}{mark}"


def number_of(word: str) -> int | None:
    """Return the number of a word; None of a wrong one."""
    letters = word.strip(".")[-2:]
    known = len(letters) == 2 and letters[0] in "abcdef" and letters[1] in "abcdefgh"
    return 8 * "abcdef".index(letters[0]) + "abcdefgh".index(letters[1]) if known else None


def sightings(samples: Samples) -> list[Sighting]:
    """The words whose tones are in the audio, in order."""
    if samples.size < _FRAME:
        return []
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_FRAME))) ** 2
    hz = np.fft.rfftfreq(_FRAME, 1 / SPEECH_RATE)
    band = (hz > PILOT_HZ - 40) & (hz < PILOT_HZ + PILOT_STEP_HZ * WORDS + 40)
    power, hz = power[:, band], hz[band]
    peaks = np.argmax(power, axis=1)
    strength = power[np.arange(len(peaks)), peaks]
    loud = (strength > 1e-4) & (strength > 20 * np.median(power, axis=1))
    numbers = np.round((hz[peaks] - PILOT_HZ) / PILOT_STEP_HZ).astype(int)
    numbers[~loud] = -1
    found: list[Sighting] = []
    edges = np.flatnonzero(np.diff(numbers, prepend=-2, append=-2))
    for start, end in pairwise(edges.tolist()):
        number = int(numbers[start])
        if not 0 <= number < WORDS or end - start < _LEAST_FRAMES:
            continue
        end_ms = int((end - 1) * _HOP + _FRAME // 2) * 1000 // SPEECH_RATE
        is_whole = bool(end < len(numbers) - 1)
        if found and found[-1].number == number:
            found.pop()
        found.append(Sighting(number, end_ms, is_whole))
    return found


class Oracle:
    """Engine that knows only the words in the audio, and gets the last word of an open segment
    wrong.
    """

    def __init__(
        self, *, knows_times: bool, delay_s: float = 0.0, astray: Astray | None = None
    ) -> None:
        """`delay_s`: time that an answer takes in addition; `astray`: function that changes the
        texts of open segments as a faulty engine would, while the word `LOST` is in the audio.
        """
        self._knows_times, self._delay_s, self._astray = knows_times, delay_s, astray
        self.capabilities = AstCapabilities(
            name="oracle",
            title="Oracle",
            licence="none",
            pairs=(("en", "ru"), ("ru", "en"), ("en", "de")),
            partials=True,
            max_batch=8,
            max_audio_s=40.0,
            target_partials=True,
            prefix=knows_times,
            word_times=knows_times,
            alignment=knows_times,
        )

    def warm_up(self) -> None:
        """Do nothing: there is nothing to warm up."""

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        """Answer, in the time that a model would take."""
        seconds = max(request.samples.size for request in batch) / SPEECH_RATE
        time.sleep(PASS_S + PASS_PER_AUDIO * seconds + self._delay_s)
        return [self._answer(request) for request in batch]

    def _answer(self, request: AstRequest) -> AstResult:
        found = sightings(request.samples)
        if not found:
            return AstResult(AstStatus.NOT_UNDERSTOOD)
        source = [written(each.number, request.source_language) for each in found]
        target = [written(each.number, request.target_language) for each in found]
        if request.partial and not found[-1].is_whole:
            source[-1], target[-1] = source[-1][:2], target[-1][:2]
        ends = [each.end_ms for each in found]
        if self._astray and request.partial and LOST in (each.number for each in found):
            source, target = self._astray(Words(source, target))
        return AstResult(
            AstStatus.OK,
            " ".join(source),
            " ".join(target),
            words=self._timed(source, ends),
            target_words=self._timed(target, ends),
        )

    def _timed(self, words: Sequence[str], ends_ms: Sequence[int]) -> tuple[WordTime, ...]:
        """Return the words with their times; those that were never said end with the last."""
        if not self._knows_times:
            return ()
        never_said = max(0, len(words) - len(ends_ms))
        ends = [*ends_ms[: len(words)], *[ends_ms[-1]] * never_said]
        return tuple(WordTime(word, end) for word, end in zip(words, ends, strict=True))

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


class ToneVoice:
    """Voice that speaks each word as its tone, in `word_s`."""

    def __init__(self, word_s: float, number_of: Callable[[str], int | None] = number_of) -> None:
        """`number_of`: returns the number of a word's tone, below `WORDS`; None for others."""
        self._word_s, self._number_of = word_s, number_of
        self.capabilities = TtsCapabilities(
            name="tones",
            title="Tones",
            licence="none",
            voices=dict.fromkeys(SYLLABLES, ("tones",)),
            sample_rate=VOICE_RATE,
        )

    def warm_up(self) -> None:
        """Do nothing: there is nothing to warm up."""

    def synthesize(self, request: TtsRequest) -> Iterator[Samples]:
        """A tone for each word, as fast as is asked."""
        for word in request.text.split():
            number = self._number_of(word)
            t = np.arange(round(self._word_s / request.rate * VOICE_RATE)) / VOICE_RATE
            hz = VOICE_HZ + VOICE_STEP_HZ * (WORDS if number is None else number)
            fade = np.minimum(1.0, np.minimum(t, t[::-1]) / 0.005)
            gap = np.zeros(round(GAP_S / request.rate * VOICE_RATE))
            yield np.concatenate([0.3 * fade * np.sin(2 * np.pi * hz * t), gap]).astype(np.float32)

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


def aligned(_options: EngineOptions) -> Oracle:
    """Return an oracle with word times in both languages."""
    return Oracle(knows_times=True)


def agreeing(_options: EngineOptions) -> Oracle:
    """Return an oracle without word times."""
    return Oracle(knows_times=False)


def slow(_options: EngineOptions) -> Oracle:
    """Return an oracle that needs 0.6 s more for each answer."""
    return Oracle(knows_times=True, delay_s=0.6)


def revising(_options: EngineOptions) -> Oracle:
    """Return an oracle that takes back its last words."""
    return Oracle(knows_times=False, astray=revised)


def stalling(_options: EngineOptions) -> Oracle:
    """Return an oracle that stalls."""
    return Oracle(knows_times=True, astray=stuck)


def looping(_options: EngineOptions) -> Oracle:
    """Return an oracle that repeats a word."""
    return Oracle(knows_times=True, astray=repeated)


def echoing(_options: EngineOptions) -> Oracle:
    """Return an oracle that answers in the source language."""
    return Oracle(knows_times=True, astray=untranslated)


ENGINES = ("aligned", "agreeing", "slow", "revising", "stalling", "looping", "echoing")
"""Names of the oracles above."""


def voice(_options: EngineOptions) -> ToneVoice:
    """Return the voice of tones."""
    return ToneVoice(WORD_S)


def long_voice(_options: EngineOptions) -> ToneVoice:
    """Return a voice of tones that is slower than the speaker."""
    return ToneVoice(LONG_WORD_S)

"""Phrases of Canary's fixture, said by voices that it was not trained on, and a voice of tones.

Each word of their translations has a tone of its own, by which it is found in received audio.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bench.harness import trimmed
from bench.oracle import LONG_WORD_S, WORD_S, ToneVoice
from models.fixture.phrases import PHRASES
from models.fixture.voices import espeak
from rtc_server.engines.base import EngineOptions, Pair
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE, Samples
from rtc_server.resample import Resampler

VOICES = ("m7", "f4")
ACCENTS = {"en": "en-us", "ru": "ru"}
WORDS_A_MINUTE, PITCH = 160, 50


class SaidPhrase(NamedTuple):
    """A phrase that is said."""

    source: str
    target: str
    samples: Samples
    """Speech at the playout rate, without silence around it."""


def said_phrases(pair: Pair) -> Iterator[SaidPhrase]:
    """Yield all phrases in the first language of a pair, by one voice and then by the next."""
    for voice in VOICES:
        for english, russian in PHRASES:
            texts = {"en": english, "ru": russian}
            source, target = (texts[language] for language in pair)
            name = f"{ACCENTS[pair[0]]}+{voice}"
            spoken = espeak().speak(source, name, WORDS_A_MINUTE, PITCH)
            resampler = Resampler(SPEECH_RATE, PLAYOUT_RATE)
            samples = [resampler.push(spoken), resampler.flush()]
            yield SaidPhrase(source, target, trimmed(np.concatenate(samples)))


def translated_words() -> list[str]:
    """Return the words of all Russian translations, without marks; no two are alike."""
    return [bare(word) for _, russian in PHRASES for word in russian.split()]


def bare(word: str) -> str:
    """Return a word without the marks around it."""
    return word.strip(".,;:!?…")


def number_of(word: str) -> int | None:
    """Return the place of a word among `translated_words`; None of any other."""
    words = translated_words()
    return words.index(bare(word)) if bare(word) in words else None


def voice(_options: EngineOptions) -> ToneVoice:
    """Return a voice that speaks each word of a translation as a tone of its own."""
    return ToneVoice(WORD_S, number_of)


def long_voice(_options: EngineOptions) -> ToneVoice:
    """Return the same, slower."""
    return ToneVoice(LONG_WORD_S, number_of)

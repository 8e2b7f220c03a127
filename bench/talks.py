"""Speech for `bench.interpret`, of which it is known when each word of its translation is due."""

from dataclasses import dataclass
from itertools import cycle, pairwise

import numpy as np

from bench import oracle
from bench.harness import trimmed
from bench.phrases import said_phrases, translated_words
from rtc_server.engines.base import EngineOptions, TtsRequest
from rtc_server.engines.espeak.engine import create as create_espeak
from rtc_server.pcm import PLAYOUT_RATE, Samples
from rtc_server.resample import Resampler

SPOKEN = """
river station morning paper window garden letter doctor winter summer market bridge
kitchen table yellow purple orange silver number finger mother father sister brother
travel answer listen follow remember dinner butter coffee sugar pepper tomato banana
hotel music picture color island mountain valley forest village country capital city
"""
"""Words that are said again and again: one for each pilot tone."""
SOURCE_GAP_S = 0.05
PHRASE_GAP_S = 1.0
"""Pause between two phrases: the fixture was trained on phrases, and knows no talk."""


@dataclass(frozen=True, slots=True)
class Talk:
    """Speech, and its translation."""

    audio: Samples
    """Sound at the playout rate."""
    bounds: list[tuple[int, int]]
    """For each word of the translation, the first sample of its source, and the sample after the
    last.
    """
    written: list[str]
    """The words of the translation."""
    firsts: list[int]
    """Index of the first word of each sentence."""
    cycle: int
    """Number of words after which the same ones come again, in the same order."""


def words_with_tones(seconds: float) -> Talk:
    """Return words with their pilot tones, one after the other."""
    voice = create_espeak(EngineOptions())
    names, spoken = SPOKEN.split(), []
    for number in range(oracle.WORDS):
        resampler = Resampler(voice.capabilities.sample_rate, PLAYOUT_RATE)
        request = TtsRequest(names[number], "en", rate=1.3)
        chunks = [resampler.push(chunk) for chunk in voice.synthesize(request)]
        word = low_passed(trimmed(np.concatenate([*chunks, resampler.flush()])))
        t = np.arange(word.size) / PLAYOUT_RATE
        hz = oracle.PILOT_HZ + oracle.PILOT_STEP_HZ * number
        fade = np.minimum(1.0, np.minimum(t, t[::-1]) / 0.01)
        spoken.append((word + 0.06 * fade * np.sin(2 * np.pi * hz * t)).astype(np.float32))
    gap = np.zeros(round(SOURCE_GAP_S * PLAYOUT_RATE), np.float32)
    bounds: list[tuple[int, int]] = []
    parts, at = [np.zeros(PLAYOUT_RATE // 2, np.float32)], PLAYOUT_RATE // 2
    # The last sentence is whole.
    while at < seconds * PLAYOUT_RATE or len(bounds) % oracle.SENTENCE:
        word = spoken[len(bounds) % oracle.WORDS]
        bounds.append((at, at + word.size))
        parts += [word, gap]
        at += word.size + gap.size
    numbers = [number % oracle.WORDS for number in range(len(bounds))]
    written = [oracle.written(number, "ru") for number in numbers]
    firsts = list(range(0, len(bounds), oracle.SENTENCE))
    return Talk(np.concatenate(parts), bounds, written, firsts, oracle.WORDS)


def low_passed(samples: Samples, hz: float = 4500.0) -> Samples:
    """Return the sound without the band of the pilot tones."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(samples.size, 1 / PLAYOUT_RATE) > hz] = 0
    return np.fft.irfft(spectrum, samples.size).astype(np.float32)


def phrases(seconds: float) -> Talk:
    """Return the phrases of Canary's fixture, in English, with pauses between them.

    Their words have no counterparts one by one: each word of a translation stands for its share of
    the phrase.
    """
    gap = np.zeros(round(PHRASE_GAP_S * PLAYOUT_RATE), np.float32)
    bounds: list[tuple[int, int]] = []
    written: list[str] = []
    firsts: list[int] = []
    parts, at = [gap], gap.size
    for phrase in cycle(said_phrases(("en", "ru"))):
        words = phrase.target.split()
        edges = np.linspace(at, at + phrase.samples.size, len(words) + 1).astype(int).tolist()
        firsts.append(len(bounds))
        bounds += pairwise(edges)
        written += words
        parts += [phrase.samples, gap]
        at += phrase.samples.size + gap.size
        if at >= seconds * PLAYOUT_RATE:
            break
    return Talk(np.concatenate(parts), bounds, written, firsts, len(translated_words()))

"""Texts of the synthetic speakers: phrases of the book, and others that are not in it."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtc_phrasebook.book import LANGUAGES, Book, Phrase
from rtc_phrasebook.fillers import Value, fill
from rtc_phrasebook.network import Vocabularies
from rtc_phrasebook.pattern import Slot, Wording
from rtc_server.pcm import SPEECH_RATE, Samples


@dataclass(frozen=True, slots=True)
class Saying:
    """One phrase to be said, and its expected result."""

    spoken: str
    """Text that the voice reads: numbers and times in words."""
    source_text: str
    """Text that the engine must write in the language spoken."""
    target_text: str
    """The expected translation."""


def sayings(book: Book, language: str, seed: int, count: int) -> list[Saying]:
    """`count` phrases, each at most once before all had their turn, wordings and fillers random."""
    chance = random.Random(seed)
    vocabularies = {one: Vocabularies(book, one) for one in LANGUAGES}
    phrases = list(book.phrases)
    chance.shuffle(phrases)
    rounds = (phrases[number % len(phrases)] for number in range(count))
    return [_saying(phrase, book, language, vocabularies, chance) for phrase in rounds]


def _saying(
    phrase: Phrase,
    book: Book,
    language: str,
    vocabularies: Mapping[str, Vocabularies],
    chance: random.Random,
) -> Saying:
    wording = chance.choice(phrase.wordings[language])
    values: dict[str, Value] = {}
    spoken = ""
    for piece in wording.pieces:
        if isinstance(piece, Slot):
            words, value = chance.choice(list(vocabularies[language].sayings(piece).items()))
            values[piece.key] = value
            spoken += " ".join(words)
        else:
            spoken += piece
    other: Wording = phrase.wordings["ru" if language == "en" else "en"][0]
    return Saying(spoken, fill(wording, values, book), fill(other, values, book))


def sounds(seed: int, count: int, seconds: float = 3.0) -> dict[str, list[Samples]]:
    """Signals that are not speech: noises, chords, beats, hum, and silence."""
    chance = np.random.default_rng(seed)
    length = int(seconds * SPEECH_RATE)
    time = np.arange(length) / SPEECH_RATE
    made: dict[str, list[Samples]] = {"noise": [], "music": [], "silence": []}
    for number in range(count):
        white = chance.standard_normal(length)
        brown = np.cumsum(white)
        brown -= np.linspace(brown[0], brown[-1], length)
        bursts = white * (np.sin(2 * np.pi * chance.uniform(1, 5) * time) > 0.6)
        noise = (white, brown, bursts)[number % 3]
        made["noise"].append(_at_level(noise, chance.uniform(0.01, 0.3)))
        made["music"].append(_at_level(_melody(chance, time), chance.uniform(0.05, 0.3)))
        made["silence"].append(np.float32(1e-4) * white.astype(np.float32) * (number % 2))
    return made


def _melody(chance: np.random.Generator, time: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return notes with overtones, a chord under them, and a rhythm."""
    signal = np.zeros_like(time)
    start = 0.0
    while start < time[-1]:
        length = chance.choice([0.15, 0.3, 0.45, 0.6])
        pitch = 220.0 * 2 ** (chance.integers(0, 25) / 12)
        local = np.clip(time - start, 0, None)
        envelope = np.exp(-3 * local / length) * (time >= start)
        for overtone in range(1, 7):
            signal += envelope * np.sin(2 * np.pi * pitch * overtone * local) / overtone
        start += length
    for step in (0, 4, 7):
        signal += 0.3 * np.sin(2 * np.pi * 130.8 * 2 ** (step / 12) * time)
    beat = (np.mod(time, 0.5) < 0.05) * chance.standard_normal(len(time))
    return np.asarray(signal + 0.5 * beat)


def _at_level(signal: npt.NDArray[np.float64], peak: float) -> Samples:
    return np.asarray(signal * (peak / np.abs(signal).max()), dtype=np.float32)

"""Speech that the acoustic model is adapted with: synthetic speakers, and recorded voices."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from bench.phrasebook import other, sets, voices
from bench.phrasebook.accuracy import ROOM
from rtc_phrasebook import book as books
from rtc_server.pcm import Samples

SPEAKERS = ("m2", "m4", "m6", "m8", "f3", "klatt", "klatt2", "klatt3", "Annie", "Andy", "linda",
            "michael", "steph", "belinda", "edward", "anika")  # fmt: skip
"""espeak-ng's variants that no other part of the bench listens to."""
ACCENTS = {"en": ("en-us", "en-gb-x-rp", "en-us"), "ru": ("ru",)}
"""Language to espeak-ng's voices, which the speakers take in turn."""
CHANGES = {
    "en": ("none", "pitch", "pitch", "tempo", "noise", "noise"),
    "ru": ("none", "none", "pitch", "pitch", "pitch", "tempo", "tempo", "noise"),
}
"""Language to what may happen to a sample; noise is what English fails in."""
PHRASES, SENTENCES = 40, 24
"""Number of phrases of the book, and of sentences of general text, for each speaker."""
RECORDED_TEXTS = {"en": (90, 30), "ru": (140, 50)}
"""Language to the same for a voice of `voices.RECORDED`; each text is used as spoken, and once more
in noise or, in Russian, by telephone."""
NOISE_WEIGHT = 2
"""Weight of its samples in noise."""
ESPEAK_STRIDE = {"en": 4, "ru": 1}
"""Language to the stride of espeak-ng's samples: of so many, one is used."""
ESPEAK_WEIGHT = {"en": 1.2, "ru": 0.3}
"""Weight of a sample of espeak-ng, beside one of a recorded voice."""


@dataclass(frozen=True, slots=True)
class TrainingSample:
    """Training sample of the model."""

    text: str
    """Text that was said."""
    samples: Samples
    """Audio."""
    weight: float
    """Weight of the sample."""


def training_samples(language: str) -> Iterator[TrainingSample]:
    """Yield all speakers' samples of texts: high and low, fast and slow, and in noise."""
    yield from islice(_of_espeak(language), 0, None, ESPEAK_STRIDE[language])
    yield from _of_recordings(language)


def _of_espeak(language: str) -> Iterator[TrainingSample]:
    book, lines = books.load(), other.sentences(other.TUNING[language])
    accents = ACCENTS[language]
    for number, name in enumerate(SPEAKERS):
        chance = random.Random(number)
        texts = [one.spoken for one in sets.sayings(book, language, 7000 + number, PHRASES)]
        texts += chance.sample(lines, SENTENCES)
        accent = accents[number % len(accents)]
        voice = voices.Voice(name, language, "espeak", f"{accent}+{name}")
        for text, samples in zip(texts, voices.speak(texts, voice), strict=True):
            change = chance.choice(CHANGES[language])
            heard = _changed(np.concatenate([ROOM, samples, ROOM]), change, chance)
            yield TrainingSample(text, heard, ESPEAK_WEIGHT[language])


def _of_recordings(language: str) -> Iterator[TrainingSample]:
    book, lines = books.load(), other.sentences(other.TUNING[language])
    for number, voice in enumerate(voices.RECORDED[language]):
        chance = random.Random(300 + number)
        phrases, sentences = RECORDED_TEXTS[language]
        said = sets.sayings(book, language, 7300 + number, phrases)
        texts = [one.spoken for one in said] + chance.sample(lines, sentences)
        for text, samples in zip(texts, voices.speak(texts, voice), strict=True):
            for again in (False, True):
                draw = chance.random()
                change = "tempo" if draw < 0.2 else "pitch" if draw < 0.5 else "none"
                heard = np.concatenate([ROOM, _changed(samples, change, chance), ROOM])
                if not again:
                    yield TrainingSample(text, heard, 1)
                elif language == "ru":
                    yield TrainingSample(text, voices.by_telephone(heard), 1)
                else:
                    snr_db = chance.choice((12.0, 15.0, 18.0))
                    noisy = voices.with_noise(heard, snr_db, chance.randrange(1000))
                    yield TrainingSample(text, noisy, NOISE_WEIGHT)


def _changed(samples: Samples, change: str, chance: random.Random) -> Samples:
    if change == "pitch":
        return voices.with_sox(samples, "pitch", str(chance.choice((-250, -150, 150, 250))))
    if change == "tempo":
        return voices.with_sox(samples, "tempo", str(chance.choice((0.85, 1.15, 1.25))))
    if change == "noise":
        return voices.with_noise(samples, chance.choice((12.0, 18.0)), chance.randrange(1000))
    return samples

"""Moves the acoustic model to where a language falls, by synthetic speech.

    python -m bench.phrasebook.adapt [--language en]

Writes `rtc_phrasebook/data/en-means.npz` and `ru-means.npz`, which the phrasebook engine listens
with. Its speakers are neither those that tune the rejection nor those that figures are quoted for.
English gains in noise, for women most, and for high voices. espeak-ng adds a little chance of its
own: made again, one value in forty of the file differed, by a step or two. Each sample is
aligned with the phones that the engine itself would expect; the means are then re-estimated, with
the wheel's as prior (maximum a posteriori; Gauvain and Lee 1994). Russian is aligned a second time,
by the moved means. The mixture weights are re-estimated in the same way, with the last alignment.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pocketsphinx

from bench.phrasebook import voices
from bench.phrasebook.training import SPEAKERS, TrainingSample, training_samples
from rtc_phrasebook import acoustic, pronounce
from rtc_phrasebook import book as books
from rtc_phrasebook.book import LANGUAGES
from rtc_phrasebook.decoder import (
    FILLERS,
    PHONES,
    Decoder,
    acoustic_model,
    as_dictionary,
    dictionary,
)
from rtc_phrasebook.denoise import denoise, with_room
from rtc_phrasebook.espeak_phonemes import EspeakPhonemes
from rtc_phrasebook.pattern import spoken_words
from rtc_phrasebook.pronounce import Pronunciations

PRIOR = {"en": 40.0, "ru": 30.0}
"""Frames of speech that each mean of the wheel counts for."""
WEIGHT_PRIOR = {"en": 30.0, "ru": 30.0}
"""The same for the mixture weights of a senone."""
WEIGHT_STEPS = {"en": 2, "ru": 1}
"""Moves of mixture weights are kept in multiples of so many of the file's steps. Coarser ones take
fewer bytes."""
PASSES = {"en": 1, "ru": 2}
"""Alignments, each after the first by the means that the one before has moved."""
CODEBOOKS = sorted([*PHONES, "SIL", "+NSN+", "+SPN+"])
"""The model's order of its phones."""
_LEAST_VARIANCE = 1e-4
_WEIGHT_STEP = 1024 * np.log(1.0001)
"""Mixture weights are kept as logarithms to this, negated."""
_LEAST_WEIGHT = 1e-9


@dataclass(frozen=True, slots=True)
class Aligned:
    """Speech, and which state of the model each frame belongs to."""

    features: npt.NDArray[np.float64]
    """Shape (frames, streams, values)."""
    codebooks: npt.NDArray[np.int64]
    """Phone whose Gaussians they are, one a frame."""
    senones: npt.NDArray[np.int64]
    """Mixture of that phone, one a frame."""


class Aligner:
    """Aligner that finds the phones of a text in speech, and keeps their features."""

    def __init__(self, spoken: Pronunciations, model: Path, folder: Path) -> None:
        words, fillers = folder / "words.dict", folder / "fillers.dict"
        words.write_text(as_dictionary(spoken), encoding="utf-8")
        fillers.write_text("".join(f"{word} {phone}\n" for word, phone in FILLERS.items()))
        self._features = folder / "features"
        self._features.mkdir()
        self._decoder = pocketsphinx.Decoder(
            hmm=str(model), dict=str(words), fdict=str(fillers), lm=None, beam=1e-60,
            pbeam=1e-60, wbeam=1e-40, bestpath=False, loglevel="FATAL",
            mfclogdir=str(self._features),
        )  # fmt: skip

    def align(self, audio: bytes, words: Sequence[str]) -> Aligned | None:
        """None if the sound does not hold the words."""
        decoder = self._decoder
        decoder.set_align_text(" ".join(words))
        self._hear(audio)
        if decoder.hyp() is None:
            return None
        decoder.set_alignment()
        for file in self._features.iterdir():
            file.unlink()
        self._hear(audio)
        (logged,) = self._features.iterdir()
        features = _features(logged)
        states = [
            (CODEBOOKS.index(phone.name), int(state.name))
            for word in decoder.get_alignment()
            for phone in word
            for state in phone
            for _ in range(state.duration)
        ]
        frames = min(len(features), len(states))
        marks = np.array(states[:frames])
        return Aligned(features[:frames], marks[:, 0], marks[:, 1])

    def _hear(self, audio: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(audio, no_search=False, full_utt=True)
        self._decoder.end_utt()


def _features(logged: Path) -> npt.NDArray[np.float64]:
    """Return the features of the model: cepstra about their mean, their slopes and
    their curvature.
    """
    cepstra = np.frombuffer(logged.read_bytes()[4:], ">f4").reshape(-1, 13).astype(np.float64)
    cepstra = cepstra - cepstra[cepstra[:, 0] >= 0].mean(axis=0)
    padded = np.pad(cepstra, ((3, 3), (0, 0)), mode="edge")

    def at(shift: int) -> npt.NDArray[np.float64]:
        return padded[3 + shift : 3 + shift + len(cepstra)]

    slopes = at(2) - at(-2)
    curvature = (at(3) - at(-1)) - (at(1) - at(-3))
    return np.stack([cepstra, slopes, curvature], axis=1)


class Statistics:
    """Counts of each Gaussian, of the values it stood for, and of its senones."""

    def __init__(self, model: Path) -> None:
        """Take the model that the speech was aligned by."""
        wheel = acoustic_model()
        self._wheel = acoustic.read_gaussians(wheel / acoustic.MEANS).astype(np.float64)
        self._means = acoustic.read_gaussians(model / acoustic.MEANS).astype(np.float64)
        self._variances = np.maximum(
            acoustic.read_gaussians(wheel / acoustic.VARIANCES).astype(np.float64),
            _LEAST_VARIANCE,
        )
        self._weights = acoustic.read_weights(wheel / acoustic.WEIGHTS)[1].astype(np.float64)
        self._log_weights = -_WEIGHT_STEP * self._weights
        self._counts = np.zeros(self._means.shape[:3])
        self._sums = np.zeros(self._means.shape)
        self._senones = np.zeros(self._weights.shape)

    def add(self, heard: Aligned, weight: float) -> None:
        """Add one sample, which counts `weight` times."""
        for book in np.unique(heard.codebooks):
            frames = np.flatnonzero(heard.codebooks == book)
            values, senones = heard.features[frames], heard.senones[frames]
            for stream in range(values.shape[1]):
                shares = weight * self._shares(int(book), stream, values[:, stream], senones)
                self._counts[book, stream] += shares.sum(axis=0)
                self._sums[book, stream] += shares.T @ values[:, stream]
                np.add.at(self._senones[stream].T, senones, shares)

    def _shares(
        self,
        book: int,
        stream: int,
        values: npt.NDArray[np.float64],
        senones: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.float64]:
        """Return the share of each frame that each Gaussian explains, shape (frames, Gaussians)."""
        variances = self._variances[book, stream]
        off = values[:, None] - self._means[book, stream]
        likely = -0.5 * (np.square(off) / variances + np.log(variances)).sum(axis=-1)
        likely += self._log_weights[stream][:, senones].T
        shares = np.exp(likely - likely.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def moves(
        self, prior: float, weight_prior: float | None, weight_steps: int = 1
    ) -> acoustic.Moves:
        """Return the moves from the wheel's model; its means count for `prior` frames each, its
        mixture weights for `weight_prior` each senone, or stay where that is None.
        """
        means = (prior * self._wheel + self._sums) / (prior + self._counts[..., None])
        steps = acoustic.moves_between(self._wheel, means, self._variances)
        model = acoustic.checksum(acoustic_model())
        if weight_prior is None:
            return acoustic.Moves(model, steps)
        met = np.flatnonzero(self._senones.sum(axis=(0, 1)) > 0)
        return acoustic.Moves(
            model, steps, met.astype(np.uint16), self._steps_of(met, weight_prior, weight_steps)
        )

    def _steps_of(
        self, senones: npt.NDArray[np.intp], prior: float, multiple: int
    ) -> npt.NDArray[np.int8]:
        """Return the moves of these senones' weights, each a multiple of so many steps."""
        before, counts = np.exp(self._log_weights[:, :, senones]), self._senones[:, :, senones]
        total, met = before.sum(axis=1, keepdims=True), counts.sum(axis=1, keepdims=True)
        after = total * (prior * before / total + counts) / (prior + met)
        moved = -np.log(np.maximum(after, _LEAST_WEIGHT)) / _WEIGHT_STEP
        unit = acoustic.WEIGHT_STEP * multiple
        steps = np.rint((moved - self._weights[:, :, senones]) / unit)
        most = 127 // multiple
        return np.asarray(multiple * np.clip(steps, -most, most), np.int8)


def pronunciations(words: set[str], language: str) -> Pronunciations:
    """Return the phones of words, as the engine would expect them."""
    respelled, espeak = books.load().sounds.get(language, {}), EspeakPhonemes()
    if language == "en":
        return pronounce.english(words, dictionary(), respelled, espeak)
    return pronounce.russian(words, respelled, espeak)


def adapt(language: str) -> None:
    """Write the moves of one language."""
    said = list(training_samples(language))
    statistics, lost = measure(said, language, acoustic_model())
    for _ in range(PASSES[language] - 1):
        with tempfile.TemporaryDirectory() as folder:
            moves = statistics.moves(PRIOR[language], None)
            model = acoustic.adapted(acoustic_model(), moves, Path(folder))
            statistics, lost = measure(said, language, model)
    file = acoustic.moves_file(language)
    prior, weight_prior = PRIOR[language], WEIGHT_PRIOR[language]
    acoustic.write_moves(file, statistics.moves(prior, weight_prior, WEIGHT_STEPS[language]))
    count, size_kb = len(said) - lost, file.stat().st_size / 1e3
    speakers = len(SPEAKERS) + len(voices.RECORDED[language])
    print(f"{language}: {count} samples of {speakers} speakers, {lost} lost; {size_kb:.0f} kB")


def measure(said: Sequence[TrainingSample], language: str, model: Path) -> tuple[Statistics, int]:
    """Return the statistics of samples aligned by a model, and how many it could not align."""
    texts = [spoken_words(one.text, language) for one in said]
    spoken = pronunciations({word for words in texts for word in words}, language)
    statistics, lost = Statistics(model), 0
    with tempfile.TemporaryDirectory() as folder:
        aligner = Aligner(spoken, model, Path(folder))
        for one, words in zip(said, texts, strict=True):
            audio = Decoder.condition(with_room(denoise(one.samples)))
            aligned = aligner.align(audio, [word for word in words if word in spoken])
            if aligned is None:
                lost += 1
            else:
                statistics.add(aligned, one.weight)
    return statistics, lost


def main() -> int:
    """Write the moves; exit code 2 when a voice is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--language", choices=LANGUAGES, action="append", help="default: both")
    arguments = parser.parse_args()
    languages = arguments.language or LANGUAGES
    missing = voices.missing_packages()
    for language in languages:
        missing += voices.missing_recorded_packages(language)
    if missing:
        print(f"Voices are missing: apt-get install {' '.join(missing)}", file=sys.stderr)
        return 2
    if any(map(voices.lacks_rhvoice, languages)):
        print(
            f"{voices.RHVOICE} is missing. bench/phrasebook/voices.py says how to build it.",
            file=sys.stderr,
        )
        return 2
    for language in languages:
        adapt(language)
    return 0


if __name__ == "__main__":
    sys.exit(main())

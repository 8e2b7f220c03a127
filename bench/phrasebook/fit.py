"""Weights for the phrasebook's rejection, by logistic regression on the tuning voices.

    python -m bench.phrasebook.fit [--count 24]

Prints lines for `rtc_phrasebook/rejection.py`. Never shown the held-out voices.
"""

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from bench.phrasebook import other, sets, voices
from bench.phrasebook.accuracy import CONDITIONS, ROOM
from rtc_phrasebook import book as books
from rtc_phrasebook.book import LANGUAGES, Book
from rtc_phrasebook.fillers import fill
from rtc_phrasebook.network import Vocabularies, matches
from rtc_phrasebook.recognizer import PhraseRecognizer
from rtc_server.pcm import Samples

FALSE_ACCEPTS = (0.01, 0.02, 0.03, 0.05, 0.08)
"""Shares of strange sounds that may pass, on the tuning set; most that do are near misses."""
NEAR_MISSES = 10
"""Number of near misses of either kind for each voice."""
WRONG_COST = 3.0
"""Cost of a phrase taken for another, relative to a strange sound taken for one."""


def phrases(book: Book, language: str, count: int) -> Iterator[tuple[Samples, str]]:
    """Segments and the right translation."""
    for number, voice in enumerate(voices.TUNING[language]):
        said = sets.sayings(book, language, 500 + number, count)
        spoken = voices.speak([one.spoken for one in said], voice)
        for turn, (one, samples) in enumerate(zip(said, spoken, strict=True)):
            change = CONDITIONS[turn % len(CONDITIONS)][1]
            heard = np.concatenate([ROOM, samples, ROOM])
            yield change(heard, turn // len(CONDITIONS)), one.target_text


def strangers(book: Book, language: str) -> Iterator[Samples]:
    """Segments that are not in the book."""
    lines = other.sentences(other.TUNING[language])
    for number, voice in enumerate(voices.TUNING[language]):
        texts = [*lines[number % 3 :: 3], *near_misses(book, language, 600 + number, lines)]
        for turn, samples in enumerate(voices.speak(texts, voice)):
            change = CONDITIONS[turn % len(CONDITIONS)][1]
            yield change(np.concatenate([ROOM, samples, ROOM]), turn // len(CONDITIONS))
    for voice_name, spoken in other.ELSEWHERE.items():
        for text in spoken.split("|")[: other.ELSEWHERE_TUNING]:
            yield np.concatenate([ROOM, voices.ESPEAK.speak(text, voice_name), ROOM])
    for made in sets.sounds(1, 20).values():
        yield from made


def near_misses(book: Book, language: str, seed: int, lines: Sequence[str]) -> list[str]:
    """Sentences that begin as a phrase of the book does, and short ends of others."""
    chance = random.Random(seed)
    chosen = chance.sample(lines, 2 * NEAR_MISSES)
    ends = [" ".join(line.split()[-chance.choice((2, 3)) :]) for line in chosen]
    begun = sets.sayings(book, language, seed, NEAR_MISSES)
    starts = [one.spoken.rstrip(".?!").split()[: chance.choice((1, 2))] for one in begun]
    mixed = [" ".join([*start, end]) for start, end in zip(starts, ends, strict=False)]
    return mixed + ends[NEAR_MISSES:]


def regression(
    rows: npt.NDArray[np.float64], good: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return weights that separate good rows from bad ones."""
    scale = rows.std(axis=0)
    scale[scale == 0] = 1
    signs = np.where(good, 1.0, -1.0)

    def cost(weights: npt.NDArray[np.float64]) -> float:
        errors = np.logaddexp(0, -signs * (rows / scale @ weights))
        return float(weight @ errors + 1e-3 * np.sum(weights[1:] ** 2))

    return np.asarray(minimize(cost, np.zeros(rows.shape[1])).x / scale)


@dataclass(frozen=True, slots=True)
class Trials:
    """Judgements of the recognizer on the tuning set, one row a match."""

    rows: npt.NDArray[np.float64]
    """Measures of the evidence, shape (matches, measures)."""
    right: npt.NDArray[np.bool_]
    """Mask of the matches that are the spoken phrase."""
    strange: npt.NDArray[np.bool_]
    """Mask of the matches of speech outside the book."""
    phrases: int
    """Number of phrases spoken, understood or not."""
    strangers: int
    """Strange sounds, matched or not."""


def collect(language: str, count: int) -> Trials:
    """Run the recognizer on the tuning set."""
    book = books.load()
    vocabularies = {one: Vocabularies(book, one) for one in LANGUAGES}
    recognizer = PhraseRecognizer(book, vocabularies)
    target = "ru" if language == "en" else "en"
    rows, right, strange = [], [], []
    said = list(phrases(book, language, count))
    unknown = list(strangers(book, language))
    for samples, wanted in [*said, *((samples, "") for samples in unknown)]:
        heard = recognizer.understand(samples, language)
        if heard.evidence is None:
            continue
        found = matches(heard.words, book.phrases, language, vocabularies[language])
        match = next(found, None)
        if match is None:  # a decoy, which is never translated
            continue
        meant = fill(match.phrase.wordings[target][0], match.values, book)
        rows.append(heard.evidence.measures())
        right.append(meant == wanted)
        strange.append(not wanted)
    return Trials(np.array(rows), np.array(right), np.array(strange), len(said), len(unknown))


def report(language: str, trials: Trials) -> None:
    """Print weights for several shares of accepted speech outside the book."""
    right, strange = trials.right, trials.strange
    cost = np.where(strange, 1.0, WRONG_COST) / strange.sum()
    weights = regression(trials.rows, right, np.where(right, 1 / right.sum(), cost))
    scores = trials.rows @ weights
    print(f"{language}: recognised {right.sum()}/{trials.phrases}")
    for share in FALSE_ACCEPTS:
        least = np.sort(scores[strange])[::-1][int(share * trials.strangers)]
        passes = scores > least
        shown = ", ".join(f"{one:.2f}" for one in (weights[0] - least, *weights[1:]))
        print(
            f"{share:.3f}: kept {np.sum(passes & right)}, "
            f"wrong phrases {np.sum(passes & ~right & ~strange)}, "
            f"strangers {np.sum(passes & strange)}/{trials.strangers}: ({shown})",
            flush=True,
        )


def main() -> int:
    """Print what `rtc_phrasebook/rejection.py` may take."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=24, help="phrases a voice (default: 24)")
    parser.add_argument("--language", choices=LANGUAGES, action="append", help="default: both")
    arguments = parser.parse_args()
    for language in arguments.language or LANGUAGES:
        report(language, collect(language, arguments.count))
    return 0


if __name__ == "__main__":
    sys.exit(main())

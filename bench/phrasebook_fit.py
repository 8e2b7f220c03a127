"""Weights for the phrasebook's rejection, by logistic regression on the tuning voices.

    python -m bench.phrasebook_fit [--count 24]

Prints lines for `rtc_server/engines/phrasebook/rejection.py`. Never shown the held-out voices.
"""

import argparse
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from bench import phrasebook_other as other
from bench import phrasebook_sets as sets
from bench import phrasebook_voices as voices
from bench.phrasebook import CONDITIONS, ROOM
from rtc_server.engines.phrasebook import book as books
from rtc_server.engines.phrasebook.book import LANGUAGES, Book
from rtc_server.engines.phrasebook.fillers import fill
from rtc_server.engines.phrasebook.network import Vocabularies, matches
from rtc_server.engines.phrasebook.recognizer import Recognizer
from rtc_server.pcm import Samples

FALSE_ACCEPTS = 0.01
"""Share of strange sounds that may pass, on the tuning set."""
WRONG_COST = 3.0
"""How much worse a phrase taken for another is than a strange sound taken for one."""


def phrases(book: Book, language: str, count: int) -> Iterator[tuple[Samples, str]]:
    """Segments and the right translation."""
    for number, voice in enumerate(voices.TUNING[language]):
        said = sets.sayings(book, language, 500 + number, count)
        spoken = voices.speak([one.spoken for one in said], voice)
        for turn, (one, samples) in enumerate(zip(said, spoken, strict=True)):
            change = CONDITIONS[turn % len(CONDITIONS)][1]
            heard = np.concatenate([ROOM, samples, ROOM])
            yield change(heard, turn // len(CONDITIONS)), one.target_text


def strangers(language: str) -> Iterator[Samples]:
    """Segments that are not in the book."""
    lines = other.sentences(other.TUNING[language])
    for voice in voices.TUNING[language]:
        for turn, samples in enumerate(voices.speak(lines, voice)):
            change = CONDITIONS[turn % len(CONDITIONS)][1]
            yield change(np.concatenate([ROOM, samples, ROOM]), turn // len(CONDITIONS))
    for voice_name, spoken in other.ELSEWHERE.items():
        for text in spoken.split("|")[:2]:
            yield np.concatenate([ROOM, voices.ESPEAK.speak(text, voice_name), ROOM])
    for made in sets.sounds(1, 20).values():
        yield from made


def fit(
    rows: npt.NDArray[np.float64], good: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Weights that tell good rows from bad ones."""
    scale = rows.std(axis=0)
    scale[scale == 0] = 1
    signs = np.where(good, 1.0, -1.0)

    def cost(weights: npt.NDArray[np.float64]) -> float:
        errors = np.logaddexp(0, -signs * (rows / scale @ weights))
        return float(weight @ errors + 1e-3 * np.sum(weights[1:] ** 2))

    return np.asarray(minimize(cost, np.zeros(rows.shape[1])).x / scale)


def main() -> int:
    """Print the weights and what they reach on the set they were made from."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=24, help="phrases a voice (default: 24)")
    parser.add_argument("--language", choices=LANGUAGES, action="append", help="default: both")
    arguments = parser.parse_args()
    count = arguments.count
    book = books.load()
    vocabularies = {language: Vocabularies(book, language) for language in LANGUAGES}
    recognizer = Recognizer(book, vocabularies)
    for language in arguments.language or LANGUAGES:
        target = "ru" if language == "en" else "en"
        rows, good, strange, said = [], [], [], 0
        for samples, wanted in phrases(book, language, count):
            said += 1
            heard = recognizer.understand(samples, language)
            if heard.evidence is not None:
                known = vocabularies[language]
                match = next(matches(heard.words, book.phrases, language, known))
                meant = fill(match.phrase.wordings[target][0], match.values, book)
                rows.append(heard.evidence.measures())
                good.append(meant == wanted)
                strange.append(False)
        recognised, others = sum(good), 0
        for samples in strangers(language):
            others += 1
            heard = recognizer.understand(samples, language)
            if heard.evidence is not None:
                rows.append(heard.evidence.measures())
                good.append(False)
                strange.append(True)
        table, right, odd = np.array(rows), np.array(good), np.array(strange)
        weights = fit(
            table,
            right,
            np.where(right, 1 / right.sum(), np.where(odd, 1.0, WRONG_COST) / odd.sum()),
        )
        passing = np.sort(table[odd] @ weights)[::-1][int(FALSE_ACCEPTS * others)]
        weights[0] -= passing
        kept = int(np.sum(table[right] @ weights > 0))
        wrong = int(np.sum(table[~right & ~odd] @ weights > 0))
        print(f'    "{language}": ({", ".join(f"{one:.2f}" for one in weights)}),')
        print(
            f"# {language}: recognised {recognised}/{said}, kept {kept}, wrong phrases passing "
            f"{wrong}, strangers passing {int(np.sum(table[odd] @ weights > 0))}/{others}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

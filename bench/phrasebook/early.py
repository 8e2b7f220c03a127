"""Phrases that would be committed before their end, if one possible continuation were enough.

    python -m bench.phrasebook.early [--segments 120] [--languages en ru]

Prompts of people that are not in the book (`bench.phrasebook.people`), in random order. Every 0.4 s
the words so far are asked for; when twice in a row, two words or more, they can begin one phrase of
the book and no other, its translation would be spoken. Nothing of these prompts may be.
"""

import argparse
import random

from bench.phrasebook.people import VOICES, InBook, in_room, prompts, segments
from rtc_phrasebook import book as books
from rtc_phrasebook.network import Vocabularies
from rtc_phrasebook.partial import beginnings
from rtc_phrasebook.recognizer import PhraseRecognizer
from rtc_server.pcm import SPEECH_RATE, Samples

FIRST_SAMPLES, STEP_SAMPLES = 8 * SPEECH_RATE // 10, 4 * SPEECH_RATE // 10
FEWEST_WORDS = 2


class Early:
    """The engine's words so far, and the phrases that they can begin."""

    def __init__(self) -> None:
        self._book = books.load()
        self._known = {one: Vocabularies(self._book, one) for one in VOICES}
        self._recognizer = PhraseRecognizer(self._book, self._known)

    def commits(self, samples: Samples, language: str) -> bool:
        """Return whether a phrase would be committed before the end."""
        before = None
        for end in range(FIRST_SAMPLES, len(samples) + 1, STEP_SAMPLES):
            only = self._only(samples[:end], language)
            if only is not None and only == before:
                return True
            before = only
        return False

    def _only(self, samples: Samples, language: str) -> int | None:
        words = self._recognizer.words_so_far(samples, language)
        if len(words) < FEWEST_WORDS:
            return None
        known = self._known[language]
        found = {index for index, _ in beginnings(words, self._book, language, known)}
        return found.pop() if len(found) == 1 else None


def main(most: int, languages: list[str]) -> None:
    """Print the counts."""
    early, in_book = Early(), InBook()
    for language in languages:
        outside = [one for one in prompts(language) if not in_book(one.text, language)]
        random.Random(1).shuffle(outside)
        parts = [part for one in outside for part in segments(in_room(one.samples))][:most]
        committed = sum(early.commits(part.samples, language) for part in parts)
        print(f"{language}: {committed} of {len(parts)} would be committed early", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--segments", type=int, default=120)
    parser.add_argument("--languages", nargs="+", choices=sorted(VOICES), default=sorted(VOICES))
    options = parser.parse_args()
    main(options.segments, options.languages)

"""Recognition of a segment as words of the book, or rejection as something else."""

import math
from dataclasses import dataclass

import numpy as np

from rtc_phrasebook import acoustic, pronounce
from rtc_phrasebook.book import LANGUAGES, Book
from rtc_phrasebook.decoder import PAUSE, Decoder, as_phones, dictionary
from rtc_phrasebook.denoise import denoise, with_room
from rtc_phrasebook.espeak_phonemes import EspeakPhonemes
from rtc_phrasebook.fillers import examples
from rtc_phrasebook.nearest import Nearest
from rtc_phrasebook.network import Vocabularies, build
from rtc_phrasebook.pattern import spoken_words
from rtc_phrasebook.pronounce import Phones, Pronunciations
from rtc_phrasebook.rejection import Evidence, evidence, is_match
from rtc_server.engines.contract import ConfigError, Samples, centered

_MOST_NOISE = 0.5
"""Share of the power that noise removal may remove. From speech it never removes as much."""
_LEAST_POWER = 1e-12
NEAR = 0.45
"""Largest distance of a phrase that is offered as a near phrase. With the tests' voices, phrases of
the book are at 0 to 0.41 from the nearest one, other sentences at 0.50 to 0.73."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """Result of recognising one segment."""

    words: tuple[str, ...]
    """Words of the best match in the book, right or wrong; it may be a decoy."""
    evidence: Evidence | None
    """Comparison of the match with free phones; None without a match."""
    matched: bool
    """True if the comparison accepts the match."""
    sound: Phones
    """The segment as free phones, for the search of near phrases."""


class PhraseRecognizer:
    """Recognizer of a book's phrases, in both languages."""

    def __init__(self, book: Book, vocabularies: dict[str, Vocabularies]) -> None:
        networks = {
            language: build(
                [
                    *(each for phrase in book.phrases for each in phrase.wordings[language]),
                    *book.decoys.get(language, ()),
                ],
                vocabularies[language],
            )
            for language in LANGUAGES
        }
        espeak = EspeakPhonemes()
        spoken: dict[str, Pronunciations] = {
            "en": pronounce.english(
                networks["en"].words(), dictionary(), book.sounds.get("en", {}), espeak
            ),
            "ru": pronounce.russian(networks["ru"].words(), book.sounds.get("ru", {}), espeak),
        }
        for language, network in networks.items():
            silent = sorted(network.words() - spoken[language].keys())
            if silent:
                raise ConfigError(
                    f"The phrasebook word “{silent[0]}” cannot be pronounced; "
                    f"give it a respelling under [sound.{language}]."
                )
        self._spoken = spoken
        self._paths = {language: network.paths() for language, network in networks.items()}
        self._decoders = {
            language: Decoder(
                networks[language],
                spoken[language],
                acoustic.read_moves(acoustic.moves_file(language)),
            )
            for language in LANGUAGES
        }
        shown = [examples(phrase, book) for phrase in book.phrases]
        self._nearest = {
            language: Nearest(
                [_sound(pair[language], language, spoken[language]) for pair in shown]
            )
            for language in LANGUAGES
        }

    def understand(self, samples: Samples, language: str) -> Understanding:
        """Recognise a whole segment."""
        even = centered(samples)  # an offset would count as noise
        clean = denoise(even)
        noise = 1 - _power(clean) / max(_power(even), _LEAST_POWER)
        if noise > _MOST_NOISE:  # or silence
            return Understanding((), None, matched=False, sound=())
        audio = Decoder.condition(with_room(clean))
        best = self._decoders[language].words(audio)
        free = self._decoders[language].phones(audio)
        words = tuple(one.text for one in best if one.text != PAUSE)
        found = evidence(
            best,
            free,
            spoken=self._spoken[language],
            freedom=self._freedom(words, language),
            noise=noise,
        )
        matched = found is not None and is_match(found, language)
        return Understanding(words, found, matched, as_phones(free))

    def _freedom(self, words: tuple[str, ...], language: str) -> float:
        """Return the log of the number of paths: the product of the choices at each word."""
        paths, state, freedom = self._paths[language], 0, 0.0
        for word in words:
            freedom += math.log(len(paths[state]))
            state = paths[state][word]
        return freedom

    def words_so_far(self, samples: Samples, language: str) -> tuple[str, ...]:
        """Return the whole words recognised in an open segment so far."""
        audio = Decoder.condition(with_room(denoise(centered(samples))))
        heard = self._decoders[language].words_so_far(audio)
        return tuple(one.text for one in heard if one.text != PAUSE)

    def nearest(self, sound: Phones, language: str) -> list[int]:
        """Return the indices of the book's phrases with a similar sound, the nearest first."""
        return self._nearest[language].rank(sound, within=NEAR)


def _power(samples: Samples) -> float:
    return float(np.dot(samples, samples))


def _sound(text: str, language: str, spoken: Pronunciations) -> Phones:
    """Return the likeliest pronunciation of a written example, without numbers in digits."""
    words = spoken_words(text, language)
    return tuple(phone for word in words if word in spoken for phone in spoken[word][0])

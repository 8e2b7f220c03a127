"""From samples to words of the book, or to the certainty that it was something else."""

from collections.abc import Sequence
from dataclasses import dataclass

from rtc_server.engines.phrasebook import pronounce
from rtc_server.engines.phrasebook.book import LANGUAGES, Book
from rtc_server.engines.phrasebook.decoder import PAUSE, Decoder, Heard, as_phones, dictionary
from rtc_server.engines.phrasebook.espeak_phonemes import EspeakPhonemes
from rtc_server.engines.phrasebook.fillers import examples
from rtc_server.engines.phrasebook.nearest import Nearest
from rtc_server.engines.phrasebook.network import Vocabularies, build
from rtc_server.engines.phrasebook.pattern import spoken_words
from rtc_server.engines.phrasebook.pronounce import Phones, Pronunciations
from rtc_server.engines.phrasebook.rejection import Evidence, evidence, is_match
from rtc_server.errors import ConfigError
from rtc_server.pcm import Samples


@dataclass(frozen=True, slots=True)
class Understanding:
    """What one segment turned out to be."""

    words: tuple[str, ...]
    """What was said; empty if it is not in the book."""
    evidence: Evidence | None
    """How the best match compares with free sound; None without any match."""
    sound: Phones
    """The same as free phones, for finding what is near."""


class Recognizer:
    """Both languages of a book, ready to listen."""

    def __init__(self, book: Book, vocabularies: dict[str, Vocabularies]) -> None:
        networks = {
            language: build(
                [wording for phrase in book.phrases for wording in phrase.wordings[language]],
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
        self._decoder = Decoder(networks, spoken.values())
        shown = [examples(phrase, book) for phrase in book.phrases]
        self._nearest = {
            language: Nearest(
                [_sound(pair[language], language, spoken[language]) for pair in shown]
            )
            for language in LANGUAGES
        }

    def understand(self, samples: Samples, language: str) -> Understanding:
        """A whole segment."""
        audio = self._decoder.condition(samples)
        best = self._decoder.words(audio, language)
        free = self._decoder.phones(audio)
        found = evidence(best, free) if best else None
        words = _words(best) if found is not None and is_match(found, language) else ()
        return Understanding(words, found, as_phones(free))

    def words_so_far(self, samples: Samples, language: str) -> tuple[str, ...]:
        """The whole words at the beginning of an unfinished segment."""
        return _words(self._decoder.words_so_far(self._decoder.condition(samples), language))

    def nearest(self, sound: Phones, language: str) -> list[int]:
        """Indices into the book's phrases, the nearest in sound first."""
        return self._nearest[language].rank(sound)


def _words(heard: Sequence[Heard]) -> tuple[str, ...]:
    return tuple(one.text for one in heard if one.text != PAUSE)


def _sound(text: str, language: str, spoken: Pronunciations) -> Phones:
    """The likeliest pronunciation of a written example; numbers in digits stay silent."""
    words = spoken_words(text, language)
    return tuple(phone for word in words if word in spoken for phone in spoken[word][0])

"""Check against invented text, for any engine that writes freely.

A generative model always answers, to noise as well as to speech: Canary's own model card counts
135 characters of text a minute on recordings without speech. A text caught here is reported as not
understood and never spoken. The rules look only at the text and the length of the audio: pure,
deterministic, the same for every engine.
"""

import re
from collections import Counter
from enum import StrEnum
from itertools import groupby

import numpy as np

from rtc_server.engines.writing import script_of_language, script_of_letter
from rtc_server.pcm import Samples, centered

SILENCE_PEAK = 10 ** (-60 / 20)
"""Peak, of full scale 1.0, below which audio (-60 dBFS) holds no speech."""

FASTEST_CHARACTERS_PER_S = 30.0
"""Characters a second that no speaker exceeds; 15 to 20 is fast."""

SHORT_TEXT = 20
"""Most characters of a text that is too short to judge by its length."""

LARGEST_RATIO = 4.0
"""Largest ratio between the lengths of a text and its translation, either way."""

LEAST_REPEATS = {1: 6, 2: 5, 3: 4, 4: 4, 5: 3, 6: 3, 7: 3, 8: 3}
"""Number of words in a run, and the number of repetitions in a row that nobody says."""

_PEOPLE_REPEAT = (
    "да нет так ну ага угу ой ха очень ещё много всё стоп раз алло пока спасибо "
    "yes no yeah yep nope okay ok right so very really wow ha oh hey stop bye go hello "
    "ja nein si sí no oui non tak nie так ні "
    "ноль один два три четыре пять шесть семь восемь девять "
    "zero oh one two three four five six seven eight nine"
)
PEOPLE_REPEAT = frozenset(_PEOPLE_REPEAT.split())
"""Words, besides digits, that people do repeat: agreement, laughter, numbers read aloud."""

MOST_REPEATED = 12
"""Most times in a row that people say one of `PEOPLE_REPEAT`."""

LEAST_UNTRANSLATED = 3
"""Least words that a text and its translation share when they are the same sentence."""

LEAST_UNTRANSLATED_RELATED = 8
"""`LEAST_UNTRANSLATED` between related languages, which share many words."""

UNTRANSLATED_SHARE = 0.8
"""Share of a translation's words, names aside, that makes it the same sentence as its source."""

_RELATED = (
    frozenset({"ru", "uk", "bg"}),
    frozenset({"cs", "sk", "pl"}),
    frozenset({"hr", "sl"}),
    frozenset({"es", "pt", "it", "fr", "ro"}),
    frozenset({"da", "sv"}),
    frozenset({"de", "nl"}),
)

LARGEST_FOREIGN_SHARE = 0.3
"""Largest share of letters of another script than the language's own, names aside."""

_STUTTER = re.compile(r"([^\W\d]{1,8}?)\1{7,}")


class Doubt(StrEnum):
    """Reason for not believing a text."""

    EMPTY = "empty"
    """No letter or digit in the text."""
    UNFINISHED = "unfinished"
    """Text that the model did not end by itself: it was cut."""
    TOO_LONG = "too_long"
    """More text than can be said in the time of the audio."""
    REPEATED = "repeated"
    """The same few words, again and again."""
    SCRIPT = "script"
    """Letters of another script than the language's."""
    UNTRANSLATED = "untranslated"
    """The same sentence in both languages."""
    RATIO = "ratio"
    """Translation far longer or shorter than its source."""


def is_silent(samples: Samples) -> bool:
    """Return True if the samples are too quiet for speech, empty or not finite."""
    with np.errstate(invalid="ignore"):  # infinity less itself
        peak = float(np.max(np.abs(centered(samples))))
    return not SILENCE_PEAK <= peak < float("inf")


def doubt_text(text: str, language: str, audio_s: float, complete: bool) -> Doubt | None:
    """Return the doubt about a text that a model made from audio, if any.

    Args:
        text: transcript or translation.
        language: language it should be in, ISO 639-1.
        audio_s: length of the audio in seconds.
        complete: true if the model ended it by itself.
    """
    if not any(c.isalnum() for c in text):
        return Doubt.EMPTY
    if not complete:
        return Doubt.UNFINISHED
    if len(text) > SHORT_TEXT + FASTEST_CHARACTERS_PER_S * audio_s:
        return Doubt.TOO_LONG
    if _is_repeated(text):
        return Doubt.REPEATED
    if _foreign_share(text, language) > LARGEST_FOREIGN_SHARE:
        return Doubt.SCRIPT
    return None


def doubt_translation(
    source_text: str, target_text: str, pair: tuple[str, str], audio_s: float, complete: bool
) -> Doubt | None:
    """Return the doubt about a transcript and its translation, if any.

    Args:
        source_text: what was said.
        target_text: its translation.
        pair: languages of the two.
        audio_s: length of the audio in seconds.
        complete: true if the model ended both by itself.
    """
    for text, language in ((source_text, pair[0]), (target_text, pair[1])):
        doubt = doubt_text(text, language, audio_s, complete)
        if doubt is Doubt.SCRIPT and _is_foreign_by_names_only(text, source_text, target_text):
            doubt = None
        if doubt is not None:
            return doubt
    if _is_untranslated(source_text, target_text, pair):
        return Doubt.UNTRANSLATED
    lengths = sorted((len(source_text), len(target_text)))
    if lengths[1] > 2 * SHORT_TEXT and lengths[1] > LARGEST_RATIO * lengths[0]:
        return Doubt.RATIO
    return None


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _is_repeated(text: str) -> bool:
    words = _words(text)
    runs = [(word, sum(1 for _ in run)) for word, run in groupby(words)]
    if any(length >= _least_repeats(word) for word, length in runs):
        return True
    once = [word for word, _ in runs]
    if any(_longest_run(once, size) >= least for size, least in LEAST_REPEATS.items()):
        return True
    if any(_STUTTER.search(word) for word in words):
        return True
    triples = Counter(zip(once, once[1:], once[2:], strict=False))
    return len(once) >= 16 and 2 * len(triples) < triples.total()


def _least_repeats(word: str) -> int:
    """Return the number of repetitions in a row of one word that nobody says."""
    said_often = word in PEOPLE_REPEAT or word.isdigit()
    return MOST_REPEATED + 1 if said_often else LEAST_REPEATS[1]


def _longest_run(words: list[str], size: int) -> int:
    """Return the most times that `size` words follow each other unchanged."""
    same = [a == b for a, b in zip(words, words[size:], strict=False)]
    longest = max((sum(1 for _ in run) for equal, run in groupby(same) if equal), default=0)
    return 1 + longest // size if words else 0


def _foreign_share(text: str, language: str) -> float:
    """Return the share of letters that are not of the language's script, Latin names aside."""
    names = _latin_names(text, language)
    kept = "".join(word for word in re.findall(r"\w+", text) if word not in names)
    scripts = [script_of_letter(c) for c in kept if c.isalpha()]
    return sum(s != script_of_language(language) for s in scripts) / max(len(scripts), 1)


def _latin_names(text: str, language: str) -> set[str]:
    """Return the words that are names in Latin letters, which every script writes so.

    Among words of the language's own script, a capital letter marks a name, except in the
    first word ("Купил Samsung"). Text without any of its own needs a clearer sign: a capital inside
    a word ("OpenAI"), or a number behind capitals ("Windows 11"). The reverse does not happen:
    languages with Latin letters have no names in others.
    """
    if script_of_language(language) == "LATIN":
        return set()
    words = re.findall(r"\w+", text)
    if any(script_of_letter(c) == script_of_language(language) for c in text if c.isalpha()):
        return {
            word
            for place, word in enumerate(words)
            if any(c.isupper() for c in word[1:]) or (place and word[0].isupper())
        }
    latin = [word for word in words if word[0].isalpha()]
    capital = all(any(c.isupper() for c in word) for word in latin)
    clear = any(re.search(r"[^\W\d_A-Z]+[A-Z]", word) for word in latin) or len(words) > len(latin)
    return set(latin) if capital and clear else set()


def _is_foreign_by_names_only(text: str, source_text: str, target_text: str) -> bool:
    """Return True if a foreign `text` is one Latin name, the same in both texts ("Linux")."""
    words = _words(text)
    return (
        len(words) == 1
        and script_of_letter(words[0][0]) == "LATIN"
        and _words(source_text) == _words(target_text)
    )


def _is_untranslated(source_text: str, target_text: str, pair: tuple[str, str]) -> bool:
    """Return True if the translation repeats its source, beyond names and numbers."""
    related = any(set(pair) <= family for family in _RELATED)
    least = LEAST_UNTRANSLATED_RELATED if related else LEAST_UNTRANSLATED
    source, target = _plain_words(source_text), _plain_words(target_text)
    common = Counter(source) & Counter(target)
    return common.total() >= max(least, UNTRANSLATED_SHARE * len(target))


def _plain_words(text: str) -> list[str]:
    """Return the words that are neither numbers nor, by a capital letter inside the text, names."""
    words = re.findall(r"\w+", text)
    return [
        word.casefold()
        for place, word in enumerate(words)
        if word.isalpha() and not (place and any(c.isupper() for c in word))
    ]

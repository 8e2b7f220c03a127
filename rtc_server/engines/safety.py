"""A gate against invented text, for any engine that writes freely.

A generative model always answers, to noise as well as to speech: Canary's own model card counts
135 characters of text a minute on recordings without any. A text caught here is reported as not
understood and never spoken. The rules look only at the text and the length of the audio: pure,
deterministic, the same for every engine.
"""

import re
import unicodedata
from collections import Counter
from enum import StrEnum
from itertools import groupby

import numpy as np

from rtc_server.pcm import Samples

SILENCE_PEAK = 10 ** (-60 / 20)
"""Audio whose peak stays below this (-60 dBFS) holds no speech."""

FASTEST_CHARACTERS_PER_S = 30.0
"""Nobody speaks faster; 15 to 20 is brisk."""

SHORT_TEXT = 20
"""Texts up to so many characters are too short to judge by length."""

LARGEST_RATIO = 4.0
"""Most that a text and its translation differ in length, either way."""

LEAST_REPEATS = {1: 6, 2: 5, 3: 4, 4: 4, 5: 3, 6: 3, 7: 3, 8: 3}
"""Words in a run, and how many times in a row nobody says the run."""

LARGEST_FOREIGN_SHARE = 0.3
"""Most letters of another script than the language's own, names aside."""

_CYRILLIC = frozenset({"bg", "ru", "uk", "be", "sr", "mk", "kk"})
_GREEK = frozenset({"el"})
_STUTTER = re.compile(r"([^\W\d]{1,8}?)\1{7,}")


class Doubt(StrEnum):
    """Why a text is not believed."""

    EMPTY = "empty"
    """There is no text, or no letter or digit in it."""
    UNFINISHED = "unfinished"
    """It ran on until it was cut."""
    TOO_LONG = "too_long"
    """More text than could have been said in the time."""
    REPEATED = "repeated"
    """The same few words, again and again."""
    SCRIPT = "script"
    """Letters of another script than the language's."""
    RATIO = "ratio"
    """Far longer or shorter than what it translates."""


def is_silent(samples: Samples) -> bool:
    """Whether there is nothing to hear: too quiet for speech, or not numbers at all."""
    peak = float(np.max(np.abs(samples)))
    return not SILENCE_PEAK <= peak < float("inf")


def doubt_text(text: str, language: str, audio_s: float, complete: bool) -> Doubt | None:
    """What is wrong with a text that was written down from audio, if anything.

    Args:
        text: transcript or translation.
        language: language it should be in, ISO 639-1.
        audio_s: length of the audio in seconds.
        complete: whether the model ended it by itself.
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
    """What is wrong with a transcript and its translation, if anything.

    Args:
        source_text: what was said.
        target_text: its translation.
        pair: languages of the two.
        audio_s: length of the audio in seconds.
        complete: whether the model ended both by itself.
    """
    common = set(_words(source_text)) & set(_words(target_text))
    for text, language in ((source_text, pair[0]), (target_text, pair[1])):
        doubt = doubt_text(text, language, audio_s, complete)
        if doubt is Doubt.SCRIPT and _is_foreign_by_names_only(text, language, common):
            doubt = None
        if doubt is not None:
            return doubt
    lengths = sorted((len(source_text), len(target_text)))
    if lengths[1] > 2 * SHORT_TEXT and lengths[1] > LARGEST_RATIO * lengths[0]:
        return Doubt.RATIO
    return None


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _is_repeated(text: str) -> bool:
    words = _words(text)
    for size, least in LEAST_REPEATS.items():
        if _longest_run(words, size) >= least:
            return True
    if any(_STUTTER.search(word) for word in words):
        return True
    triples = Counter(zip(words, words[1:], words[2:], strict=False))
    return len(words) >= 16 and 2 * len(triples) < triples.total()


def _longest_run(words: list[str], size: int) -> int:
    """Most times that `size` words follow each other unchanged."""
    same = [a == b for a, b in zip(words, words[size:], strict=False)]
    longest = max((sum(1 for _ in run) for equal, run in groupby(same) if equal), default=0)
    return 1 + longest // size if words else 0


def _foreign_share(text: str, language: str) -> float:
    """Share of letters that are not of the language's script."""
    scripts = [_script(c) for c in text if c.isalpha()]
    return sum(s != _script_of(language) for s in scripts) / max(len(scripts), 1)


def _is_foreign_by_names_only(text: str, language: str, common: set[str]) -> bool:
    """Whether Latin names that stand in both texts ("OpenAI") are all that is foreign.

    Latin names are written so in every script; the reverse does not happen.
    """
    if _script_of(language) == "LATIN":
        return False
    words = _words(text)
    own = [word for word in words if word not in common]
    if not own:
        return len(words) == 1
    return _foreign_share(" ".join(own), language) <= LARGEST_FOREIGN_SHARE


def _script_of(language: str) -> str:
    return "CYRILLIC" if language in _CYRILLIC else "GREEK" if language in _GREEK else "LATIN"


def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").partition(" ")[0]

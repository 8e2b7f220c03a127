"""Ways in which a translation engine goes astray on open speech, for `bench.oracle`.

Each takes the words of both texts as they should be and returns them as a confused engine has them.
"""

from collections.abc import Callable
from typing import NamedTuple


class Words(NamedTuple):
    """Both texts, word by word."""

    source: list[str]
    target: list[str]


Astray = Callable[[Words], Words]


def repeated(words: Words) -> Words:
    """The last word of the translation is said again and again."""
    return Words(words.source, words.target + words.target[-1:] * 12)


def untranslated(words: Words) -> Words:
    """The translation stands in the language that is spoken (NVIDIA-NeMo/Speech#15514)."""
    return Words(words.source, words.source)


def stuck(words: Words) -> Words:
    """No word comes behind the first, however much is said (NVIDIA-NeMo/Speech#15231)."""
    return Words(words.source[:1], words.target[:1])


def revised(words: Words) -> Words:
    """The last two words of the translation are others than they will be."""
    guesses = [f"{word.strip('.')}{'x' * len(words.source)}" for word in words.target[-2:]]
    return Words(words.source, [*words.target[:-2], *guesses])

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
    """Repeat the last word of the translation."""
    return Words(words.source, words.target + words.target[-1:] * 12)


def untranslated(words: Words) -> Words:
    """Return the source as its own translation (NVIDIA-NeMo/Speech#15514)."""
    return Words(words.source, words.source)


def stuck(words: Words) -> Words:
    """Return the first word of each text, however much follows (NVIDIA-NeMo/Speech#15231)."""
    return Words(words.source[:1], words.target[:1])


def revised(words: Words) -> Words:
    """Replace the last two words of the translation by others that change as the source grows."""
    guesses = [f"{word.strip('.')}{'x' * len(words.source)}" for word in words.target[-2:]]
    return Words(words.source, [*words.target[:-2], *guesses])

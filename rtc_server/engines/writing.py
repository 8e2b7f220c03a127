"""Scripts that languages are written in."""

import unicodedata

_CYRILLIC = frozenset({"bg", "ru", "uk", "be", "sr", "mk", "kk", "mn", "tg", "tt", "ba"})
_GREEK = frozenset({"el"})


def script_of_language(language: str) -> str:
    """Return the script of a language (ISO 639-1) as Unicode's letter names begin: ``CYRILLIC``."""
    return "CYRILLIC" if language in _CYRILLIC else "GREEK" if language in _GREEK else "LATIN"


def script_of_letter(letter: str) -> str:
    """Return the script of a letter, such as ``LATIN``."""
    return unicodedata.name(letter, "?").partition(" ")[0]

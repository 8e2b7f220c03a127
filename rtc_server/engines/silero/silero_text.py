"""Conversion of text to what Silero's models can read.

The models silently drop every character outside their alphabet: digits, Latin letters in Russian,
signs. So a text first passes `russian`, `english` or `number_reading`, and then `readable`, after
which nothing is dropped: letters are replaced by letters of the alphabet, digits by words, signs by
words or pauses.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import partial

from rtc_server.engines.letters import IN_LATIN, to_cyrillic
from rtc_server.engines.silero.english import normalise_english
from rtc_server.engines.silero.languages import DIGITS
from rtc_server.engines.silero.number_reading import say_numbers
from rtc_server.engines.silero.russian import normalise_russian

_PAUSES = frozenset(" .,!?:;-–…")
ALPHABETS: Mapping[str, frozenset[str]] = {
    "ru": _PAUSES | frozenset("абвгдежзийклмнопрстуфхцчшщъыьэюяё"),
    "uk": _PAUSES | frozenset("абвгґдеєжзиіїйклмнопрстуфхцчшщьюя'"),
    "en": _PAUSES | frozenset("abcdefghijklmnopqrstuvwxyz'"),
    "de": _PAUSES | frozenset("abcdefghijklmnopqrstuvwxyzäöüß"),
    "es": _PAUSES | frozenset("abcdefghijklmnopqrstuvwxyzáéíóúñü"),
    "fr": _PAUSES | frozenset("abcdefghijklmnopqrstuvwxyzàâæçéèêëîïôœùûüÿ'"),
}
"""Characters that a language's models read, in lower case; without ``+``, which marks stress."""

_SIGN_ORDER = "%&+=@#№°€$£₽₴×<>/*"
_SIGN_WORDS = {
    "ru": "процентов и плюс равно собака решётка номер градусов евро долларов фунтов рублей "
    "гривен на меньше больше дробь звёздочка",
    "uk": "відсотків і плюс дорівнює ет решітка номер градусів євро доларів фунтів рублів "
    "гривень на менше більше дріб зірочка",
    "en": "percent and plus equals at hash number degrees euros dollars pounds rubles "
    "hryvnias by less greater slash star",
    "de": "Prozent und plus gleich at Raute Nummer Grad Euro Dollar Pfund Rubel "
    "Hrywnja mal kleiner größer Schrägstrich Stern",
    "es": "porciento y más igual arroba almohadilla número grados euros dólares libras rublos "
    "grivnas por menor mayor barra asterisco",
    "fr": "pourcent et plus égale arobase dièse numéro degrés euros dollars livres roubles "
    "hryvnias par inférieur supérieur barre étoile",
}
SIGNS: Mapping[str, Mapping[str, str]] = {
    language: dict(zip(_SIGN_ORDER, words.split(), strict=True))
    for language, words in _SIGN_WORDS.items()
}
"""Words for signs that no other rule has read."""

_SAID_AS = {
    "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "—": "–", "―": "–", "−": "-", "‐": "-",
    "‑": "-", "\N{SOFT HYPHEN}": "", "(": ", ", ")": ", ", "[": ", ", "]": ", ",
    "Ł": "L", "ł": "l", "Ø": "O", "ø": "o", "Đ": "D", "đ": "d", "Æ": "Ae", "æ": "ae", "Œ": "Oe",
    "œ": "oe", "ı": "i", "Þ": "Th", "þ": "th", "ð": "d", "ß": "ss", "ẞ": "SS",
    "ё": "е", "Ё": "Е", "і": "и", "є": "е", "ґ": "г", "ы": "и", "э": "е", "ъ": "", "Ы": "И",
    "Э": "Е", "І": "И", "Є": "Е", "Ґ": "Г", "Ъ": "",
    "…": ".", "!": ".", "?": ".", ";": ",", ":": ",", "–": "-",
}  # fmt: skip
"""Replacements for characters that a model lacks; each is looked up again."""
_ACUTE = "\N{COMBINING ACUTE ACCENT}"
_SPACED_PAUSE = re.compile(r"\s+(?=[.,!?:;…])")
_PAUSE_RUN = re.compile(r"([.,:;])(?:\s*[,:;])+|^[\s.,:;…–-]+")
_CYRILLIC = ("ru", "uk")
_LEAST_ALPHABET = 20
"""Fewest of our characters that a model's list must contain to be used."""


def speakable(text: str, language: str, alphabet: frozenset[str] | None = None) -> str:
    """Return `text` as words in the alphabet of the language's model; empty if nothing is left.

    Args:
        text: text as people write it.
        language: a key of `ALPHABETS`.
        alphabet: characters that the model reads, if known; they may be fewer than in `ALPHABETS`.
    """
    plain = unicodedata.normalize("NFC", text)
    return readable(NORMALISERS[language](plain), language, alphabet)


def readable(text: str, language: str, alphabet: frozenset[str] | None = None) -> str:
    """Return `text` with all characters in the alphabet, and digits as words: the last pass.

    Case is kept (the models ignore it). Characters without a sound or a word become a space.
    """
    ours = ALPHABETS[language]
    told = ours & (alphabet or ours)
    allowed = told if len(told) >= _LEAST_ALPHABET else ours
    out = "".join(_read(char, language, allowed) for char in _own_script(text, language))
    out = _PAUSE_RUN.sub(r"\1", " ".join(out.split()))
    out = _SPACED_PAUSE.sub("", out).strip(" ,")
    return out if any(char.isalpha() for char in out) else ""


def _own_script(text: str, language: str) -> str:
    """Return `text` with Latin words in Cyrillic letters, for a language in Cyrillic script."""
    if language not in _CYRILLIC:
        return text
    bare = _bare_latin(text)
    return re.sub(r"[A-Za-z]+", lambda word: to_cyrillic(word[0].lower()), bare)


def _read(char: str, language: str, allowed: frozenset[str]) -> str:
    lower = char.lower()
    if lower in allowed or char == " ":
        return char
    return "".join(_read(part, language, allowed) for part in _instead(char, language))


def _instead(char: str, language: str) -> str:
    """Return the replacement of a character outside the alphabet, to be looked up again."""
    if word := _word(char, language):
        return f" {word} "
    if char == "'":
        return "" if language in ("en", "uk") else " "
    if char in _SAID_AS:
        return _SAID_AS[char]
    if language not in _CYRILLIC and char.lower() in IN_LATIN:
        return IN_LATIN[char.lower()]
    parts = unicodedata.normalize("NFKD", char)
    if parts != char:  # ö for a model without it, a ligature, a full-width letter, ½
        return "".join(part for part in parts if not unicodedata.combining(part))
    return "" if unicodedata.combining(char) else " "


def _word(char: str, language: str) -> str:
    """Return the name of a sign or a digit; empty for another character."""
    if char.isdigit():  # also ² and ٣
        return DIGITS[language][unicodedata.digit(char)]
    return SIGNS[language].get(char, "")


def _bare_latin(text: str) -> str:
    """Return Latin letters without their marks."""
    return "".join(
        _instead(char, "en") if char > "\x7f" and _is_latin(char) else char for char in text
    )


def _is_latin(char: str) -> bool:
    return unicodedata.name(char, "").startswith("LATIN ")


_UMLAUTS = str.maketrans("äöüÄÖÜ", "эёюЭЁЮ")
_FOREIGN_NAME = re.compile(r"[^\W\d_]*[\u00c0-\u024f][^\W\d_]*")


def _russian(text: str) -> str:
    # The normaliser would read names with marks, such as «Müller», as English.
    text = _FOREIGN_NAME.sub(lambda name: _own_script(name[0].translate(_UMLAUTS), "ru"), text)
    return normalise_russian(text.replace(_ACUTE, ""))  # a stress mark would split its word


NORMALISERS: Mapping[str, Callable[[str], str]] = {
    "ru": _russian,
    "en": normalise_english,
    **{language: partial(say_numbers, language=language) for language in ("uk", "de", "es", "fr")},
}
"""Function that reads numbers, dates and units, by language."""

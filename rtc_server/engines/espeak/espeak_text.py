"""Text that may be handed to libespeak-ng 1.52, which can crash (SIGSEGV) on odd Unicode.

Known causes are characters outside the voice's alphabet and letters of two scripts in one word
("©п" kills the Portuguese voice). So a text keeps the letters of the voice's own script and of
basic Latin, digits, and punctuation that the library reads or pauses at; scripts are set apart by
a space. Cyrillic and Greek in other languages' text are written in Latin letters, so that a name
is heard rather than dropped. Ordinary text of the language comes out unchanged.
"""

import re
import unicodedata

from rtc_server.engines.letters import IN_LATIN

_CYRILLIC = frozenset("абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґѝ")
_GREEK = frozenset("αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ")
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz")
_ACCENTED = frozenset("áàâãäåāăąæçćčċďđéèêëěēėęğġģħíìîïīįıķĺľļłñńňņóòôõöőøœŕřßśšşșťţțúùûüůűūųýÿźżž")
_OTHERS = frozenset(" 0123456789.,!?:;'\"()-–—…%&+/$€£№°")
_SAID_AS = {
    "«": '"', "»": '"', "“": '"', "”": '"', "„": '"', "’": "'", "‘": "'", "ʼ": "'",
    "‐": "-", "‑": "-", "−": "-", "¡": " ", "¿": " ", "\N{SOFT HYPHEN}": "",
    "\N{FRACTION SLASH}": "/",
}  # fmt: skip
"""Characters outside the alphabet that have an equal inside it."""
_SCRIPT_CHANGE = re.compile(
    "(?<=[A-Za-z\u00c0-\u024f])(?=[\u0370-\u052f])|(?<=[\u0370-\u052f])(?=[A-Za-z\u00c0-\u024f])"
)
_LETTERS_MOST = 60
"""Longer runs of letters or digits are not words; libespeak-ng has buffers of fixed size."""
_LONG_RUN = re.compile(rf"(\w{{{_LETTERS_MOST}}})(?=\w)")
_SPEAKABLE = re.compile(r"[^\W_]")


def clean_text(text: str, language: str) -> str:
    """Return `text` as the voice of `language` can take it; empty when nothing in it
    can be spoken.
    """
    own = _own_letters(language)
    kept = "".join(_kept(char, own) for char in unicodedata.normalize("NFC", text))
    apart = _LONG_RUN.sub(r"\1 ", _SCRIPT_CHANGE.sub(" ", kept))
    clean = " ".join(apart.split())
    return clean if _SPEAKABLE.search(clean) else ""


def _own_letters(language: str) -> frozenset[str]:
    if language in ("ru", "uk", "bg"):
        return _CYRILLIC
    return _GREEK if language == "el" else _ACCENTED


def _kept(char: str, own: frozenset[str]) -> str:
    """Return the character, what it is said as, its bare letters, or a space."""
    if char in _SAID_AS:
        return _SAID_AS[char]
    lower = char.lower()
    if lower in own or lower in _LATIN or char in _OTHERS:
        return char
    if lower in IN_LATIN:
        return IN_LATIN[lower]
    parts = unicodedata.normalize("NFKD", char)
    if parts != char:  # é in Russian text, ½, a ligature, a full-width digit
        return "".join(_kept(part, own) for part in parts).strip()
    return " "

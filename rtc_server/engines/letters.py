"""Letters of one script written in another, so that a foreign name is heard rather than dropped."""

from collections.abc import Mapping

IN_LATIN: Mapping[str, str] = {
    **dict(zip("абвгдезийклмнопрстуфыэіґѝ", "abvgdeziyklmnoprstufyeigi", strict=True)),
    **{"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ь": ""},
    **{"ю": "yu", "я": "ya", "ё": "yo", "ї": "yi", "є": "ye"},
    **dict(
        zip("αβγδεζηικλμνξοπρστυφωςάέήίόύώϊϋΐΰ", "avgdeziiklmnxoprstyfosaeiioyoiyiy", strict=True)
    ),
    **{"θ": "th", "χ": "ch", "ψ": "ps"},
}
"""Cyrillic and Greek letters, lower case."""

IN_CYRILLIC: Mapping[str, str] = {
    **{"shch": "щ", "sch": "ш", "sh": "ш", "ch": "ч", "zh": "ж", "kh": "х", "ph": "ф", "th": "т"},
    **{"ck": "к", "qu": "кв", "oo": "у", "ee": "и", "ya": "я", "yu": "ю", "yo": "йо", "ts": "ц"},
    **dict(zip("abcdefghiklmnopqrstuvwyz", "абкдефгхиклмнопкрстуввиз", strict=True)),
    **{"j": "дж", "x": "кс"},
}
"""Latin letters and pairs of them, lower case, as they are mostly read in English names."""


def to_cyrillic(text: str) -> str:
    """Return lower-case text with its Latin letters written in Cyrillic; the longest
    pairs first.
    """
    out = []
    place = 0
    while place < len(text):
        for length in (4, 3, 2, 1):
            piece = text[place : place + length]
            if len(piece) == length and piece in IN_CYRILLIC:
                out.append(IN_CYRILLIC[piece])
                break
        else:
            out.append(text[place])
            length = 1
        place += length
    return "".join(out)

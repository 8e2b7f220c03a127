"""Russian text in words: numbers in the right case and gender, dates, money, abbreviations.

`ru_normalizr` does the grammar, since it knows the gender and case of the noun behind a number. The
rules here run before it and rewrite what it does not read as a speaker would: clock times, phone
numbers, codes with leading zeros, initials and some abbreviations.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache

from rtc_server.engines.silero.languages import DIGITS
from rtc_server.engines.silero.number_reading import slavic_form

_LETTER_NAMES = (
    "а бэ вэ гэ дэ е жэ зэ и ий ка эл эм эн о пэ эр эс тэ у эф ха цэ чэ ша ща "
    "твёрдый ы мягкий э ю я"
)
LETTERS: Mapping[str, str] = dict(
    zip("абвгдежзийклмнопрстуфхцчшщъыьэюя", _LETTER_NAMES.split(), strict=True)
) | {"ё": "ё"}
"""Names of the letters."""

_ABBREVIATIONS: Mapping[str, str] = {
    "проф.": "профессор",
    "акад.": "академик",
    "д-р": "доктор",
    "г-н": "господин",
    "г-жа": "госпожа",
    "им.": "имени",
    "гр.": "группа",
    "тел.": "телефон",
    "пр.": "проспект",
    "пр-т": "проспект",
    "пер.": "переулок",
    "пл.": "площадь",
    "наб.": "набережная",
    "ш.": "шоссе",
    "мин.": "минут",
}
"""Abbreviations before a name or a number; the library knows those with several readings."""

_FINAL_ABBREVIATIONS: Mapping[str, str] = {"и др.": "и другие", "и пр.": "и прочее"}

_ACRONYMS: Mapping[str, str] = {
    "ООН": "оон",
    "ОК": "окей",
    "ИИ": "и и",
    "ЕГЭ": "е гэ э",
    "ВУЗ": "вуз",
    "США": "сэ шэ а",
}
"""Acronyms that are said in another way than the library's."""

_BRANDS: Mapping[str, str] = {
    "iphone": "айфон",
    "ipad": "айпад",
    "windows": "виндоус",
    "youtube": "ютуб",
    "google": "гугл",
    "facebook": "фейсбук",
    "whatsapp": "вотсап",
    "telegram": "телеграм",
    "zoom": "зум",
    "bluetooth": "блютуз",
    "email": "имейл",
    "online": "онлайн",
}
"""Latin words with a usual Russian pronunciation that is not that of English."""

_HALF_FEMININE = "минуты|недели|секунды|тысячи|тонны|страницы|порции|ложки"
_HALF_MASCULINE = (
    "раза|часа|года|метра|литра|месяца|километра|килограмма|дня|миллиона|миллиарда|процента|века"
)
_MAGNITUDES = r"(?:тыс\.?|млн\.?|млрд\.?|трлн\.?|тысяч\w*|миллион\w*|миллиард\w*|триллион\w*)"
_MONEY = {"$": "долларов", "€": "евро", "£": "фунтов", "₽": "рублей"}
_HOURS = {"genitive": ("часа", "часов", "часов"), "dative": ("часу", "часам", "часам")}
_MINUTES = {"genitive": ("минуты", "минут", "минут"), "dative": ("минуте", "минутам", "минутам")}
_NOMINATIVE = (("час", "часа", "часов"), ("минута", "минуты", "минут"))
_CASES = {
    **dict.fromkeys(("до", "с", "со", "от", "после", "около", "без"), "genitive"),
    "к": "dative",
    "ко": "dative",
}
_NUMBER = r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d+(?:[.,]\d+)?"


def normalise_russian(text: str) -> str:
    """Return `text` with its numbers, signs and abbreviations in words, where a rule reads them."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    said: str = _library()(text)
    return said


@cache
def _library() -> Callable[[str], str]:
    """Return the library's normaliser; its dictionaries are loaded once."""
    from ru_normalizr import NormalizeOptions, Normalizer  # noqa: PLC0415 (belongs to the extra)

    options = NormalizeOptions.tts(
        letter_vowel_mode="single", initials_pause_mode="preserve", remove_links=False
    )
    normalise: Callable[[str], str] = Normalizer(options).normalize
    return normalise


def _clock(found: re.Match[str]) -> str:
    """Return «к 14:30» as hours and minutes in the case that the preposition asks for."""
    preposition, hours, minutes = found["preposition"] or "", int(found["h"]), int(found["m"])
    case = _CASES.get(preposition.strip().lower())
    hour_forms = _HOURS[case] if case else _NOMINATIVE[0]
    minute_forms = _MINUTES[case] if case else _NOMINATIVE[1]
    said = f"{preposition}{hours} {slavic_form(hours, hour_forms)}"
    return f"{said} {minutes} {slavic_form(minutes, minute_forms)}" if minutes else said


def _pounds(found: re.Match[str]) -> str:
    """Return «£3» in words: a sign of money that the library does not know."""
    digits = re.sub(r"\s", "", found["number"])
    form = slavic_form(int(digits), ("фунт", "фунта", "фунтов")) if digits.isdigit() else "фунта"
    return f"{found['number']} {form}"


def _initials(found: re.Match[str]) -> str:
    names = (LETTERS[letter] for letter in re.findall(r"[а-яё]", found[0].lower()))
    return " ".join(names) + " "


def _phone(found: re.Match[str]) -> str:
    """Return a phone number group by group, four digits as two pairs."""
    groups: list[str] = []
    for group in re.findall(r"\d+", found[0]):
        groups += [group[:2], group[2:]] if len(group) == 4 else [group]
    plus = "плюс " if found[0].lstrip().startswith("+") else ""
    return plus + ", ".join(_group(group) for group in groups)


def _group(digits: str) -> str:
    """Return a group of digits as one number, its leading zeros said."""
    zeros = len(digits) - len(digits.lstrip("0"))
    rest = digits[zeros:]
    return " ".join([DIGITS["ru"][0]] * zeros + ([rest] if rest else []))


def _code(found: re.Match[str]) -> str:
    return " ".join(DIGITS["ru"][int(digit)] for digit in found[0])


def _anniversary(found: re.Match[str]) -> str:
    """Return «25-летие» in words: the library knows the adjective, «двадцатипятилетний»."""
    adjective = _library()(f"{found[1]}-летний")
    return adjective.lower().removesuffix("летний") + found[2]


def _abbreviation(found: re.Match[str]) -> str:
    return _ABBREVIATIONS[found[0].lower()]


def _any_of(words: Mapping[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"https?://(?:www\.)?"), ""),
    (
        re.compile(
            r"(?P<preposition>\b(?:в|к|ко|до|с|со|от|после|около|без)\s+)?"
            r"(?<![\d:,.])(?P<h>[01]?\d|2[0-3]):(?P<m>[0-5]\d)(?::[0-5]\d)?(?![\d:])",
            re.IGNORECASE,
        ),
        _clock,
    ),
    (
        re.compile(
            r"(?<![\d.,–-])(?:\+\d{1,3}|\b8)[ -]?\(?\d{3}\)?[ -]?\d{3}[ -]?\d{2}[ -]?\d{2}(?![\d-])"
        ),
        _phone,
    ),
    (re.compile(r"(?<![\d.,+–-])\d{3}-(?:\d{4}|\d{2}-\d{2})(?![\d-])"), _phone),
    (re.compile(r"(?<![\d.,:])(?<!\d[ \u00a0\u202f])\b0\d+\b(?![.,:/-]\d)"), _code),
    (re.compile(r"\bд\.\s?(?=\d)"), "дом "),
    (re.compile(r"(?<!\d)24/7(?!\d)"), "24 на 7"),
    (re.compile(r"(?<!\d)50/50(?!\d)"), "50 на 50"),
    (re.compile(r"(?<=\d)\s+[/÷]\s+(?=\d)"), " разделить на "),
    (re.compile(r"#\s?(?=\d)"), "номер "),
    (re.compile(rf"\b1,5(?=\s(?:{_HALF_MASCULINE})\b)"), "полтора"),
    (re.compile(rf"\b1,5(?=\s(?:{_HALF_FEMININE})\b)"), "полторы"),
    (
        re.compile(rf"(?P<sign>[$€£₽])\s?(?P<number>{_NUMBER})\s?(?P<magnitude>{_MAGNITUDES})"),
        lambda found: (
            f"{found['number'].replace('.', ',')} {found['magnitude']} {_MONEY[found['sign']]}"
        ),
    ),
    (re.compile(rf"£\s?(?P<number>{_NUMBER})"), _pounds),
    (re.compile(r"(\d+)-(лети[еяюйи]\w*)"), _anniversary),
    (
        re.compile(r"\b(?:[А-ЯЁ]\.[ \u00a0]?){2,3}(?=[А-ЯЁ][а-яё])|(?<=[а-яё] )(?:[А-ЯЁ]\.\s?){2}"),
        _initials,
    ),
    (
        re.compile(rf"(?<!\w)(?:{_any_of(_FINAL_ABBREVIATIONS)})", re.IGNORECASE),
        lambda found: _FINAL_ABBREVIATIONS[found[0].lower()],
    ),
    (
        re.compile(rf"(?<![\w-])(?:{_any_of(_ABBREVIATIONS)})(?=\s*[\w«])", re.IGNORECASE),
        _abbreviation,
    ),
    (
        re.compile(rf"(?<![\w@.])(?:{_any_of(_BRANDS)})(?![\w@]|\.\w)", re.IGNORECASE),
        lambda found: _BRANDS[found[0].lower()],
    ),
    (re.compile(rf"\b(?:{_any_of(_ACRONYMS)})\b"), lambda found: _ACRONYMS[found[0]]),
)
"""Rewritings, in their order, before the library reads the text."""

"""Numbers, clock times, money and units as words, for the languages that `rutextnorm` does not do.

The words of a number are those of ``num2words``. It declines nothing, so Ukrainian numbers stay in
the nominative. What no rule here reads is read digit by digit in the last pass of `text`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

Forms: TypeAlias = tuple[str, ...]
"""(for 1, for others), or in Ukrainian (for 1, for 2 to 4, for others)."""

_LONGEST_NUMBER = 12
"""Digits; a longer one is a code, read digit by digit."""
_UNIT_ORDER = "km m cm mm kg g l h min s km/h °C % MB GB kW € $ £ EUR USD GBP"


def _units(forms: str) -> dict[str, Forms]:
    """Forms in the order of `_UNIT_ORDER`, units apart by ``|``, forms of one by ``,``."""
    units = [tuple(unit.strip().split(",")) for unit in forms.split("|")]
    return dict(zip(_UNIT_ORDER.split(), units, strict=True))


@dataclass(frozen=True, slots=True)
class Language:
    """How a language writes and says numbers."""

    decimal: str
    """The decimal sign; the other of ``.`` and ``,`` groups thousands."""
    minus: str
    """Said before a negative number."""
    to: str
    """Said between the ends of a range."""
    hours: str
    """A clock time; ``{h}`` and ``{m}`` are words."""
    full_hour: str
    """A clock time without minutes."""
    units: Mapping[str, Forms]
    """What stands after a number, or before it for money."""
    ordinal: re.Pattern[str] | None = None
    """A number that is an ordinal; group 1 is the digits."""
    ordinal_ending: str = ""
    """Added to what num2words calls the ordinal."""
    years: bool = field(default=False)
    """Whether four digits from 1100 to 2099 are said as a year."""


_DOLLARS = "dollar,dollars|pound,pounds|euro,euros|dollar,dollars|pound,pounds"
LANGUAGES: Mapping[str, Language] = {
    "en": Language(
        decimal=".",
        minus="minus",
        to="to",
        hours="{h} {m}",
        full_hour="{h} o'clock",
        units=_units(
            "kilometer,kilometers|meter,meters|centimeter,centimeters|millimeter,millimeters|"
            "kilogram,kilograms|gram,grams|liter,liters|hour,hours|minute,minutes|second,seconds|"
            "kilometer per hour,kilometers per hour|degree Celsius,degrees Celsius|percent,percent|"
            f"megabyte,megabytes|gigabyte,gigabytes|kilowatt,kilowatts|euro,euros|{_DOLLARS}"
        ),
        ordinal=re.compile(r"\b(\d{1,6})(?:st|nd|rd|th)\b", re.IGNORECASE),
        years=True,
    ),
    "de": Language(
        decimal=",",
        minus="minus",
        to="bis",
        hours="{h} Uhr {m}",
        full_hour="{h} Uhr",
        units=_units(
            "Kilometer,Kilometer|Meter,Meter|Zentimeter,Zentimeter|Millimeter,Millimeter|"
            "Kilogramm,Kilogramm|Gramm,Gramm|Liter,Liter|Stunde,Stunden|Minute,Minuten|"
            "Sekunde,Sekunden|Kilometer pro Stunde,Kilometer pro Stunde|Grad Celsius,Grad Celsius|"
            "Prozent,Prozent|Megabyte,Megabyte|Gigabyte,Gigabyte|Kilowatt,Kilowatt|Euro,Euro|"
            "Dollar,Dollar|Pfund,Pfund|Euro,Euro|Dollar,Dollar|Pfund,Pfund"
        ),
        ordinal=re.compile(
            r"\b(\d{1,2})\.(?=\s(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|"
            r"Oktober|November|Dezember|Stock|Etage|Mal)\b)"
        ),
        ordinal_ending="n",
        years=True,
    ),
    "es": Language(
        decimal=",",
        minus="menos",
        to="a",
        hours="{h} y {m}",
        full_hour="{h} en punto",
        units=_units(
            "kilómetro,kilómetros|metro,metros|centímetro,centímetros|milímetro,milímetros|"
            "kilogramo,kilogramos|gramo,gramos|litro,litros|hora,horas|minuto,minutos|"
            "segundo,segundos|kilómetro por hora,kilómetros por hora|grado Celsius,grados Celsius|"
            "por ciento,por ciento|megabyte,megabytes|gigabyte,gigabytes|kilovatio,kilovatios|"
            "euro,euros|dólar,dólares|libra,libras|euro,euros|dólar,dólares|libra,libras"
        ),
        ordinal=re.compile(r"\b(\d{1,4})\.?[ºª]"),
    ),
    "fr": Language(
        decimal=",",
        minus="moins",
        to="à",
        hours="{h} heures {m}",
        full_hour="{h} heures",
        units=_units(
            "kilomètre,kilomètres|mètre,mètres|centimètre,centimètres|millimètre,millimètres|"
            "kilogramme,kilogrammes|gramme,grammes|litre,litres|heure,heures|minute,minutes|"
            "seconde,secondes|kilomètre par heure,kilomètres par heure|"
            "degré Celsius,degrés Celsius|pour cent,pour cent|mégaoctet,mégaoctets|"
            "gigaoctet,gigaoctets|kilowatt,kilowatts|euro,euros|dollar,dollars|livre,livres|"
            "euro,euros|dollar,dollars|livre,livres"
        ),
        ordinal=re.compile(r"\b(\d{1,4})(?:er|ère|re|e|ème)\b"),
    ),
    "uk": Language(
        decimal=",",
        minus="мінус",
        to="до",
        hours="{h} {m}",
        full_hour="{h} рівно",
        units=_units(
            "кілометр,кілометри,кілометрів|метр,метри,метрів|сантиметр,сантиметри,сантиметрів|"
            "міліметр,міліметри,міліметрів|кілограм,кілограми,кілограмів|грам,грами,грамів|"
            "літр,літри,літрів|година,години,годин|хвилина,хвилини,хвилин|"
            "секунда,секунди,секунд|кілометр на годину,кілометри на годину,кілометрів на годину|"
            "градус Цельсія,градуси Цельсія,градусів Цельсія|відсоток,відсотки,відсотків|"
            "мегабайт,мегабайти,мегабайтів|гігабайт,гігабайти,гігабайтів|кіловат,кіловати,кіловат|"
            "євро,євро,євро|долар,долари,доларів|фунт,фунти,фунтів|євро,євро,євро|"
            "долар,долари,доларів|фунт,фунти,фунтів"
        )
        | {
            "км/год": ("кілометр на годину", "кілометри на годину", "кілометрів на годину"),
            "км": ("кілометр", "кілометри", "кілометрів"),
            "м": ("метр", "метри", "метрів"),
            "см": ("сантиметр", "сантиметри", "сантиметрів"),
            "кг": ("кілограм", "кілограми", "кілограмів"),
            "г": ("грам", "грами", "грамів"),
            "л": ("літр", "літри", "літрів"),
            "хв": ("хвилина", "хвилини", "хвилин"),
            "грн": ("гривня", "гривні", "гривень"),
            "₴": ("гривня", "гривні", "гривень"),
        },
    ),
}
"""The languages that are done here."""

_CLOCK = re.compile(r"\b([01]?\d|2[0-3])[:h]([0-5]\d)(?::[0-5]\d)?\b(?:\s?Uhr\b)?")
_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b|\b(\d{1,2})[./](\d{1,2})[./](\d{4})\b")
_RANGE = re.compile(r"(?<![\d.,–-])(\d{1,4})\s?[-–]\s?(\d{1,4})(?![\d–-])")
_MINUS = re.compile(r"(?<![\w.,)])[-−](?=\d)")
_GROUPS = r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)"
_SPACES = re.compile(r"[ \u00a0\u202f]")
_YEAR = re.compile(r"(?:1[1-9]|20)\d\d")


def say_numbers(text: str, language: str) -> str:
    """`text` with its numbers in words. Not every number; see the module."""
    rules = LANGUAGES[language]
    text = _DATE.sub(lambda date: ", ".join(filter(None, date.groups())), text)
    text = _CLOCK.sub(lambda clock: _clock(clock, language), text)
    if rules.ordinal:
        text = rules.ordinal.sub(
            lambda found: _words(int(found[1]), language, "ordinal") + rules.ordinal_ending, text
        )
    text = _RANGE.sub(rf"\1 {rules.to} \2", text)
    text = _MINUS.sub(f"{rules.minus} ", text)
    return _amounts(rules).sub(lambda found: _amount(found, language), text)


def _amounts(rules: Language) -> re.Pattern[str]:
    """A number with a unit behind it, or a sign of money before it."""
    group = "," if rules.decimal == "." else "."
    number = rf"(?:{_GROUPS}|\d{{1,3}}(?:\{group}\d{{3}})+(?!\d)|\d+)(?:\{rules.decimal}\d+)?"
    units = "|".join(re.escape(unit) for unit in sorted(rules.units, key=len, reverse=True))
    return re.compile(rf"(?P<money>[€$£₴]\s?)?(?P<number>{number})(?:\s?(?P<unit>{units})(?!\w))?")


def _amount(found: re.Match[str], language: str) -> str:
    rules = LANGUAGES[language]
    digits = _SPACES.sub("", found["number"]).replace("," if rules.decimal == "." else ".", "")
    unit = found["unit"] or (found["money"] or "").strip()
    said = _number(digits, language, year=rules.years and not unit)
    if unit:
        said = f"{said} {_form(digits, rules.units.get(unit, (unit,)), language)}"
    return f" {said} "


def _number(digits: str, language: str, *, year: bool) -> str:
    whole, _, fraction = digits.partition(LANGUAGES[language].decimal)
    code = len(whole) > _LONGEST_NUMBER or (len(whole) > 1 and whole.startswith("0"))
    if code:
        return " ".join(_words(int(digit), language) for digit in digits if digit.isdigit())
    if not fraction:
        kind = "year" if year and _YEAR.fullmatch(whole) else "cardinal"
        return _words(int(whole), language, kind)
    try:
        return _words(Decimal(f"{whole}.{fraction}"), language)
    except (InvalidOperation, NotImplementedError):
        return " ".join(_words(int(digit), language) for digit in digits if digit.isdigit())


def _clock(clock: re.Match[str], language: str) -> str:
    hour, minute = int(clock[1]), int(clock[2])
    pattern = LANGUAGES[language].hours if minute else LANGUAGES[language].full_hour
    minutes = _words(minute, language)
    if language == "en" and minute < 10:
        minutes = f"oh {minutes}"
    return " " + pattern.format(h=_words(hour, language), m=minutes) + " "


def _form(digits: str, forms: Forms, language: str) -> str:
    """The form of a unit that goes with a number."""
    one = digits == "1"
    if language != "uk" or len(forms) < 3 or not digits.isdigit():
        return forms[0] if one else forms[min(1, len(forms) - 1)]
    last, last_two = int(digits) % 10, int(digits) % 100
    if last == 1 and last_two != 11:
        return forms[0]
    return forms[1] if 2 <= last <= 4 and not 12 <= last_two <= 14 else forms[2]


def _words(number: int | Decimal, language: str, kind: str = "cardinal") -> str:
    from num2words import num2words  # noqa: PLC0415 (belongs to the extra)

    said: str = num2words(number, lang=language, to=kind)
    return said.replace(",", "")

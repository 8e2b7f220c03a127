"""Numbers, clock times, money and units as words, for all languages but Russian.

The words of a number come from ``num2words``. It knows only the nominative, so Ukrainian numbers
stay in it. What no rule here reads is read digit by digit in the last pass, `silero_text.readable`.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache

from rtc_server.engines.silero.languages import LANGUAGES, Forms

_LONGEST_NUMBER = 12
"""Digits; a longer one is a code, read digit by digit."""

_CLOCK = re.compile(r"\b([01]?\d|2[0-3])[:h]([0-5]\d)(?::[0-5]\d)?\b(?:\s?Uhr\b)?")
_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b|\b(\d{1,2})[./](\d{1,2})[./](\d{4})\b")
_RANGE = re.compile(r"(?<![\d.,–-])(\d{1,4})\s?[-–]\s?(\d{1,4})(?![\d–-])")
_MINUS = re.compile(r"(?<![\w.,)])[-−](?=\d)")
_GROUPS = r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)"
_SPACES = re.compile(r"[ \u00a0\u202f]")
_MONEY = frozenset(("€", "$", "£", "EUR", "USD", "GBP"))
_HUNDREDTHS = re.compile(r"\d+[.,]\d{1,2}")
_UKRAINIAN_GENDER = re.compile(
    r"\b(?P<number>один|два)(?P<noun>\s+(?:годин|хвилин|секунд|гривн|книг|сестр|дочк|кімнат|"
    r"сторінк|тонн|сотн|тисяч|жінк|дівчин|машин|кав|дорог|копійк|адрес)[аиуіюя])\b"
)
_YEAR = re.compile(r"(?:1[1-9]|20)\d\d")


def say_numbers(text: str, language: str) -> str:
    """Return `text` with the numbers that the rules know in words; see the module."""
    rules = LANGUAGES[language]
    if rules.abbreviations:
        text = _abbreviations(language).sub(lambda found: rules.abbreviations[found[0]], text)
    text = _DATE.sub(lambda date: ", ".join(filter(None, date.groups())), text)
    text = _CLOCK.sub(lambda clock: _clock(clock, language), text)
    if rules.ordinal:
        text = rules.ordinal.sub(
            lambda found: in_words(int(found[1]), language, "ordinal") + rules.ordinal_ending, text
        )
    text = _RANGE.sub(rf"\1 {rules.to} \2", text)
    text = _MINUS.sub(f"{rules.minus} ", text)
    text = _amounts(language).sub(lambda found: _amount(found, language), text)
    if language == "uk":
        text = _UKRAINIAN_GENDER.sub(_ukrainian_gender, text)
    if not rules.letters:
        return text
    return spell_acronyms(text, rules.letters)


def spell_acronyms(
    text: str, letters: Mapping[str, str], words: frozenset[str] = frozenset()
) -> str:
    """Return `text` with its upper-case words of two to four letters spelled.

    Text in upper case as a whole, with longer words or some of `words`, has no acronyms but
    emphasis, and stays as it is.

    Args:
        text: as people write it.
        letters: the name of each lower-case letter.
        words: upper-case words that are said as words.
    """
    written = re.findall(r"[^\W\d_]+", text)
    if text.upper() == text and any(len(word) > 4 or word in words for word in written):
        return text

    def spell(found: re.Match[str]) -> str:
        if found["word"] in words | _SAID_AS_WORDS:
            return found[0]
        names = (letters.get(letter, letter) for letter in found["word"].lower())
        return " ".join(names) + (found["ending"] or "")

    return _ACRONYM.sub(spell, text)


_ACRONYM_WORDS = "NASA NATO OPEC FIFA UEFA AIDS PIN SIM RAM ROM GIF LAN ASAP LOL SWAT OK WIFI"
_SAID_AS_WORDS = frozenset(_ACRONYM_WORDS.split())
"""Acronyms of up to four letters that are said as one word."""
_ACRONYM = re.compile(r"(?<![\w'])(?P<word>[^\W\d_a-zа-яёß-ÿ]{2,4})(?P<ending>'?s)?(?![\w'])")


@cache
def _abbreviations(language: str) -> re.Pattern[str]:
    """Return a pattern of the short forms, where a name or a number follows or the
    sentence ends.
    """
    written = sorted(LANGUAGES[language].abbreviations, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, written))})(?=\s?[\w«„“]|\s*$|,)")


@cache
def _amounts(language: str) -> re.Pattern[str]:
    """Return a pattern of a number with a unit behind it, or a sign of money before it."""
    rules = LANGUAGES[language]
    group = "," if rules.decimal == "." else "."
    number = rf"(?:{_GROUPS}|\d{{1,3}}(?:\{group}\d{{3}})+(?!\d)|\d+)(?:\{rules.decimal}\d+)?"
    units = "|".join(re.escape(unit) for unit in sorted(rules.units, key=len, reverse=True))
    return re.compile(rf"(?P<money>[€$£₴]\s?)?(?P<number>{number})(?:\s?(?P<unit>{units})(?!\w))?")


def _amount(found: re.Match[str], language: str) -> str:
    rules = LANGUAGES[language]
    digits = _SPACES.sub("", found["number"]).replace("," if rules.decimal == "." else ".", "")
    unit = found["unit"] or (found["money"] or "").strip()
    if unit in _MONEY and rules.hundredths[0] and _HUNDREDTHS.fullmatch(digits):
        return f" {_money(digits, unit, language)} "
    said = _number(digits, language, year=rules.years and not unit and digits == found["number"])
    if unit:
        said = _before_noun(said, language)
        said = f"{said} {_form(digits, rules.units.get(unit, (unit,)), language)}"
    return f" {said} "


def _money(digits: str, unit: str, language: str) -> str:
    """Return whole units of money and hundredths: «mil euros con cincuenta céntimos»."""
    rules = LANGUAGES[language]
    whole, _, part = digits.partition(rules.decimal)
    joint, one, many = rules.hundredths
    hundredths = int(part.ljust(2, "0"))
    count = _before_noun(in_words(int(whole), language), language)
    said = f"{count} {_form(whole, rules.units[unit], language)}"
    if not hundredths:
        return said
    count = _before_noun(in_words(hundredths, language), language)
    return f"{said} {joint} {count} {one if hundredths == 1 else many}"


def _before_noun(number: str, language: str) -> str:
    """Return a number in words as it stands before a noun: «ein Euro», «veintiún euros»."""
    if language == "de":
        return re.sub(r"eins$", "ein", number)
    if language == "es":
        return re.sub(r"uno$", "un", re.sub(r"veintiuno$", "veintiún", number))
    return number


def _number(digits: str, language: str, *, year: bool) -> str:
    whole, _, fraction = digits.partition(LANGUAGES[language].decimal)
    code = len(whole) > _LONGEST_NUMBER or (len(whole) > 1 and whole.startswith("0"))
    if code:
        return " ".join(in_words(int(digit), language) for digit in digits if digit.isdigit())
    if not fraction:
        kind = "year" if year and _YEAR.fullmatch(whole) else "cardinal"
        return in_words(int(whole), language, kind)
    if language == "en":  # «2.0» is a version, so no zero is lost
        return f"{in_words(int(whole), language)} point " + " ".join(
            in_words(int(digit), language) for digit in fraction
        )
    try:
        return in_words(Decimal(f"{whole}.{fraction}"), language)
    except (InvalidOperation, NotImplementedError):
        return " ".join(in_words(int(digit), language) for digit in digits if digit.isdigit())


def _clock(clock: re.Match[str], language: str) -> str:
    hour, minute = int(clock[1]), int(clock[2])
    pattern = LANGUAGES[language].hours if minute else LANGUAGES[language].full_hour
    minutes = in_words(minute, language)
    if language == "en" and minute < 10:
        minutes = f"oh {minutes}"
    return " " + pattern.format(h=in_words(hour, language), m=minutes) + " "


def _ukrainian_gender(found: re.Match[str]) -> str:
    """Return «одна година», «одну годину», «дві гривні»: num2words knows the masculine alone."""
    if found["number"] == "два":
        return "дві" + found["noun"]
    return ("одну" if found["noun"][-1] in "ую" else "одна") + found["noun"]


def _form(digits: str, forms: Forms, language: str) -> str:
    """Return the form of a unit that goes with a number."""
    one = digits == "1"
    if language != "uk" or len(forms) < 3 or not digits.isdigit():
        return forms[0] if one else forms[min(1, len(forms) - 1)]
    return slavic_form(int(digits), forms)


def slavic_form(number: int, forms: Forms) -> str:
    """Return the form of a Russian or Ukrainian noun that goes with `number`.

    Args:
        number: a whole number, 0 or more.
        forms: of 1, of 2 to 4, of others.
    """
    last, last_two = number % 10, number % 100
    if last == 1 and last_two != 11:
        return forms[0]
    return forms[1] if 2 <= last <= 4 and not 12 <= last_two <= 14 else forms[2]


def in_words(number: int | Decimal, language: str, kind: str = "cardinal") -> str:
    """Return `number` in words; `kind` is ``cardinal``, ``ordinal`` or ``year``."""
    from num2words import num2words  # noqa: PLC0415 (belongs to the extra)

    said: str = num2words(number, lang=language, to=kind)
    said = said.replace(",", "")
    return said.replace(" punto ", " coma ") if language == "es" else said

"""English text in words: what a reader says for titles, money, decades, dates, phones, acronyms.

The rules here rewrite what is not a plain number; `number_reading.say_numbers` reads the rest.
"""

import re
from collections.abc import Callable

from rtc_server.engines.silero.english_words import (
    ABBREVIATIONS,
    AFTER_NAME,
    EMPHASISED,
    FRACTIONS,
    LETTERS,
    MAGNITUDES,
    MONARCHS,
    MONEY,
    MONTHS,
    ROMAN,
    TITLES,
)
from rtc_server.engines.silero.languages import DIGITS
from rtc_server.engines.silero.number_reading import in_words, say_numbers, spell_acronyms

_MONTH = "|".join(rf"{month}|{month[:3]}t?\.?" if month != "May" else month for month in MONTHS)


def normalise_english(text: str) -> str:
    """Return `text` with its numbers, signs, titles and acronyms in words."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return spell_acronyms(say_numbers(text, "en"), LETTERS, EMPHASISED)


def _ordinal(number: int) -> str:
    return in_words(number, "en", "ordinal")


def _digits(found: re.Match[str]) -> str:
    """Return a phone number digit by digit, its groups apart by commas."""
    plus = "plus " if found[0].startswith("+") else ""
    groups = re.findall(r"\d+", found[0])
    if len(groups) == 1:
        digits = groups[0]
        groups = [digits[-10:-7], digits[-7:-4], digits[-4:]]
        groups = ([digits[:-10]] if digits[:-10] else []) + groups
    return plus + ", ".join(
        " ".join(DIGITS["en"][int(digit)] for digit in group) for group in groups
    )


def _money(found: re.Match[str]) -> str:
    """Return «$99.99», «€1,250.50», «$0.50» in words: whole units and hundredths apart."""
    one, many, cent, cents = MONEY[found["sign"]]
    whole, _, part = found["number"].replace(",", "").partition(".")
    said = []
    if int(whole) or not part.strip("0"):
        said.append(f"{int(whole):,} {one if int(whole) == 1 else many}")
    if hundredths := int(part or 0):
        said.append(f"{hundredths} {cent if hundredths == 1 else cents}")
    return " and ".join(said)


def _large_money(found: re.Match[str]) -> str:
    """Return «$1.5 billion», «$5M», «$10k» in words."""
    magnitude = found["magnitude"].lower()
    return f"{found['number']} {MAGNITUDES.get(magnitude, magnitude)} {MONEY[found['sign']][1]}"


def _decade(found: re.Match[str]) -> str:
    """Return «the 1990s», «'80s» in words: the year or the tens in the plural."""
    digits = found["digits"]
    if digits.endswith("00"):
        century = int(digits[:-2])
        return f"{in_words(int(digits), 'en', 'year' if century % 10 else 'cardinal')}s"
    tens = in_words(int(digits[-2:]), "en")
    plural = tens.removesuffix("y") + "ies" if tens.endswith("y") else tens + "s"
    return f"{in_words(int(digits[:2]), 'en')} {plural}" if len(digits) == 4 else plural


def _fraction(upper: int, lower: int) -> str:
    if lower == 2:
        return "one half" if upper == 1 else f"{in_words(upper, 'en')} halves"
    name = "quarter" if lower == 4 else _ordinal(lower)
    return f"{in_words(upper, 'en')} {name}" + ("s" if upper > 1 else "")


def _written_fraction(found: re.Match[str]) -> str:
    """Return «1/2 cup», «2 1/2 cups» in words."""
    upper, lower = int(found["upper"]), int(found["lower"])
    if upper >= lower or lower > 100:
        return found[0]
    whole = f"{found['whole']} and " if found["whole"] else ""
    said = _fraction(upper, lower)
    return whole + (said.replace("one ", "a ", 1) if whole and upper == 1 else said)


def _sign_fraction(found: re.Match[str]) -> str:
    """Return «½ cup», «1½ hours» in words."""
    said = _fraction(*FRACTIONS[found["sign"]])
    if not found["whole"]:
        return said
    return f"{found['whole']} and " + said.replace("one ", "a ", 1)


def _month(written: str) -> str:
    return next(month for month in MONTHS if month.startswith(written[:3].title()))


def _month_day(found: re.Match[str]) -> str:
    return f"{_month(found['month'])} {_ordinal(int(found['day']))}"


def _day_month(found: re.Match[str]) -> str:
    return f"the {_ordinal(int(found['day']))} of {_month(found['month'])}"


def _date(found: re.Match[str]) -> str:
    """Return «2024-05-01», «12/25/2023» (month first, unless that cannot be) in words."""
    if found["iso"]:
        year, month, day = (int(part) for part in found["iso"].split("-"))
    else:
        month, day, year = (int(part) for part in re.split(r"[/.]", found["slashed"]))
        if month > 12:
            month, day = day, month
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return found[0]
    return f"{MONTHS[month - 1]} {_ordinal(day)}, {year}"


def _half_day(found: re.Match[str]) -> str:
    return f" {LETTERS[found['half'].lower()]} {LETTERS['m']}"


def _roman(numeral: str) -> int:
    values = [ROMAN[letter] for letter in numeral]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < after else value for value, after in pairs)


def _numeral(found: re.Match[str]) -> str:
    """Return «Henry VIII», «World War II» in words."""
    number = _roman(found["numeral"])
    if found["name"] in MONARCHS:
        return f"{found['name']} the {_ordinal(number)}"
    return f"{found['name']} {in_words(number, 'en')}"


def _spelled(found: re.Match[str]) -> str:
    """Return initials and acronyms with points letter by letter: «J. R. R.», «U.S.»."""
    names = " ".join(LETTERS[letter] for letter in re.findall(r"[a-z]", found[0].lower()))
    return names + (" " if found[0].endswith(" ") else "")


def _joined_letters(found: re.Match[str]) -> str:
    """Return «AT&T», «R&B» letter by letter."""
    return " ".join("and" if sign == "&" else LETTERS[sign.lower()] for sign in found[0])


def _dotted(found: re.Match[str]) -> str:
    """Return versions and network addresses in words: «1.2.3», «192.168.0.1»."""
    parts = found[0].split(".")
    return (" dot " if len(parts) == 4 else " point ").join(parts)


_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_LARGE = r"thousand|million|billion|trillion|[kKMB](?!\w)|mn\b|bn\b|tn\b"
_SIGNS = "".join(FRACTIONS)
_WRITTEN_DATE = re.compile(
    r"(?P<iso>\b\d{4}-\d{2}-\d{2}\b)|(?P<slashed>\b\d{1,2}[/.]\d{1,2}[/.]\d{4}\b)"
)
_NO_AMOUNT = r"(?<![\d.,$€£–-])"
_PHONE = re.compile(
    rf"{_NO_AMOUNT}(?:\+\d{{1,3}}[ .-]?|1[ -])?(?:\(\d{{3}}\)[ -]?|\d{{3}}[ .-])"
    rf"\d{{3}}[ .-]\d{{4}}(?![\d-])"
    rf"|{_NO_AMOUNT}\+\d{{1,3}}(?:[ .-]\d{{2,4}}){{2,5}}(?![\d-])"
    rf"|{_NO_AMOUNT}\d{{3}}-\d{{4}}(?![\d-])|{_NO_AMOUNT}\+\d{{7,15}}(?!\d)"
    rf"|{_NO_AMOUNT}\d{{10,11}}(?![\d.,]*\d)"
)
_LARGE_MONEY = re.compile(rf"(?P<sign>[$€£])\s?(?P<number>{_NUMBER})[\s-]?(?P<magnitude>{_LARGE})")
_DAY_MONTH = re.compile(
    rf"(?:\bthe\s)?\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?(?P<month>{_MONTH})(?!\w)"
)
_FEET = re.compile(r"(?P<feet>\d+)['′]\s?(?P<inches>\d{1,2})(?:[\"″]|'')")
_SHORT_AFTER_NAME = re.compile(
    rf"(?<=[a-z0-9,])(?P<space>\s)(?P<short>{'|'.join(AFTER_NAME)})\.(?!\s[A-Z][a-z]+\s?[A-Z])",
    re.IGNORECASE,
)
_RULES: tuple[_Rule, ...] = (
    (re.compile(r"https?://(?:www\.)?|\bwww\."), ""),
    (re.compile(r"(?<=[\w-])@(?=\w)"), " at "),
    (re.compile(r"(?<=[a-z])\.(?=(?:com|org|net|edu|gov|io|ru|de|uk|eu)\b)"), " dot "),
    (_WRITTEN_DATE, _date),
    (re.compile(r"(?<![\d.])\d+(?:\.\d+){2,}(?![\d.]*\d)"), _dotted),
    (_PHONE, _digits),
    (_LARGE_MONEY, _large_money),
    (
        re.compile(r"[$€£](?P<low>\d+)\s?[-–]\s?(?P<sign>[$€£])?(?P<high>\d+)(?![\d.,]*\d)"),
        lambda found: f"{found['low']} to {found['high']} {MONEY[found[0][0]][1]}",
    ),
    (re.compile(r"(?P<sign>[$€£])\s?(?P<number>\d[\d,]*(?:\.\d{1,2})?)(?![\d.,]*\d)"), _money),
    (re.compile(r"(?<![\w.])['’]?(?P<digits>(?:1\d|20)?\d0)(?:'|’)?s\b"), _decade),
    (re.compile(r"(?<=\d)s\b"), " ess"),
    (re.compile(rf"(?P<whole>\d+)?\s?(?P<sign>[{_SIGNS}])"), _sign_fraction),
    (re.compile(r"(?<![\d/])24/7(?![\d/])"), "24 7"),
    (re.compile(r"(?<![\d/])50/50(?![\d/])"), "50 50"),
    (re.compile(r"(?<![\d/])9/11(?![\d/])"), "9 11"),
    (
        re.compile(r"(?<![\d/.])(?:(?P<whole>\d+)\s)?(?P<upper>\d{1,2})/(?P<lower>\d{1,3})(?![\d/])"),
        _written_fraction,
    ),
    (_DAY_MONTH, _day_month),
    (
        re.compile(rf"\b(?P<month>{_MONTH})\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?![:%]|\.\d)"),
        _month_day,
    ),
    (re.compile(r"(?<=\d)\s?(?P<half>[apAP])\.?\s?[mM]\b\.?(?=\s+[a-z]|[,;:!?]|\s*$)"), _half_day),
    (re.compile(r"(?<=\d)\s?(?P<half>[apAP])\.?\s?[mM]\b"), _half_day),
    (re.compile(r"(?<=[0-5]\d)\s?[-–]\s?(?=\d{1,2}:[0-5]\d)"), " to "),
    (_FEET, r"\g<feet> foot \g<inches>"),
    (re.compile(r"(?:\bNo\.\s?|#\s?)(?=\d)"), "number "),
    (re.compile(r"\bp\.\s?(?=\d)"), "page "),
    (re.compile(r"\bpp\.\s?(?=\d)"), "pages "),
    (
        re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, ABBREVIATIONS)) + r")(?!\w)"),
        lambda found: ABBREVIATIONS[found[0]],
    ),
    (
        _SHORT_AFTER_NAME,
        lambda found: found["space"] + AFTER_NAME[found["short"].lower()],
    ),
    (
        re.compile(rf"\b(?P<short>{'|'.join(TITLES)})\.\s?(?=[A-Z])", re.IGNORECASE),
        lambda found: TITLES[found["short"].lower()] + " ",
    ),
    (re.compile(r"\b(?:Mr|Mrs|Ms|Dr)(?=\s[A-Z])"), lambda found: TITLES[found[0].lower()]),
    (
        re.compile(r"\b(?P<name>[A-Z][a-z]+)\s(?P<numeral>I{2,3}|IV|VI{0,3}|IX|XI{0,3}|XIV|XVI{0,3}|XV)\b"),
        _numeral,
    ),
    (re.compile(r"\b(?:[A-Z]\.\s?){1,3}(?=[A-Z][a-z])|\b(?:[A-Z]\.){2,}"), _spelled),
    (re.compile(r"\b[A-Z]{1,3}&[A-Z]{1,3}\b"), _joined_letters),
    (re.compile(r"(?<=[A-Za-z])-(?=\d)"), " "),
    (re.compile(r"(?<=\d)\s?x\s?(?=\d)"), " by "),
)  # fmt: skip
"""Rewritings, in their order, before the numbers are read."""

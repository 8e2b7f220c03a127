"""Clock times as people say and write them, in English and Russian."""

# ruff: noqa: SIM905 - a row of words reads better than a list of strings

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rtc_phrasebook.number_words import Words, english, russian, russian_form

Form = Literal["nom", "at"]
"""``nom``: семь часов. ``at``: with its preposition, в семь часов, в половине восьмого."""


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A time of day, as precisely as it was said."""

    hour: int
    """0 to 23; without `exact`, 1 to 12 in either half of the day."""
    minute: int
    """0 to 59."""
    exact: bool = False
    """True if the half of the day is known: "a.m.", "вечера", or a 24-hour time."""


_RU_HOUR_GENITIVE = (
    ". первого второго третьего четвёртого пятого шестого седьмого восьмого девятого десятого "
    "одиннадцатого двенадцатого"
).split()
_RU_MINUTES_GENITIVE = {5: "пяти", 10: "десяти", 20: "двадцати", 25: "двадцати пяти"}


def _twelve(hour: int) -> int:
    return (hour - 1) % 12 + 1


def _russian_part(hour: int) -> str:
    """Return the part of the day that a 24-hour hour belongs to."""
    if hour < 4:
        return "ночи"
    if hour < 12:
        return "утра"
    return "дня" if hour < 17 else "вечера"


def _english_part(hour: int) -> Words:
    """Return the part of the day that a 24-hour hour belongs to."""
    if hour < 12:
        return ("in", "the", "morning")
    return ("in", "the", "afternoon" if hour < 17 else "evening")


def write(time: ClockTime, language: str, form: str) -> str:
    """Return the time as people write it: "7:30 p.m.", "в семь тридцать вечера"."""
    return _write_russian(time, form) if language == "ru" else _write_english(time)


def spoken(language: str, form: str) -> Iterator[tuple[Words, ClockTime]]:
    """Yield every way to say every time; where two times share the words, the first one counts."""
    return _spoken_russian(form) if language == "ru" else _spoken_english()


def _write_english(time: ClockTime) -> str:
    digits = f"{_twelve(time.hour)}:{time.minute:02}" if time.minute else f"{_twelve(time.hour)}"
    if time.exact:
        return f"{digits} {'a.m.' if time.hour < 12 else 'p.m.'}"
    return digits if time.minute else f"{digits} o'clock"


def _spoken_english() -> Iterator[tuple[Words, ClockTime]]:
    yield ("noon",), ClockTime(12, 0, exact=True)
    yield ("midnight",), ClockTime(0, 0, exact=True)
    for hour in range(1, 13):
        name, following = english(hour)[0], english(_twelve(hour + 1))[0]
        for minute in range(60):
            said: list[Words] = []
            if minute == 0:
                said = [(name,)]
                yield (name, "o'clock"), ClockTime(hour, 0)
            elif minute < 10:
                said = [(name, "oh", *english(minute))]
            else:
                said = [(name, *english(minute))]
            if minute in (5, 10, 20, 25):
                said.append((*english(minute), "past", name))
            if minute in (35, 40, 50, 55):
                said.append((*english(60 - minute), "to", following))
            if minute == 15:
                said += [("quarter", "past", name), ("a", "quarter", "past", name)]
            if minute == 30:
                said.append(("half", "past", name))
            if minute == 45:
                said += [("quarter", "to", following), ("a", "quarter", "to", following)]
            for words in said:
                yield words, ClockTime(hour, minute)
            for exact_hour in (hour % 12, hour % 12 + 12):
                exact = ClockTime(exact_hour, minute, exact=True)
                yield (*said[0], "a.m." if exact_hour < 12 else "p.m."), exact
                yield (*said[0], *_english_part(exact_hour)), exact


def _russian_digital(hour: int, minute: int) -> Words:
    """Return семь часов, час тридцать, девятнадцать ноль пять."""
    if minute:
        head = ("час",) if hour == 1 else russian(hour)
        return (*head, *(("ноль",) if minute < 10 else ()), *russian(minute, "f"))
    if hour == 1:
        return ("час",)
    return (*russian(hour), {"one": "час", "few": "часа", "many": "часов"}[russian_form(hour)])


def _write_russian(time: ClockTime, form: str) -> str:
    words = _russian_digital(_twelve(time.hour) if time.exact else time.hour, time.minute)
    text = " ".join(words) + (f" {_russian_part(time.hour)}" if time.exact else "")
    return f"в {text}" if form == "at" else text


def _spoken_russian(form: str) -> Iterator[tuple[Words, ClockTime]]:
    preposition: Words = ("в",) if form == "at" else ()
    half = "половине" if form == "at" else "половина"
    for hour in range(1, 13):
        begun = _RU_HOUR_GENITIVE[_twelve(hour + 1)]
        following = ("час",) if hour == 12 else russian(_twelve(hour + 1))
        for minute in range(60):
            time = ClockTime(hour, minute)
            digital = (*preposition, *_russian_digital(hour, minute))
            yield digital, time
            if minute == 0:
                yield (*preposition, *(("час",) if hour == 1 else russian(hour))), time
            if minute in (5, 10, 20):
                yield (*preposition, *russian(minute), "минут", begun), time
            if minute == 15:
                yield (*preposition, "четверть", begun), time
            if minute == 30:
                yield (*preposition, half, begun), time
                yield (*preposition, "пол" + begun), time
            if minute == 45:
                yield ("без", "четверти", *following), time
            if 60 - minute in _RU_MINUTES_GENITIVE:
                late = _RU_MINUTES_GENITIVE[60 - minute].split()
                yield ("без", *late, *following), time
            for exact_hour in (hour % 12, hour % 12 + 12):
                exact = ClockTime(exact_hour, minute, exact=True)
                part = _russian_part(exact_hour)
                yield (*digital, part), exact
                if minute == 0 and hour > 1:
                    yield (*preposition, *russian(hour), part), exact
    for hour in (0, *range(13, 24)):
        for minute in range(60):
            time = ClockTime(hour, minute, exact=True)
            yield (*preposition, *_russian_digital(hour, minute)), time

"""Whole numbers 0 to 999 as people say them, in English and Russian."""

# ruff: noqa: SIM905 - a row of words reads better than a list of strings

from typing import Literal

Gender = Literal["m", "f", "n"]
Words = tuple[str, ...]

HIGHEST = 999
"""Largest number that a slot may have."""

_EN_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_EN_TENS = ". . twenty thirty forty fifty sixty seventy eighty ninety".split()

_RU_SMALL = (
    "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать "
    "тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
).split()
_RU_TENS = (
    ". . двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто"
).split()
_RU_HUNDREDS = (
    ". сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот"
).split()
_RU_ONE = {"m": "один", "f": "одна", "n": "одно"}
_RU_TWO = {"m": "два", "f": "две", "n": "два"}


def english(number: int) -> Words:
    """Return a number in English words: ``english(305)`` is ``("three", "hundred", "five")``."""
    hundreds, rest = divmod(number, 100)
    words = [_EN_SMALL[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        tens, rest = divmod(rest, 10)
        words.append(_EN_TENS[tens])
    if rest or not words:
        words.append(_EN_SMALL[rest])
    return tuple(words)


def english_spoken(number: int) -> list[Words]:
    """Return all ways to say a number: "a hundred", "three hundred and five", "three oh five"."""
    said = [english(number)]
    hundreds, rest = divmod(number, 100)
    if hundreds and rest:
        tail = english(rest)
        said.append((_EN_SMALL[hundreds], "hundred", "and", *tail))
        said.append((_EN_SMALL[hundreds], *(("oh",) if rest < 10 else ()), *tail))
    if hundreds == 1:
        said += [("a", *words[1:]) for words in said[:2] if "hundred" in words]
    return said


def russian(number: int, gender: Gender = "m", *, accusative: bool = False) -> Words:
    """Return a number in Russian words, for inanimate nouns: ``russian(22, "f")`` is
    ``("двадцать", "две")``.
    """
    hundreds, rest = divmod(number, 100)
    words = [_RU_HUNDREDS[hundreds]] if hundreds else []
    if rest >= 20:
        tens, rest = divmod(rest, 10)
        words.append(_RU_TENS[tens])
    if rest == 1:
        words.append("одну" if accusative and gender == "f" else _RU_ONE[gender])
    elif rest == 2:
        words.append(_RU_TWO[gender])
    elif rest or not words:
        words.append(_RU_SMALL[rest])
    return tuple(words)


def russian_form(number: int) -> Literal["one", "few", "many"]:
    """Return the form of a counted noun that follows: рубль, рубля, рублей."""
    if number % 100 in range(11, 15):
        return "many"
    if number % 10 == 1:
        return "one"
    return "few" if number % 10 in (2, 3, 4) else "many"

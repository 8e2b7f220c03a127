"""Fillers of a slot: all that can be said for it with its value, and the text of a value."""

from collections.abc import Iterator
from typing import TypeAlias, cast

from rtc_phrasebook import clock_times, number_words
from rtc_phrasebook.book import Book, Item, Phrase
from rtc_phrasebook.clock_times import ClockTime
from rtc_phrasebook.number_words import Gender, Words
from rtc_phrasebook.pattern import Slot, Wording, spoken_words

Value: TypeAlias = int | ClockTime | tuple[int, int]
"""Value of a slot: a number, a time, the index of an item, or (count, index) of counted items."""

_LARGEST_EN_WORD = 10
"""Largest English count that is written as a word."""
_FEW = 20
"""Largest end of a count's range that is shown with 2 ("two coffees"); others are with 10."""


def fill(wording: Wording, values: dict[str, Value], book: Book) -> str:
    """Return the written text of `wording` with its slots filled, starting with a capital."""
    text = "".join(
        write(piece, wording.language, values[piece.key], book)
        if isinstance(piece, Slot)
        else piece
        for piece in wording.pieces
    )
    text = text.replace("..", ".").replace(".m.?", ".m.?")
    return text[:1].upper() + text[1:]


def write(slot: Slot, language: str, value: Value, book: Book) -> str:
    """Return a value as people write it for `slot`.

    Russian counts are spelt out, so that any voice reads them in the right case and gender.
    """
    if isinstance(value, ClockTime):
        return clock_times.write(value, language, slot.form)
    if isinstance(value, tuple):
        count, index = value
        item = book.lists[slot.kind][index]
        noun = item.text(language, _count_form(count, language, slot.form))
        if language == "en":
            number = (
                "".join(number_words.english(count)) if count <= _LARGEST_EN_WORD else str(count)
            )
        else:
            number = " ".join(_russian_count(count, item, slot.form))
        return f"{number} {noun}"
    if slot.kind == "number":
        return str(value)
    return book.lists[slot.kind][value].text(language, slot.form)


def example(slot: Slot) -> Value:
    """Return the value with which a slot is shown in examples."""
    if slot.kind == "time":
        return ClockTime(7, 30)
    if slot.counted:
        count = 2 if slot.high <= _FEW else _LARGEST_EN_WORD
        return (min(max(count, slot.low), slot.high), 0)
    return min(max(12, slot.low), slot.high) if slot.kind == "number" else 0


def sayings(slot: Slot, language: str, book: Book) -> dict[Words, Value]:
    """Return all word sequences that can be said for `slot`, with their values; of several values
    the first one counts.
    """
    said: dict[Words, Value] = {}
    for words, value in _all_sayings(slot, language, book):
        said.setdefault(words, value)
    return said


def _all_sayings(slot: Slot, language: str, book: Book) -> Iterator[tuple[Words, Value]]:
    span = range(slot.low, slot.high + 1)
    if slot.kind == "time":
        yield from clock_times.spoken(language, slot.form)
    elif slot.kind == "number":
        for number in span:
            for words in number_words.english_spoken(number) if language == "en" else [_ru(number)]:
                yield words, number
    elif slot.counted:
        for index, item in enumerate(book.lists[slot.kind]):
            for count in span:
                form = _count_form(count, language, slot.form)
                noun = tuple(spoken_words(item.text(language, form), language))
                counts = (
                    number_words.english_spoken(count)
                    if language == "en"
                    else [_russian_count(count, item, slot.form)]
                )
                for words in counts:
                    yield (*words, *noun), (count, index)
    else:
        for index, item in enumerate(book.lists[slot.kind]):
            yield tuple(spoken_words(item.text(language, slot.form), language)), index


def _ru(number: int) -> Words:
    return number_words.russian(number)


def _count_form(count: int, language: str, form: str) -> str:
    if language == "en":
        return "one" if count == 1 else "many"
    agreed = number_words.russian_form(count)
    return "nom" if form == "nom" and agreed == "one" else agreed


def _russian_count(count: int, item: Item, form: str) -> Words:
    gender = cast(Gender, item.forms["ru"]["gender"])
    return number_words.russian(count, gender, accusative=form != "nom")


def examples(phrase: Phrase, book: Book) -> dict[str, str]:
    """Return the phrase as lists show it: language to its first wording, with slots filled."""
    shown = {}
    for language, wordings in phrase.wordings.items():
        values = {slot.key: example(slot) for slot in wordings[0].slots()}
        shown[language] = fill(wordings[0], values, book)
    return shown

"""The whole book written out, every phrase with every filler, for a person to read through.

    python -m bench.phrasebook.readthrough > book.txt

A line has the English and the Russian text; of numbers and times those stand there at which grammar
changes (1, 2, 5, 21). The other wordings of a phrase follow with its first fillers, indented.
"""

import sys
from collections.abc import Iterator
from itertools import product

from rtc_phrasebook import book as books
from rtc_phrasebook.book import LANGUAGES, Book, Phrase
from rtc_phrasebook.clock_times import ClockTime
from rtc_phrasebook.fillers import Value, fill
from rtc_phrasebook.pattern import Slot

COUNTS = (1, 2, 5, 21, 305)
"""Numbers of each form of a Russian noun, and one that is said in parts."""
TIMES = (ClockTime(7, 30), ClockTime(1, 0), ClockTime(14, 0, exact=True))


def fillings(phrase: Phrase, book: Book) -> Iterator[dict[str, Value]]:
    """Yield the values of the slots, every item of a list with every number of `COUNTS`."""
    slots = phrase.wordings["en"][0].slots()
    for values in product(*(_values(slot, book) for slot in slots)):
        yield dict(zip((slot.key for slot in slots), values, strict=True))


def _values(slot: Slot, book: Book) -> list[Value]:
    if slot.kind == "time":
        return list(TIMES)
    counts = [count for count in COUNTS if slot.low <= count <= slot.high] or [slot.low]
    if slot.kind == "number":
        return list(counts)
    items = range(len(book.lists[slot.kind]))
    return [(count, item) for item in items for count in counts] if slot.counted else list(items)


def lines(book: Book) -> Iterator[str]:
    """Yield the text, without ends of lines."""
    for phrase in book.phrases:
        yield f"# {phrase.origin}"
        for number, values in enumerate(fillings(phrase, book)):
            first = (fill(phrase.wordings[each][0], values, book) for each in LANGUAGES)
            yield " | ".join(first)
            if number == 0:
                for language in LANGUAGES:
                    for wording in phrase.wordings[language][1:]:
                        yield f"    {fill(wording, values, book)}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines(books.load()))

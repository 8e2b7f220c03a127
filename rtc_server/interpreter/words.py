"""Rules about written words, by which text is committed and spoken. Pure.

A word is a part of a text between white space, including its punctuation marks. In languages
written without spaces a whole sentence is one word.
"""

from collections.abc import Sequence

_QUOTES = "\"'»”’)]"
_SENTENCE_MARKS = (".", "!", "?", "…")
_CLAUSE_MARKS = (",", ";", ":", "—", "–")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ABBREVIATIONS = _words(
    "mr mrs ms dr prof st vs etc fig approx dept inc ltd jr sr "
    "г гг т д др тд тп стр рис им см ул руб млн млрд тыс обл"
)
_CUES = _words(
    "and but or so because that which who when where while if although though since then than "
    "и а но или что который которая которое которые когда где если хотя потому чтобы пока как "
    "und aber oder dass weil wenn et mais ou que quand si y pero porque cuando"
)
"""Words that begin a clause, before which the voice may pause."""
_LEANING = _words(
    "a an the of to in on at by for with from as is are was were be my your his her its our their "
    "в во на с со к ко о об от до из за у по для при не ни без под над "
    "der die das ein eine le la les un une de du des el los las del"
)
"""Words that belong to the next one. A clause that ends with one sounds cut off."""
_MOST_HELD = 6
"""Longest run of numbers or names that is kept together."""


def bare(word: str) -> str:
    """Return a word without marks and capitals, for comparison; itself if it has only marks."""
    return "".join(char for char in word.casefold() if char.isalnum()) or word


def is_number(word: str) -> bool:
    """Return whether a word contains digits, or is a sign that belongs to a number."""
    return any(char.isdigit() for char in word) or word.strip(".,;:!?") in ("%", "€", "$", "№")


def is_abbreviation(word: str) -> bool:
    """Return whether the full stop at the end of a word is part of it ("Dr.", "e.g.", "J.")."""
    if not word.endswith("."):
        return False
    letters = word.rstrip(".").strip("(\"'«“")
    return (
        "." in letters
        or (letters.isalpha() and len(letters) == 1)
        or bare(word) in (_ABBREVIATIONS)
    )


def ends_sentence(word: str) -> bool:
    """Return whether a sentence ends with this word."""
    return word.rstrip(_QUOTES).endswith(_SENTENCE_MARKS) and not is_abbreviation(word)


def ends_clause(word: str) -> bool:
    """Return whether a clause or a sentence ends with this word."""
    return ends_sentence(word) or word.rstrip(_QUOTES).endswith(_CLAUSE_MARKS)


def begins_clause(word: str) -> bool:
    """Return whether this word usually begins a clause."""
    return bare(word) in _CUES


def unfinished_number(words: Sequence[str]) -> int:
    """Return how many words at the end are a number, which the next word may continue."""
    held = 0
    while held < len(words) and is_number(words[len(words) - 1 - held]):
        held += 1
    return held


def untearable(words: Sequence[str]) -> int:
    """Return how many words at the end belong to what may follow: a number, a name, "Dr.", "the".

    Words up to the end of a clause are not counted.
    """
    held = 0
    for index in range(len(words) - 1, -1, -1):
        word = words[index]
        if ends_clause(word):
            break
        begins = index == 0 or ends_sentence(words[index - 1])
        name = word[:1].isupper() and not begins
        if not (name or is_number(word) or is_abbreviation(word) or bare(word) in _LEANING):
            break
        held += 1
    return held if held <= _MOST_HELD else 0


def continuation(committed: Sequence[str], words: Sequence[str]) -> int:
    """Return the index in `words` of the first word that `committed` does not cover.

    `words` usually begin with the committed words. If an engine has revised these, the beginning of
    `words` that differs from them in the fewest words counts as covered, the longest of several. So
    nothing is said twice, and nothing that follows is lost.
    """
    if [bare(word) for word in words[: len(committed)]] == [bare(word) for word in committed]:
        return len(committed)
    # Edit distance of `committed` to every beginning of `words`, one row for each committed word.
    row = list(range(len(words) + 1))
    for count, said in enumerate(committed, 1):
        above, row = row, [count]
        for index, word in enumerate(words, 1):
            swap = above[index - 1] + (bare(said) != bare(word))
            row.append(min(swap, above[index] + 1, row[index - 1] + 1))
    return max(range(len(row)), key=lambda index: (-row[index], index))

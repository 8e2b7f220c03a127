"""Cues of subtitles that a person can read: at most two lines of 42 characters, at most 7 s long.
Pure.

The page has the same rules (``static/cues.js``), and a test compares the results of both.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, count

LINE_CHARS = 42
MOST_MS = 7000
MOST_LINES = 2


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


def cut(texts: Sequence[str], start_ms: int, end_ms: int) -> Iterator[Cue]:
    """Yield the cues of what was said between two times, each as long as its share of the text.

    `texts` is one that has two lines, or two (what was said and its translation) of one line each.
    """
    cues = _cut_into([_words(text) for text in texts], MOST_LINES // len(texts))
    ends = list(accumulate(sum(map(len, lines)) for lines in cues))
    before = 0
    for lines, end in zip(cues, ends, strict=True):
        start, stop = (start_ms + (end_ms - start_ms) * at // ends[-1] for at in (before, end))
        yield Cue(start, min(stop, start + MOST_MS), lines)
        before = end


def _cut_into(words: Sequence[list[str]], most_lines: int) -> list[tuple[str, ...]]:
    """Return the lines of each cue: as few cues as will do, each with as much of every text."""
    # A lower bound: a line holds words, each with a blank after it, of at most so many characters.
    # Counting from 1 took 0.8 s for a text of 10,000 characters.
    longest = max(sum(len(word) + 1 for word in each) for each in words)
    fewest = max(1, math.ceil(longest / (most_lines * (LINE_CHARS + 1))))
    for number in count(fewest):
        pieces = [[_wrap(part, most_lines) for part in _divide(each, number)] for each in words]
        cues = []
        for parts in zip(*pieces, strict=True):
            lines = [line for part in parts if part is not None for line in part]
            if None in parts:
                break
            cues.append(tuple(lines))
        else:
            return [lines for lines in cues if lines]
    raise AssertionError("words are no longer than a line")


def _words(text: str) -> list[str]:
    """Return words, none longer than a line; "-->" would end a cue's times amid its text."""
    words = text.replace("-->", "→").split()
    return [word[at : at + LINE_CHARS] for word in words for at in range(0, len(word), LINE_CHARS)]


def _divide(words: Sequence[str], number: int) -> list[list[str]]:
    """Return groups of about the same length; a word goes where its middle lies."""
    groups: list[list[str]] = [[] for _ in range(number)]
    whole = sum(len(word) + 1 for word in words)
    before = 0
    for word in words:
        middle = 2 * before + len(word) + 1
        groups[middle * number // (2 * whole)].append(word)
        before += len(word) + 1
    return groups


def _wrap(words: Sequence[str], most_lines: int) -> list[str] | None:
    """Return at most so many lines, balanced; None when they do not fit."""
    for number in range(1, most_lines + 1):
        lines = [" ".join(line) for line in _divide(words, number)]
        if all(len(line) <= LINE_CHARS for line in lines):
            return [line for line in lines if line]
    return None

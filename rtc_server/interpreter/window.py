"""Window of audio that an engine gets: where a stretch ends, and the next one starts. Pure.

The work per second of speech is bounded only if audio leaves the stretch once all of its words are
committed, in both languages. With word times, a stretch is cut after a sentence, a long one after
any word; without, at a pause before which everything is committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rtc_server.interpreter.commit_policy import CommittedText
from rtc_server.interpreter.words import bare, ends_sentence

LONG_MS = 6000
"""Length beyond which a stretch does not wait for the end of a sentence."""
_MOST_DIP_MS = 300
"""Longest distance from the end of a word to the quiet moment after it."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause inside a stretch, and the text of what was said before it."""

    at_ms: int
    """Position of the pause in the stretch."""
    source: tuple[str, ...]
    target: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """Place at which a stretch may end: all words before it are committed."""

    source_words: int
    """Number of committed words before it."""
    target_words: int
    """Number of committed words of the translation before it."""
    from_ms: int
    """Start of the range in which the quietest moment is chosen."""
    until_ms: int
    """End of that range."""


def cut_at_pause(
    source: CommittedText, target: CommittedText, pauses: Sequence[Pause]
) -> Cut | None:
    """Return the cut at the latest pause whose whole text is committed, word by word; else None."""
    for pause in reversed(pauses):
        same = _begins(source.words, pause.source) and _begins(target.words, pause.target)
        if same:
            return Cut(len(pause.source), len(pause.target), pause.at_ms, pause.at_ms)
    return None


def cut_by_time(
    source: CommittedText, target: CommittedText, heard_ms: int, *, has_alignment: bool
) -> Cut | None:
    """Return the latest cut between committed words, by their times; None if there is none."""
    sentences = [n for n, word in enumerate(source.words, 1) if ends_sentence(word)]
    translated = [n for n, word in enumerate(target.words, 1) if ends_sentence(word)]
    pairs = list(zip(sentences, translated, strict=False))
    if pairs:
        return _cut(source, *pairs[-1])
    if not has_alignment or heard_ms < LONG_MS:
        return None
    if not source.words or not target.words or len(target.tail_ends_ms) != len(target.tail):
        return None
    end_ms = source.ends_ms[-1]
    before = all(end <= end_ms for end in target.ends_ms)
    behind = all(end > end_ms for end in target.tail_ends_ms[:1])
    return _cut(source, len(source.words), len(target.words)) if before and behind else None


def _cut(source: CommittedText, source_words: int, target_words: int) -> Cut:
    end_ms = source.ends_ms[source_words - 1]
    later = source.ends_ms[source_words:]
    next_end_ms = later[0] if later else end_ms + _MOST_DIP_MS
    until_ms = min(end_ms + _MOST_DIP_MS, end_ms + (next_end_ms - end_ms) // 3)
    return Cut(source_words, target_words, end_ms, max(end_ms, until_ms))


def _begins(words: Sequence[str], beginning: Sequence[str]) -> bool:
    return [bare(w) for w in words[: len(beginning)]] == [bare(w) for w in beginning]

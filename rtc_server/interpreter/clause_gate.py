"""Gate between committed words and the voice: releases them clause by clause. Pure.

Single words, spoken as they come, are hard to follow, and whole sentences come late. A clause is
released at a punctuation mark, before a word that begins a clause, when many words wait, or when
the voice is about to fall silent; never in the middle of a number, a name or an abbreviation.
"""

from rtc_server.interpreter.words import begins_clause, ends_clause, ends_sentence, untearable

RUNNING_DRY_MS = 300
"""Waiting speech below which the voice is about to fall silent."""


class ClauseGate:
    """Queue of one segment's committed words before the voice."""

    def __init__(self, *, least_words: int, cue_words: int = 4, many_words: int = 6) -> None:
        """Fewest words that are released: `least_words` when the voice is about to fall silent,
        `cue_words` before a word that begins a clause, `many_words` in any case."""
        self._least, self._cue, self._many = least_words, cue_words, many_words
        self._words: tuple[str, ...] = ()

    @property
    def waiting(self) -> int:
        """Number of words that wait."""
        return len(self._words)

    def add(self, words: tuple[str, ...]) -> None:
        """Take words that were committed."""
        self._words += words

    def take(self, *, queue_ms: float) -> tuple[str, ...]:
        """Remove and return the words of the next clause; none while it is too early.

        Args:
            queue_ms: speech that waits to be played.
        """
        return self._release(self._count(queue_ms))

    def take_rest(self) -> tuple[str, ...]:
        """Remove and return all words: the segment is over."""
        return self._release(len(self._words))

    def take_back(self, count: int) -> tuple[str, ...]:
        """Remove and return the last `count` words, which another segment will speak."""
        kept = len(self._words) - count
        words, self._words = self._words[kept:], self._words[:kept]
        return words

    def _release(self, count: int) -> tuple[str, ...]:
        words, self._words = self._words[:count], self._words[count:]
        return words

    def _count(self, queue_ms: float) -> int:
        words = self._words
        whole = len(words) - untearable(words)
        marks = [n for n in range(1, whole + 1) if _is_mark(words, n)]
        if marks:
            return marks[-1]
        cues = [
            n for n in range(self._cue, whole + 1) if n < len(words) and begins_clause(words[n])
        ]
        cues = [n for n in cues if not untearable(words[:n])]
        if cues:
            return cues[-1]
        if whole >= self._many or (queue_ms < RUNNING_DRY_MS and whole >= self._least):
            return whole
        return 0


def _is_mark(words: tuple[str, ...], count: int) -> bool:
    """Return whether a clause ends with the `count`-th word. A single word is a clause only if it
    ends a sentence.
    """
    word = words[count - 1]
    return ends_sentence(word) or (count > 1 and ends_clause(word))

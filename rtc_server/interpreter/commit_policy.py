"""Policies that decide which words of a hypothesis are committed. Pure.

While speech goes on, engines revise their text. A `CommitPolicy` decides how much of the newest
hypothesis is reliable. `CommittedText` applies it to one language of one stretch of audio, and
keeps what holds for every policy: text only grows, by whole words, and a number is committed only
when it is complete.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rtc_server.interpreter.words import (
    continuation,
    ends_clause,
    is_number,
    unfinished_number,
)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Text of an open stretch of audio as one pass of an engine has it."""

    words: tuple[str, ...]
    """All words since the beginning of the audio."""
    ends_ms: tuple[int, ...] = ()
    """End of each word in the audio; empty if the engine has no word times."""
    open_words: int = 0
    """Number of words at the end that the engine itself marks as likely to change."""


class CommitPolicy(Protocol):
    """Rule for the hypotheses of one language, which it gets in order."""

    def reliable(self, heard_ms: int, words: Sequence[str], ends_ms: Sequence[int]) -> int:
        """Return how many words at the beginning of `words` can be committed.

        Args:
            heard_ms: length of the audio of the hypothesis.
            words: its words after those that are committed.
            ends_ms: ends of these words in the audio; empty if unknown.
        """

    def committed(self, count: int) -> None:
        """Note that `count` words were committed; the next call is without them."""


class Consecutive:
    """Policy that commits nothing before the end of the segment."""

    def reliable(self, heard_ms: int, words: Sequence[str], ends_ms: Sequence[int]) -> int:
        """See `CommitPolicy.reliable`."""
        return 0

    def committed(self, count: int) -> None:
        """See `CommitPolicy.committed`."""


class Agreement:
    """Policy that commits what several passes in a row have in common (LocalAgreement).

    Liu et al., Interspeech 2020, "Low-Latency Sequence-to-Sequence Speech Recognition and
    Translation by Partial Hypothesis Selection".
    """

    def __init__(self, *, passes: int, held_words: int) -> None:
        """`passes`: number of passes that must agree; `held_words`: words withheld at the end of
        what they share."""
        self._earlier: deque[tuple[str, ...]] = deque(maxlen=passes - 1)
        self._passes, self._held_words = passes, held_words

    def reliable(self, heard_ms: int, words: Sequence[str], ends_ms: Sequence[int]) -> int:
        """See `CommitPolicy.reliable`."""
        passes = [*self._earlier, tuple(words)]
        self._earlier.append(tuple(words))
        if len(passes) < self._passes:
            return 0
        agreed = _common(*passes)
        # The last words of a pass are guesses about audio that has not come yet. Passes that lack
        # the same audio share them.
        return max(0, agreed - self._held_words)

    def committed(self, count: int) -> None:
        """See `CommitPolicy.committed`."""
        self._earlier = deque((words[count:] for words in self._earlier), self._passes - 1)


class Attention:
    """Policy that commits words whose audio is old enough (AlignAtt).

    Papi et al., Interspeech 2023, "AlignAtt: Using Attention-based Audio-Translation Alignments as
    a Guide for Simultaneous Speech Translation". Commits nothing of a hypothesis without times.
    """

    def __init__(self, *, frontier_ms: int) -> None:
        """`frontier_ms`: length of the newest audio; words that depend on it are withheld."""
        self._frontier_ms = frontier_ms

    def reliable(self, heard_ms: int, words: Sequence[str], ends_ms: Sequence[int]) -> int:
        """See `CommitPolicy.reliable`."""
        count = 0
        for end_ms in ends_ms:
            if end_ms > heard_ms - self._frontier_ms:
                break
            count += 1
        return count

    def committed(self, count: int) -> None:
        """See `CommitPolicy.committed`."""


class CommittedText:
    """Text of one stretch of audio in one language: committed words, and a tail that may change."""

    def __init__(self, policy: CommitPolicy) -> None:
        self.words: tuple[str, ...] = ()
        """Committed words. They only grow, except in `split`."""
        self.ends_ms: tuple[int, ...] = ()
        """End of each committed word in the audio. For an engine without word times: the length of
        the first audio whose hypothesis had that many words."""
        self.tail: tuple[str, ...] = ()
        """Words of the newest hypothesis after the committed ones."""
        self.tail_ends_ms: tuple[int, ...] = ()
        """End of each word of the tail; empty when unknown."""
        self._shown_tail = 0
        self._policy = policy
        self._seen_ms: list[int] = []

    @property
    def shown(self) -> tuple[str, ...]:
        """Committed words, and those of the tail that are likely to stay.

        With word times that is the whole tail. Without, it is what the hypothesis before has as
        well, and one word more: speech adds a word or two per pass, so nothing comes late, while
        text that a model makes up comes as whole clauses, which the next pass takes back.
        """
        return (*self.words, *self.tail[: self._shown_tail])

    def feed(self, heard_ms: int, hypothesis: Hypothesis) -> tuple[str, ...]:
        """Take the next hypothesis, for the first `heard_ms` of the audio; return the words that it
        commits.
        """
        self._see(heard_ms, len(hypothesis.words))
        before = (*self.words, *self.tail)
        begins = continuation(self.words, hypothesis.words)
        tail, ends = hypothesis.words[begins:], hypothesis.ends_ms[begins:]
        count = self._policy.reliable(heard_ms, tail, ends)
        # The last word's audio may be incomplete, and its mark assumes that nothing follows.
        count = max(0, min(count, len(tail) - max(1, hypothesis.open_words)))
        # "20" may go on with "5": a number waits for the word behind it, or for a mark.
        if count and (is_number(tail[count]) or not ends_clause(tail[count - 1])):
            count -= unfinished_number(tail[:count])
        self._policy.committed(count)
        self.tail, self.tail_ends_ms = tail[count:], ends[count:]
        news = self._commit(tail[:count], ends[:count])
        agreed = _common(before, (*self.words, *self.tail))
        has_times = len(self.tail_ends_ms) == len(self.tail)
        self._shown_tail = len(self.tail) if has_times else max(0, agreed + 1 - len(self.words))
        return news

    def finish(self, heard_ms: int, words: tuple[str, ...]) -> tuple[str, ...]:
        """Take the text of the whole audio; commit and return all that it adds. More audio may
        follow after a pause."""
        self._see(heard_ms, len(words))
        self.tail, self.tail_ends_ms = (), ()
        rest = words[continuation(self.words, words) :]
        self._policy.committed(len(rest))
        return self._commit(rest, ())

    def split(self, count: int, at_ms: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Remove the words after the first `count`, and return them with their times for a stretch
        that begins at `at_ms`."""
        words, ends_ms = self.words[count:], self.ends_ms[count:]
        self.words, self.ends_ms = self.words[:count], self.ends_ms[:count]
        self.tail, self.tail_ends_ms = (), ()
        return words, tuple(max(0, end - at_ms) for end in ends_ms)

    def begin_with(self, words: tuple[str, ...], ends_ms: tuple[int, ...]) -> None:
        """Take words that were committed while this audio was part of another stretch."""
        self.words, self.ends_ms = words, ends_ms
        self._seen_ms = list(ends_ms)

    def _see(self, heard_ms: int, count: int) -> None:
        self._seen_ms += [heard_ms] * (count - len(self._seen_ms))

    def _commit(self, words: tuple[str, ...], ends_ms: tuple[int, ...]) -> tuple[str, ...]:
        if len(ends_ms) != len(words):
            first = len(self.words)
            seen = self._seen_ms[first : first + len(words)]
            ends_ms = tuple(seen) + (seen[-1] if seen else 0,) * (len(words) - len(seen))
        self.words += words
        self.ends_ms += ends_ms
        return words


def _common(*texts: Sequence[str]) -> int:
    """Return how many words at the beginning are the same in all texts."""
    columns = zip(*texts, strict=False)
    shortest = min(map(len, texts))
    return next((n for n, words in enumerate(columns) if len(set(words)) > 1), shortest)

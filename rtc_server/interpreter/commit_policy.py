"""Policies that decide which words of a hypothesis will never change again. Pure.

Engines revise what they make of speech that goes on. A `CommitPolicy` says how much of the newest
hypothesis can be relied upon; `CommittedText` applies it to one language of one stretch of audio,
and sees to what holds under any policy: text only grows, by whole words, and a number is committed
only when it is complete.
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
    """End of each word in the audio; empty when the engine does not say."""
    open_words: int = 0
    """Words at the end that the engine itself leaves open."""


class CommitPolicy(Protocol):
    """Judge of the hypotheses of one language, in order."""

    def reliable(self, heard_ms: int, words: Sequence[str], ends_ms: Sequence[int]) -> int:
        """Return how many words at the beginning of `words` can be committed.

        Args:
            heard_ms: length of the audio that the hypothesis is of.
            words: its words behind those that are committed.
            ends_ms: where these end; empty when unknown.
        """

    def committed(self, count: int) -> None:
        """Note that so many words were committed; the next call does not hold them again."""


class Consecutive:
    """Policy that commits nothing before the end."""

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
        """`passes`: how many must agree; `held_words`: withheld at the end of what they share."""
        self._earlier: deque[tuple[str, ...]] = deque(maxlen=passes - 1)
        self._passes, self._held_words = passes, held_words

    def reliable(self, heard_ms: int, words: Sequence[str], ends_ms: Sequence[int]) -> int:
        """See `CommitPolicy.reliable`."""
        passes = [*self._earlier, tuple(words)]
        self._earlier.append(tuple(words))
        if len(passes) < self._passes:
            return 0
        agreed = _common(*passes)
        # Words at the very end of a pass are guesses about what comes: all passes share them only
        # when they are short of audio together.
        return max(0, agreed - self._held_words)

    def committed(self, count: int) -> None:
        """See `CommitPolicy.committed`."""
        self._earlier = deque((words[count:] for words in self._earlier), self._passes - 1)


class Attention:
    """Policy that commits words which rest on audio that is old enough (AlignAtt).

    Papi et al., Interspeech 2023, "AlignAtt: Using Attention-based Audio-Translation Alignments as
    a Guide for Simultaneous Speech Translation". Nothing of a hypothesis without times.
    """

    def __init__(self, *, frontier_ms: int) -> None:
        """`frontier_ms`: words that rest on the last so many ms are withheld."""
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
    """One language of one stretch of audio: words that stay, and a tail that may not."""

    def __init__(self, policy: CommitPolicy) -> None:
        self.words: tuple[str, ...] = ()
        """Committed. Grows, and never changes otherwise."""
        self.ends_ms: tuple[int, ...] = ()
        """End of each in the audio; of an engine without times, the length of the first audio whose
        hypothesis had so many words."""
        self.tail: tuple[str, ...] = ()
        """Words of the newest hypothesis behind them."""
        self.tail_ends_ms: tuple[int, ...] = ()
        """End of each word of the tail; empty when unknown."""
        self._shown_tail = 0
        self._policy = policy
        self._seen_ms: list[int] = []

    @property
    def shown(self) -> tuple[str, ...]:
        """Committed words and those of the tail that are likely to stay: all of an engine that says
        when they were spoken; of another, what the hypothesis before has, too, and one word more.

        An engine that is shown speech brings a word or two with each pass, so that it loses no time
        by this. What a model makes up comes as whole clauses, which the next pass takes back.
        """
        return (*self.words, *self.tail[: self._shown_tail])

    def feed(self, heard_ms: int, hypothesis: Hypothesis) -> tuple[str, ...]:
        """Take the next hypothesis, of the first `heard_ms` of the audio.

        Returns:
            The words that are committed by it.
        """
        self._see(heard_ms, len(hypothesis.words))
        before = (*self.words, *self.tail)
        begins = continuation(self.words, hypothesis.words)
        tail, ends = hypothesis.words[begins:], hypothesis.ends_ms[begins:]
        count = self._policy.reliable(heard_ms, tail, ends)
        # The last word may be half heard, and its mark is the engine's guess that nothing follows.
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
        """Take the text of the whole audio, behind which more may follow after a pause. All that it
        adds is committed, and returned."""
        self._see(heard_ms, len(words))
        self.tail, self.tail_ends_ms = (), ()
        rest = words[continuation(self.words, words) :]
        self._policy.committed(len(rest))
        return self._commit(rest, ())

    def split(self, count: int, at_ms: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Give up the words behind the first `count`, and return them with their times, for the
        audio that begins at `at_ms`."""
        words, ends_ms = self.words[count:], self.ends_ms[count:]
        self.words, self.ends_ms = self.words[:count], self.ends_ms[:count]
        self.tail, self.tail_ends_ms = (), ()
        return words, tuple(max(0, end - at_ms) for end in ends_ms)

    def begin_with(self, words: tuple[str, ...], ends_ms: tuple[int, ...]) -> None:
        """Take over words that were committed when this audio was part of another stretch."""
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

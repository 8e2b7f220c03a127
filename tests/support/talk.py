"""A talk whose every word is known, and a translation engine that knows it: an oracle.

The audio tells where it was cut out: each voiced sample holds its own position. So the engine knows
what was said in any stretch of it, as far as that was heard.
"""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rtc_server.engines.base import (
    AstCapabilities,
    AstRequest,
    AstResult,
    AstStatus,
    WordTime,
)
from rtc_server.pcm import SPEECH_RATE, Samples
from tests.support.fakes import AST_CAPABILITIES

_LEVEL, _STEP = 0.05, 1e-7

AGREEING = replace(AST_CAPABILITIES, target_partials=True)
"""Capabilities of an engine that translates open segments, without times."""
TIMED = replace(AGREEING, word_times=True)
"""Capabilities of one with the times of source words, and none of target words."""
ALIGNED = replace(AGREEING, prefix=True, word_times=True, alignment=True)
"""Capabilities of one with the times of words in both languages."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the talk."""

    source: str
    target: str
    start_ms: int
    end_ms: int


def sentences(
    count: int, words: int = 8, *, word_ms: int = 300, gap_ms: int = 64, pause_ms: int = 0
) -> list[Word]:
    """A talk without a pause longer than `gap_ms` inside sentences and `pause_ms` between them."""
    talk, at_ms = [], 0
    for number in range(count * words):
        mark = "." if number % words == words - 1 else ""
        end_ms = at_ms + word_ms - gap_ms
        name = spelled(number) + mark
        talk.append(Word(f"s{name}", f"t{name}", at_ms, end_ms))
        at_ms = end_ms + gap_ms + (pause_ms if mark else 0)
    return talk


def unmarked(talk: Sequence[Word]) -> list[Word]:
    """The same talk without marks."""
    return [replace(w, source=w.source.rstrip("."), target=w.target.rstrip(".")) for w in talk]


def spelled(number: int) -> str:
    """A number in letters: digits have rules of their own."""
    return "".join("abcdefghij"[int(digit)] for digit in f"{number:03}")


def audio(talk: Sequence[Word], tail_ms: int = 1000) -> Samples:
    """The talk as audio for `LoudnessVad`."""
    count = (talk[-1].end_ms + tail_ms) * SPEECH_RATE // 1000
    samples = np.zeros(count, np.float32)
    for word in talk:
        start, end = (ms * SPEECH_RATE // 1000 for ms in (word.start_ms, word.end_ms))
        samples[start:end] = _LEVEL + _STEP * np.arange(start, end)
    return samples


def position(samples: Samples) -> int | None:
    """Return the place in the talk of the first of these samples; None of silence."""
    voiced = np.flatnonzero(samples)
    if not voiced.size:
        return None
    return round((float(samples[voiced[0]]) - _LEVEL) / _STEP) - int(voiced[0])


Twist = Callable[[AstRequest, AstResult], AstResult]
"""Function that makes an answer worse."""


@dataclass
class OracleAst:
    """`AstPort` that answers with the words of the talk that are in the audio."""

    talk: Sequence[Word]
    capabilities: AstCapabilities = ALIGNED
    delay_s: float = 0.1
    twist: Twist = lambda _request, result: result
    requests: list[AstRequest] = field(default_factory=list)

    def answer(self, request: AstRequest) -> AstResult:
        """Return the words whose end is in the audio; of an open segment also the last one, cut
        off.
        """
        start = position(request.samples)
        if start is None:
            return AstResult(AstStatus.NOT_UNDERSTOOD)
        start_ms = start * 1000 // SPEECH_RATE
        end_ms = start_ms + len(request.samples) * 1000 // SPEECH_RATE
        first = bisect_left(self.talk, start_ms - 30, key=lambda w: w.start_ms)
        behind = bisect_right(self.talk, end_ms + 30, key=lambda w: w.end_ms)
        whole = list(self.talk[first:behind])
        half = [w for w in self.talk[behind : behind + 1] if w.start_ms < end_ms - 50]
        if request.partial:
            whole += [replace(w, source=w.source[:1], target=w.target[:1]) for w in half]
        source, target = [w.source for w in whole], [w.target for w in whole]
        ends = [min(w.end_ms, end_ms) - start_ms for w in whole]
        result = AstResult(AstStatus.OK, " ".join(source), " ".join(target))
        if self.capabilities.word_times:
            result = replace(result, words=_timed(source, ends))
        if self.capabilities.alignment:
            result = replace(result, target_words=_timed(target, ends))
        return self.twist(request, result)

    def submit(self, request: AstRequest, *, session_id: str) -> "asyncio.Future[AstResult]":
        self.requests.append(request)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[AstResult] = loop.create_future()
        result = self.answer(request)
        loop.call_later(self.delay_s, lambda: None if future.done() else future.set_result(result))
        return future

    def submit_partial(
        self, request: AstRequest, *, session_id: str
    ) -> "asyncio.Future[AstResult | None]":
        return self.submit(request, session_id=session_id)  # type: ignore[return-value]

    submit_speculative = submit_partial

    def commit(
        self,
        request: AstRequest,
        speculative: "asyncio.Future[AstResult | None]",
        *,
        session_id: str,
    ) -> "asyncio.Future[AstResult]":
        return speculative  # type: ignore[return-value]

    def expect(self, session_id: str) -> None:
        """Do nothing: nobody is refused."""

    def forget(self, session_id: str) -> None:
        """Do nothing: no request waits."""


def _timed(words: Sequence[str], ends_ms: Sequence[int]) -> tuple[WordTime, ...]:
    return tuple(WordTime(word, end) for word, end in zip(words, ends_ms, strict=True))

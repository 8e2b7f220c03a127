"""Engines that do as they are told, chosen as ``tests.support.engine_fakes:ast``.

What is asked decides what happens: an AST request's first sample holds a `Do`, a TTS request's text
is the name of one. Answers tell what the engine saw, because it lives in another process.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import cast

import numpy as np

from rtc_server.engines.base import (
    AstCapabilities,
    AstRequest,
    AstResult,
    AstStatus,
    EngineOptions,
    TtsCapabilities,
    TtsRequest,
)
from rtc_server.errors import EngineError, EngineUnavailable
from rtc_server.pcm import Samples

SECRET = "what somebody said"
"""Stand-in for a transcript: it may leave the engine's process only as a result."""
MAX_BATCH = 4
FIRST_TEXT = "1, 2, 3, 4, 5."
"""Text of the service's timed call; `tests/unit/engines/service/test_first_call.py` compares them.
An engine's process does not import the service, which needs much that it has no use for."""


class Do(IntEnum):
    """Action that a request asks of its engine."""

    ANSWER = 0
    SLOW = 1
    """Take `SLOW_S`, then answer."""
    EXIT = 2
    SEGFAULT = 3
    HANG = 4
    """Compute for ever."""
    STOP = 5
    """Be stopped by a signal, as under a debugger."""
    RAISE_ENGINE_ERROR = 6
    RAISE_WITH_SECRET = 7
    DROP_A_RESULT = 8
    CHATTER = 9
    """Print much text, the secret included, then answer."""
    ORPHAN = 10
    """Start a process of its own (`ORPHAN_COMMAND`) and crash."""
    LIE = 12
    """Answer with an object that is not a text."""
    DOUBT = 11
    """Understand nothing, and give the reason."""


SLOW_S = 0.2
ORPHAN_COMMAND = ["sleep", "86399.25"]
TTS_RATE = 8000
TTS_CHUNK = 480
REFUSAL = "Its model is not here. Run: fetch-the-model"


def audio(do: Do = Do.ANSWER, *, seconds: float = 0.1) -> Samples:
    """Return the audio that makes `ObedientAst` do this action."""
    return np.full(round(16000 * seconds), do / 100, dtype=np.float32)


def is_first(batch: Sequence[AstRequest]) -> bool:
    """Return whether this is one of the service's timed calls, which no test counts."""
    samples = batch[0].samples
    noises = (np.random.default_rng(number).standard_normal(samples.size) for number in range(5))
    return any(np.array_equal(samples, (0.01 * each).astype(np.float32)) for each in noises)


class Seen:
    """An answer of `ObedientAst`, read back."""

    def __init__(self, result: AstResult) -> None:
        numbers = result.source_text.split()
        self.pid, self.call, self.batch, self.position, self.samples = map(int, numbers)


class ObedientAst:
    """Engine that answers with its pid, the number of the call, the size of the batch, the position
    in it, and the number of samples.
    """

    def __init__(self) -> None:
        self._calls = 0
        self.capabilities = AstCapabilities(
            name="fake",
            title="Fake",
            licence="none",
            pairs=(("en", "ru"), ("ru", "en")),
            partials=True,
            max_batch=MAX_BATCH,
            max_audio_s=40.0,
        )

    def warm_up(self) -> None:
        """Do nothing: there is nothing to warm up."""

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        if is_first(batch):
            return [AstResult(AstStatus.OK)]
        self._calls += 1
        for request in batch:
            _obey(Do(round(float(request.samples[0]) * 100)))
        results = [
            AstResult(
                AstStatus.OK,
                f"{os.getpid()} {self._calls} {len(batch)} {position} {request.samples.size}",
            )
            for position, request in enumerate(batch)
        ]
        if Do(round(float(batch[0].samples[0]) * 100)) is Do.LIE:
            return [AstResult(AstStatus.OK, cast(str, 7))] * len(batch)
        if Do(round(float(batch[0].samples[0]) * 100)) is Do.DOUBT:
            return [AstResult(AstStatus.NOT_UNDERSTOOD, reason="repeated")] * len(batch)
        if any(round(float(request.samples[0]) * 100) == Do.DROP_A_RESULT for request in batch):
            results.pop()
        return results

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


class ObedientTts:
    """Engine that speaks each text as some chunks; the value of their samples is the number of the
    call. Text ``"speak N"`` makes N chunks, ``"slowly N"`` takes 20 ms for each, ``"NAME N"`` does
    the `Do` of that name after N chunks.
    """

    def __init__(self) -> None:
        self._calls = 0
        self.capabilities = TtsCapabilities(
            name="fake",
            title="Fake",
            licence="none",
            voices={"en": ("one", "two")},
            sample_rate=TTS_RATE,
        )

    def warm_up(self) -> None:
        """Do nothing: there is nothing to warm up."""

    def synthesize(self, request: TtsRequest) -> Iterator[Samples]:
        if request.text == FIRST_TEXT:
            return
        self._calls += 1
        verb, count = request.text.split()
        for _ in range(int(count)):
            if verb == "slowly":
                time.sleep(0.02)
            yield np.full(TTS_CHUNK, self._calls, dtype=np.float32)
        if verb.isupper():
            _obey(Do[verb])

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


def ast(_options: EngineOptions) -> ObedientAst:
    """A working AST engine."""
    return ObedientAst()


def tts(_options: EngineOptions) -> ObedientTts:
    """A working TTS engine."""
    return ObedientTts()


def refuses(_options: EngineOptions) -> ObedientAst:
    """Raise an error that names a missing package."""
    raise EngineUnavailable(REFUSAL)


def fails_to_load(_options: EngineOptions) -> ObedientAst:
    """Raise an error as a bug does."""
    raise KeyError("encoder.weight")


def boasts(_options: EngineOptions) -> ObedientAst:
    """Return an engine that describes itself in an unreadable form."""
    engine = ObedientAst()
    engine.capabilities = cast(AstCapabilities, {"name": "best of all"})
    return engine


def crashes_at_start(_options: EngineOptions) -> ObedientAst:
    """Crash in C."""
    print("loading the model", flush=True)
    os.abort()


def greedy(_options: EngineOptions) -> ObedientAst:
    """Allocate a gigabyte."""
    np.ones(1 << 27)
    return ObedientAst()


def never_ready(_options: EngineOptions) -> ObedientAst:
    """Load for ever."""
    time.sleep(3600)
    raise AssertionError


def starts_once(options: EngineOptions) -> ObedientAst:
    """Start for the first time only; the given file remembers that."""
    marker = options.models_dir
    if marker.exists():
        raise EngineUnavailable(REFUSAL)
    marker.touch()
    return ObedientAst()


def _obey(do: Do) -> None:
    match do:
        case Do.SLOW:
            time.sleep(SLOW_S)
        case Do.EXIT:
            os._exit(3)
        case Do.SEGFAULT:
            os.kill(os.getpid(), signal.SIGSEGV)
        case Do.HANG:
            while True:
                pass
        case Do.STOP:
            os.kill(os.getpid(), signal.SIGSTOP)
        case Do.RAISE_ENGINE_ERROR:
            raise EngineError("This segment is beyond me.")
        case Do.RAISE_WITH_SECRET:
            raise ValueError(SECRET)
        case Do.CHATTER:
            for _ in range(20_000):
                print("heard:", SECRET)
        case Do.ORPHAN:
            subprocess.Popen(ORPHAN_COMMAND)
            os._exit(3)
        case _:
            pass

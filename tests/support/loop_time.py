"""Processor time of single steps of an event loop, however busy the machine is."""

import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

HOLD_LIMIT_S = 0.05
"""Longest step that anything a client sends may cause: two ticks of the media clock and a half."""


@dataclass
class Holding:
    """The longest step so far."""

    longest_s: float = 0.0
    """Longest processor time of the thread; that of other threads does not count."""
    step: str = ""
    """Name of the callback that ran in it."""


@contextlib.contextmanager
def untraced() -> Iterator[None]:
    """Do without coverage for a while: it makes a line cost two or three times as much."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)


@contextlib.contextmanager
def longest_hold() -> Iterator[Holding]:
    """Measure every callback that loops of this thread run until the block ends. The garbage
    collector is off meanwhile, because its pauses grow with the heap and not with the request; so
    is coverage.
    """
    holding, run = Holding(), asyncio.Handle._run

    def timed(handle: Any) -> None:
        began_s = time.thread_time()
        try:
            run(handle)
        finally:
            took_s = time.thread_time() - began_s
            if took_s > holding.longest_s:
                holding.longest_s, holding.step = took_s, repr(handle)

    gc.collect()
    gc.disable()
    try:
        with untraced(), mock.patch.object(asyncio.Handle, "_run", timed):
            yield holding
    finally:
        gc.enable()

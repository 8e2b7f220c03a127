"""An interpreter with scripted engines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from rtc_server.config import InterpreterSettings
from rtc_server.events.server import (
    ErrorEvent,
    PlayoutEvent,
    ServerEvent,
)
from rtc_server.metrics import Metrics
from rtc_server.pcm import FRAME_MS
from tests.support.fakes import FakeAst, FakeTts
from tests.support.interpreting import Harness, running_interpreter


@dataclass
class InterpreterBench(Harness):
    """The interpreter with scripted engines, and the time of each event."""

    ast: FakeAst
    tts: FakeTts
    times: list[float]

    def of(self, kind: type[ServerEvent]) -> list[ServerEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def errors(self) -> list[ErrorEvent]:
        return [event for event in self.events if isinstance(event, ErrorEvent)]

    @property
    def playout(self) -> list[tuple[str, str]]:
        return [(e.segment_id, e.state) for e in self.events if isinstance(e, PlayoutEvent)]

    @property
    def voiced_ms(self) -> int:
        return sum(frame is not None and bool(np.any(frame)) for frame in self.played) * FRAME_MS


@asynccontextmanager
async def bench(
    ast: FakeAst | None = None, tts: FakeTts | None = None, max_playout_s: float = 30.0
) -> AsyncIterator[InterpreterBench]:
    ast, tts = ast or FakeAst(), tts or FakeTts()
    loop = asyncio.get_running_loop()
    events: list[ServerEvent] = []
    times: list[float] = []

    def emit(event: ServerEvent) -> None:
        events.append(event)
        times.append(loop.time())

    async with running_interpreter(
        ast,
        tts,
        emit,
        settings=InterpreterSettings(),
        metrics=Metrics(),
        max_playout_s=max_playout_s,
    ) as interpreter:
        yield InterpreterBench(interpreter, events, ast, tts, times)

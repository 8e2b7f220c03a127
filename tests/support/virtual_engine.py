"""An AST engine without a process, in virtual time: calls take as long as their machine needs.

It stands where `EngineProcess` stands; hangs are judged by the same rules, from a process table
that shows what the machine would let it do.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from unittest import mock

from rtc_server.config import EngineSettings
from rtc_server.engines.base import AstCapabilities, AstRequest, AstResult, AstStatus, EngineOptions
from rtc_server.engines.hang import Activity, CallLimits
from rtc_server.engines.process import EngineProcess
from rtc_server.engines.service import AstService
from rtc_server.engines.watching import CallHung, watching
from rtc_server.errors import EngineCrashed, EngineError, EngineTimeout
from rtc_server.metrics import Metrics
from rtc_server.pcm import SPEECH_RATE
from tests.support.fakes import AST_CAPABILITIES


@dataclass
class Machine:
    """Machine that the engine runs on, and its record."""

    s_per_call: float = 0.05
    """Processor time of a call, whatever its audio."""
    s_per_audio_s: float = 0.07
    """Processor time for each second of audio."""
    share: float = 1.0
    """Part of a processor that the engine gets."""
    start_s: float = 1.0
    """Time to load the engine."""
    spoils: Callable[[AstRequest], str] = lambda _request: ""
    """Function that returns the effect of a request on its engine: none, "crash" or "raise"."""
    answer: Callable[[AstRequest], AstResult] = lambda _request: AstResult(
        AstStatus.OK, "слово", "word"
    )
    """Function from a request to its answer."""
    capabilities: AstCapabilities = field(
        default_factory=lambda: replace(AST_CAPABILITIES, max_batch=4)
    )
    starts: int = 0
    """Number of processes so far."""
    batches: list[int] = field(default_factory=list)
    """Sizes of the calls so far."""

    def cost_s(self, batch: Sequence[AstRequest]) -> float:
        """Time on the wall that a call takes now."""
        audio_s = sum(request.samples.size for request in batch) / SPEECH_RATE
        return (self.s_per_call + self.s_per_audio_s * audio_s) / self.share

    def look(self) -> Activity:
        """The engine's line in the process table while it computes."""
        return Activity(int(asyncio.get_running_loop().time() * self.share * 100) / 100, True)


class VirtualProcess:
    """One engine process on a machine."""

    def __init__(self, machine: Machine) -> None:
        self.capabilities, self.cause_of_death, self.alive = machine.capabilities, "crash", True
        self._machine = machine
        self._wake: asyncio.Event | None = None

    def on_exit(self, wake: asyncio.Event) -> None:
        self._wake = wake

    async def translate(
        self, batch: Sequence[AstRequest], limits: CallLimits
    ) -> tuple[AstResult, ...]:
        self._machine.batches.append(len(batch))
        try:
            async with watching(limits, self._machine.look):
                await asyncio.sleep(self._machine.cost_s(batch))
        except CallHung:
            self.alive, self.cause_of_death = False, "timeout"
            raise EngineTimeout("It hangs.") from None
        spoilt = {self._machine.spoils(request) for request in batch}
        if "crash" in spoilt:
            self.alive = False
            raise EngineCrashed("It fell.")
        if "raise" in spoilt:
            raise EngineError("The engine failed on this one.", "KeyError at model.py:1")
        return tuple(self._machine.answer(request) for request in batch)

    async def close(self) -> None:
        """Do nothing: there is nothing to free."""


@asynccontextmanager
async def virtual_service(
    machine: Machine, settings: EngineSettings | None = None
) -> AsyncIterator[tuple[AstService, Metrics]]:
    """The service, with default settings, over an engine of that machine."""

    async def start(*_: object) -> VirtualProcess:
        machine.starts += 1
        await asyncio.sleep(machine.start_s)
        return VirtualProcess(machine)

    metrics = Metrics()
    clock = asyncio.get_running_loop().time
    with mock.patch.object(EngineProcess, "start", start):
        service = AstService(
            "phrasebook", EngineOptions(), settings or EngineSettings(), metrics, clock
        )
        await service.start()
        try:
            yield service, metrics
        finally:
            await service.close()

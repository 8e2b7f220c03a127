"""AST service over a real engine process that does what the test asks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rtc_server.clock import Clock, monotonic
from rtc_server.config import EngineSettings
from rtc_server.engines.base import AstRequest, AstResult, EngineOptions
from rtc_server.engines.service import AstService
from rtc_server.metrics import Metrics
from tests.support.engine_fakes import Do, Seen, audio

PATIENT = EngineSettings(engine_wait_s=60.0)
"""On a busy machine a restart takes a while."""


class Bench:
    """A running service and its numbers."""

    def __init__(self, service: AstService, metrics: Metrics) -> None:
        self.service = service
        self.metrics = metrics

    def submit(
        self, do: Do = Do.ANSWER, session: str = "a", seconds: float = 0.1
    ) -> asyncio.Future[AstResult]:
        request = AstRequest(audio(do, seconds=seconds), "ru", "en")
        return self.service.submit(request, session_id=session)

    def submit_partial(self, session: str = "a") -> asyncio.Future[AstResult | None]:
        request = AstRequest(audio(), "ru", "en", partial=True)
        return self.service.submit_partial(request, session_id=session)

    async def seen(self, session: str = "a") -> Seen:
        return Seen(await self.submit(session=session))

    async def keep_busy(self) -> asyncio.Future[AstResult]:
        """Submit a slow call, so that the next request has to wait."""
        future = self.submit(Do.SLOW, "busy")
        await self.until_idle_queue()
        return future

    async def until_idle_queue(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    def restarts(self, cause: str) -> float:
        labels = {"kind": "ast", "cause": cause}
        return self.metrics.registry.get_sample_value("rtc_engine_restarts_total", labels) or 0.0

    def drops(self, queue: str) -> float:
        labels = {"queue": queue}
        return self.metrics.registry.get_sample_value("rtc_queue_drops_total", labels) or 0.0


@asynccontextmanager
async def running(
    factory: str = "ast",
    settings: EngineSettings = PATIENT,
    options: EngineOptions = EngineOptions(),  # noqa: B008 (frozen)
    clock: Clock = monotonic,
) -> AsyncIterator[Bench]:
    metrics = Metrics()
    service = AstService(f"tests.support.engine_fakes:{factory}", options, settings, metrics, clock)
    await service.start()
    try:
        yield Bench(service, metrics)
    finally:
        await service.close()

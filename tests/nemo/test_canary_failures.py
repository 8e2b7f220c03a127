"""Canary's process is killed, stopped, or out of memory, under load: the failed and the served
sessions.
"""

import asyncio
import contextlib
import os
import resource
import signal

import numpy as np
import psutil
import pytest

from rtc_server.config import EngineSettings
from rtc_server.engines.base import AstRequest, AstResult
from rtc_server.engines.service import AstService
from rtc_server.errors import EngineCrashed, EngineError
from rtc_server.metrics import Metrics
from tests.support.nemo.fixture import OPTIONS, TEXTS, noise, said

SESSIONS = 20
"""Number of sessions: more than one batch holds, so that some wait while the process is lost."""
SETTINGS = EngineSettings(ast_deadline_s=5.0, engine_wait_s=200.0)
PHRASES = [(pair, texts[i % 3]) for i in range(SESSIONS // 2) for pair, texts in TEXTS.items()]
"""Phrases of each session, and the two texts of each: both directions by turns."""


def asked(metrics: Metrics) -> int:
    """Segments that engines were given so far."""
    return round(
        metrics.registry.get_sample_value("rtc_engine_batch_size_sum", {"kind": "ast"}) or 0
    )


async def fall(service: AstService, metrics: Metrics, signal_number: int) -> None:
    """Send the signal while one batch is computed and the rest waits: all must be answered,
    rightly, by another process."""
    asked_before = asked(metrics)
    [child] = psutil.Process().children()
    child.suspend()  # so that nothing is answered before the signal, however fast the model is
    futures = [
        service.submit(said(texts[0], pair), session_id=f"s{index}")
        for index, (pair, texts) in enumerate(PHRASES)
    ]
    await asyncio.sleep(0.2)  # the first batch is on its way by then
    os.kill(child.pid, signal_number)
    outcomes = await asyncio.gather(*futures)
    [successor] = psutil.Process().children()
    assert successor.pid != child.pid
    for outcome, (_, texts) in zip(outcomes, PHRASES, strict=True):
        assert (outcome.source_text, outcome.target_text) == texts
    # Only the segments of the batch were sent twice.
    assert asked(metrics) - asked_before == SESSIONS + service.capabilities.max_batch


def leave(child: psutil.Process, megabytes: int) -> None:
    """Limit the memory that the kernel still gives to `child`; -1 lifts the limit."""
    with contextlib.suppress(psutil.NoSuchProcess):  # it ended, and its successor has no limit
        most = (
            child.memory_info().vms + (megabytes << 20)
            if megabytes >= 0
            else resource.RLIM_INFINITY
        )
        child.rlimit(psutil.RLIMIT_AS, (most, resource.RLIM_INFINITY))


async def starve(service: AstService, megabytes: int, segments: int) -> None:
    """Take its memory away: each segment is answered or fails, and later ones are served."""
    random = np.random.default_rng(3)
    sounds = [AstRequest(noise(random, 15.0), "en", "ru") for _ in range(segments)]
    [child] = psutil.Process().children()
    leave(child, megabytes)
    futures = [service.submit(sound, session_id=f"s{i}") for i, sound in enumerate(sounds)]
    for outcome in await asyncio.gather(*futures, return_exceptions=True):
        # Crashed: where a library beneath PyTorch was hit, it could never serve again.
        assert isinstance(outcome, AstResult | EngineCrashed) or (
            segments == 1 and isinstance(outcome, EngineError)
        )
    leave(child, -1)
    for pair, texts in TEXTS.items():
        result = await service.submit(said(texts[1][0], pair), session_id="a")
        assert (result.source_text, result.target_text) == texts[1]


@pytest.mark.slow
async def test_kill_hang_and_want_of_memory() -> None:
    """All share one service: each start of its process takes 20 s of CPU for imports of NeMo."""
    metrics = Metrics()
    service = AstService("canary", OPTIONS, SETTINGS, metrics)

    def restarts(cause: str) -> float:
        labels = {"kind": "ast", "cause": cause}
        return metrics.registry.get_sample_value("rtc_engine_restarts_total", labels) or 0

    await service.start()
    try:
        # One segment needs 40 MB; 16 need 500 and a quarter of them 130.
        await starve(service, 10, 1)
        await starve(service, 150, 16)
        crashed, hung = restarts("crash"), restarts("timeout")
        await fall(service, metrics, signal.SIGKILL)
        await fall(service, metrics, signal.SIGSTOP)
        assert (restarts("crash") - crashed, restarts("timeout") - hung) == (1, 1)
    finally:
        await service.close()

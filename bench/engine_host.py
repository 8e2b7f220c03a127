"""Cost of engines in a process of their own: ``python -m bench.engine_host``.

Prints the time to start and to replace a process, the round trip of an AST batch of an engine that
does nothing, how late the event loop runs meanwhile, and eSpeak NG's time to the first chunk.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial

import psutil

from rtc_server.config import EngineSettings
from rtc_server.engines.base import AstRequest, EngineOptions, TtsRequest
from rtc_server.engines.service import AstService, TtsService
from rtc_server.errors import EngineError
from rtc_server.metrics import Metrics
from tests.support.engine_fakes import MAX_BATCH, Do, audio

ROUNDS = 50


async def timed_ms(action: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await action()
    return (time.perf_counter() - started) * 1000


async def worst_lag_ms(action: Callable[[], Awaitable[object]]) -> float:
    """The longest time between two turns of the event loop while `action` runs, less 1 ms."""
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            worst, last = max(worst, now - last - 0.001), now

    watcher = asyncio.create_task(watch())
    await action()
    watcher.cancel()
    await asyncio.wait([watcher])
    return worst * 1000


def row(name: str, values_ms: list[float]) -> None:
    ordered = sorted(values_ms)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    print(f"{name:48} {statistics.median(ordered):9.2f} {p95:9.2f} {len(ordered):6}")


async def bench_ast() -> None:
    service = AstService(
        "tests.support.engine_fakes:ast",
        EngineOptions(),
        EngineSettings(engine_wait_s=60),
        Metrics(),
    )
    row("start a process (an engine that loads nothing)", [await timed_ms(service.start)])

    async def batch(seconds: float) -> None:
        requests = [AstRequest(audio(seconds=seconds), "ru", "en") for _ in range(MAX_BATCH)]
        await asyncio.gather(
            *(service.submit(r, session_id=str(i)) for i, r in enumerate(requests))
        )

    for seconds in (0.1, 3.0, 35.0):
        await batch(seconds)
        times = [await timed_ms(partial(batch, seconds)) for _ in range(ROUNDS)]
        row(f"{MAX_BATCH} segments of {seconds:g} s there and back", times)
        lags = [await worst_lag_ms(partial(batch, seconds)) for _ in range(ROUNDS)]
        row("  event loop late by, at worst", lags)

    async def crash_and_answer() -> None:
        try:
            await service.submit(AstRequest(audio(Do.SEGFAULT), "ru", "en"), session_id="a")
        except EngineError:
            await batch(0.1)

    row("a crash until the next answer", [await timed_ms(crash_and_answer) for _ in range(5)])
    row("close", [await timed_ms(service.close)])


async def bench_espeak() -> None:
    service = TtsService("espeak", EngineOptions(), EngineSettings(), Metrics())
    row("start eSpeak NG, all 25 languages warm", [await timed_ms(service.start)])
    [engine] = psutil.Process().children()

    def cpu_s() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in (psutil.Process(), engine))

    for text in ("Yes.", "Where is the train station? " * 4):
        firsts, samples = [], 0
        spent = -cpu_s()
        for _ in range(ROUNDS):
            started = time.perf_counter()
            speech = service.synthesize(TtsRequest(text, "en"), session_id="a")
            samples += (await anext(speech)).size
            firsts.append((time.perf_counter() - started) * 1000)
            samples += sum([chunk.size async for chunk in speech])
        spent += cpu_s()
        row(f"first chunk of {len(text)} letters", firsts)
        seconds = samples / service.capabilities.sample_rate
        print(f"  {seconds:.0f} s of speech at {spent / seconds:.4f} of real time, both processes")
    await service.close()


async def main() -> None:
    """Print the table."""
    print(f"{'':48} {'p50 ms':>9} {'p95 ms':>9} {'n':>6}")
    await bench_ast()
    await bench_espeak()


if __name__ == "__main__":
    asyncio.run(main())

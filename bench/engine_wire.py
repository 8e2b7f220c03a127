"""Engines in another process against engines of one's own: ``python -m bench.engine_wire``.

Three tables: what a call costs who asks (child process, Unix socket, TCP on loopback, in turns);
three times more partials than the engine can answer; and one of two engine servers killed under 20
sessions. The engines are stand-ins whose calls take a known time.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from bench.harness import percentile
from rtc_server.app.engines import Engines
from rtc_server.background import beside
from rtc_server.config import EngineSettings
from rtc_server.engines.base import AstRequest
from rtc_server.errors import EngineError
from rtc_server.metrics import Metrics
from rtc_server.pcm import SPEECH_RATE, Samples
from rtc_server.standstill import standstills
from tests.support.engine_server import serving_engines
from tests.support.until import until

SESSIONS = 20
PARTIALS_S = 0.2
"""Interval of a session's calls: 20 sessions ask 100 times a second."""
SEGMENT_S = 3.0
NO_TIME, SLOW = "bench.servers.engines:no_time", "bench.servers.engines:batch_of_four"
BATCH_S = 0.25
"""Time of a batch of `SLOW`, whatever is in it."""
TTS = "tests.support.engine_fakes:tts"
FREE = ("--engine-answer-s", "0")


@dataclass
class Asked:
    """Calls of one caller."""

    finals_s: list[float] = field(default_factory=list)
    partials_s: list[float] = field(default_factory=list)
    dropped: int = 0
    failed: int = 0
    finals: int = 0


def settings(*servers: str) -> EngineSettings:
    return EngineSettings(
        ast=NO_TIME, tts=TTS, ast_servers=servers, tts_servers=servers, engine_answer_s=0
    )


async def talk(
    engines: Engines, name: str, seconds: float, asked: Asked, interval_s: float
) -> None:
    """Run one session: a segment that grows, with a pass at each interval, complete at its end."""
    audio = _noise(SEGMENT_S)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    open_calls: set[asyncio.Task[None]] = set()
    step = 0
    while loop.time() - began_s < seconds:
        step += 1
        due_s = began_s + step * interval_s
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        size = round((step * interval_s % SEGMENT_S or SEGMENT_S) * SPEECH_RATE)
        is_final = size + interval_s * SPEECH_RATE > audio.size
        call = asyncio.create_task(_ask(engines, name, audio[:size].copy(), asked, is_final))
        open_calls.add(call)
        call.add_done_callback(open_calls.discard)
    await asyncio.gather(*open_calls)
    engines.ast_service.forget(name)


async def _ask(engines: Engines, name: str, samples: Samples, asked: Asked, is_final: bool) -> None:
    started_s = time.perf_counter()
    request = AstRequest(samples, "ru", "en", partial=not is_final)
    asked.finals += is_final
    try:
        if is_final:
            await engines.ast_service.submit(request, session_id=name)
        elif await engines.ast_service.submit_partial(request, session_id=name) is None:
            asked.dropped += 1
            return
    except EngineError as error:
        print(type(error).__name__, error, file=sys.stderr)
        asked.failed += 1
        return
    took_s = time.perf_counter() - started_s
    (asked.finals_s if is_final else asked.partials_s).append(took_s)


async def talk_all(
    engines: Engines, seconds: float, *, sessions: int = SESSIONS, interval_s: float = PARTIALS_S
) -> Asked:
    """Run all sessions, with different phases."""
    asked = Asked()

    async def later(n: int) -> None:
        # Within an interval too: calls of one moment make a batch where they are asked by
        # the engine's own process, and seldom behind a wire, which would be measured instead.
        await asyncio.sleep(interval_s * (n + n / sessions))
        await talk(engines, f"s{n}", seconds, asked, interval_s)

    await asyncio.gather(*(later(n) for n in range(sessions)))
    return asked


async def caller(server: str, seconds: float) -> None:
    """Be a media process that asks; print one line of JSON."""
    async with (
        Engines(settings(*filter(None, [server])), Metrics()).running() as engines,
        beside(standstills().watch(), name="standstills"),
    ):
        await talk_all(engines, 1.0)  # warm
        spent_s = time.process_time()
        asked = await talk_all(engines, seconds)
        spent_s = time.process_time() - spent_s
        answered = asked.finals_s + asked.partials_s
        calls = len(answered) + asked.dropped + asked.failed
        memory = psutil.Process().memory_full_info()
        print(
            json.dumps(
                {
                    "p50_ms": percentile(answered, 50) * 1000,
                    "p99_ms": percentile(answered, 99) * 1000,
                    "cpu_ms": spent_s / calls * 1000,
                    "calls": calls,
                    "unanswered": asked.dropped + asked.failed,
                    "uss_mb": memory.uss / 1e6,
                }
            )
        )


async def _in_a_process(server: str, seconds: float) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.engine_wire", "--seconds", str(seconds)),
        *("--caller", server or "child"),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    row: dict[str, float] = json.loads(output)
    return row


@asynccontextmanager
async def servers(engine: str, folder: Path, *listen: str) -> AsyncIterator[list[str]]:
    async with AsyncExitStack() as stack:
        started = [
            await stack.enter_async_context(
                serving_engines(each, folder / f"log{n}", "--ast", engine, "--tts", TTS, *FREE)
            )
            for n, each in enumerate(listen)
        ]
        yield [each.address for each in started]


async def cost(folder: Path, seconds: float, rounds: int) -> None:
    """Print what a call costs by each way, in turns."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with servers(NO_TIME, folder, f"unix:{folder}/e", f"127.0.0.1:{port}") as (unix, tcp):
        ways = {"child process": "", "Unix socket": unix, "TCP, loopback": tcp}
        rows: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, server in ways.items():
                rows[way].append(await _in_a_process(server, seconds))
    print(
        f"{'100 calls/s':16}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'MB':>8}{'calls':>8}{'none':>6}"
    )
    for way, measured in rows.items():
        keys = ("p50_ms", "p99_ms", "cpu_ms", "uss_mb")
        p50, p99, cpu, mb = (percentile([row[key] for row in measured], 50) for key in keys)
        calls, none = (sum(row[key] for row in measured) for key in ("calls", "unanswered"))
        print(f"{way:16}{p50:9.2f}{p99:9.2f}{cpu:9.2f}{mb:8.1f}{calls:8.0f}{none:6.0f}")


async def overload(folder: Path, seconds: float) -> None:
    """Print the outcome of finals when three times too many partials are requested."""
    per_s = 4 / BATCH_S
    sessions = 12
    interval_s = sessions / (3 * per_s)
    async with (
        servers(SLOW, folder, f"unix:{folder}/slow") as addresses,
        Engines(settings(*addresses), Metrics()).running() as engines,
        beside(standstills().watch(), name="standstills"),
    ):
        asked = await talk_all(engines, seconds, sessions=sessions, interval_s=interval_s)
    p95 = percentile(asked.finals_s, 95)
    most = 1.5 * BATCH_S + 0.2
    print(
        f"3 times overload: {len(asked.finals_s)} of {asked.finals} finals answered, p50 "
        f"{percentile(asked.finals_s, 50):.2f} s, p95 {p95:.2f} s (goal {most:.2f} s); "
        f"{len(asked.partials_s)} partials answered, {asked.dropped} replaced"
    )


async def killed(folder: Path, seconds: float) -> None:
    """Print the outcome of 20 sessions when one of two engine servers is killed."""
    paths = [f"unix:{folder}/k{n}" for n in range(2)]
    options = ("--ast", NO_TIME, "--tts", TTS, *FREE)
    async with (
        serving_engines(paths[0], folder / "log-k0", *options) as first,
        serving_engines(paths[1], folder / "log-k1", *options),
    ):
        metrics = Metrics()
        async with (
            Engines(settings(*paths), metrics).running() as engines,
            beside(standstills().watch(), name="standstills"),
        ):
            work = asyncio.create_task(talk_all(engines, seconds))
            await asyncio.sleep(seconds / 2)
            first.process.kill()
            asked = await work
            sample = metrics.registry.get_sample_value
            moved = sample("rtc_engine_calls_moved_total", {"kind": "ast"})
            gone = time.perf_counter()
            async with serving_engines(paths[0], folder / "log-k2", *options):
                up = {"kind": "ast", "server": paths[0]}
                await until(lambda: bool(sample("rtc_engine_server_up", up)))
                back_s = time.perf_counter() - gone
    print(
        f"kill -9 of one of two servers under {SESSIONS} sessions: {len(asked.finals_s)} of "
        f"{asked.finals} finals answered, {asked.failed} failed, {moved or 0:.0f} moved, worst "
        f"{max(asked.finals_s):.2f} s; back {back_s:.1f} s after a new one was started"
    )


def _noise(seconds: float) -> Samples:
    size = round(seconds * SPEECH_RATE)
    values = np.random.default_rng(os.getpid()).integers(-9000, 9000, size)
    return (values / 32768).astype(np.float32)


async def main() -> None:
    """Run all three, or be a caller."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--caller", default="", help="(used by itself)")
    arguments = parser.parse_args()
    if arguments.caller:
        await caller(arguments.caller.replace("child", ""), arguments.seconds)
        return
    with tempfile.TemporaryDirectory() as name:
        await cost(Path(name), arguments.seconds, arguments.rounds)
        await overload(Path(name), 2 * arguments.seconds)
        await killed(Path(name), arguments.seconds)


if __name__ == "__main__":
    asyncio.run(main())

"""Cost and delay of a session: CPU, delay, time to connect, memory, at 1 to 50 sessions.

    python -m bench.media [--sessions 1 5 20 50] [--modes echo half translate simultaneous]
                          [--seconds 10]

The server runs in a process of its own and only its CPU counts; the engines of *translate*, in
processes of theirs, are told apart. *echo* returns what it hears; *half* does so every other second
and is silent between, as a translator is; *translate* is the whole server, voice activity detection
included, with engines that take no time, and clients that speak two seconds out of five;
*simultaneous* is the same with an engine that translates what is being said, too. The delay is what
the server adds: from a mark leaving the client to its return over loopback, less the client's own
codec. All clients run in this process, on the same machine.
"""

import argparse
import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import numpy as np
import psutil

from bench.harness import BenchServer, percentile, server, speaker
from bench.marks import BITRATE, delays_ms, marked_speech
from bench.rtp_client import RtpClient
from rtc_server.pcm import PLAYOUT_RATE
from tests.support.opus_codec import encode

MODES = ("echo", "half", "translate", "simultaneous")
ASTS = {
    "translate": "bench.servers.engines:ast",
    "simultaneous": "bench.servers.engines:following",
}
SETTLE_S = 3.0
CYCLE_S = 5.0
PHASES = 7
"""Clients that follow each other in connecting do not in sending."""
TTS = ("--tts", "bench.servers.engines:tts")
ENGINES = ("--ast", ASTS["translate"], *TTS)


@dataclass(frozen=True, slots=True)
class Row:
    """One server with one number of sessions."""

    cpu_ms: float
    """Processor time of the server process, for each session and second."""
    engines_ms: float
    """The same of its engines."""
    clients_percent: float
    """Share of one core, for all clients."""
    memory_mb: float
    """Growth of the server's resident memory, per session."""
    answer_ms: float
    """POST to answer, median; so are the next two."""
    connected_ms: float
    first_media_ms: float
    delays_ms: list[float]
    """Added by the server; of modes that return the marks."""
    late_ms: list[float]
    """Lateness of the 20 ms tick; of the echo server."""
    load: float
    """Load average of the machine at the end."""


@asynccontextmanager
async def echo_server(*options: str) -> AsyncIterator[BenchServer]:
    """`bench.servers.echo` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.servers.echo", *options, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        yield BenchServer(f"http://127.0.0.1:{port}", psutil.Process(process.pid))
    finally:
        process.kill()
        await process.wait()


def negotiation(http: aiohttp.ClientSession, url: str) -> Callable[[str], Awaitable[str]]:
    """A function that POSTs an offer and gives the answer."""

    async def negotiate(offer: str) -> str:
        headers = {"Content-Type": "application/sdp"}
        async with http.post(url, data=offer, headers=headers) as response:
            response.raise_for_status()
            return await response.text()

    return negotiate


def speech_and_pause() -> list[bytes]:
    """Packets of one spoken sentence and the pause after it."""
    speech = speaker()("I would like to book a table for two, please.", "en")
    audio = np.zeros(round(CYCLE_S * PLAYOUT_RATE), np.float32)
    audio[: len(speech)] = speech[: len(audio)]
    return encode(audio, bitrate=BITRATE)


async def measure(bench: BenchServer, mode: str, sessions: int, seconds: float) -> Row:
    """Connect, settle, measure, hang up."""
    packets = speech_and_pause() if mode in ASTS else marked_speech()
    url = bench.call_url("en", "ru") if mode in ASTS else f"{bench.url}/offer"
    own = psutil.Process()
    async with aiohttp.ClientSession() as http, AsyncExitStack() as stack:
        before_b = bench.process.memory_info().rss
        clients = []
        for number in range(sessions):
            start = number * len(packets) // sessions
            phase = (number * PHASES % sessions + 0.5) / sessions
            client = RtpClient(negotiation(http, url), packets, start, phase)
            clients.append(await stack.enter_async_context(client))
            await asyncio.sleep(0.05)
        await asyncio.sleep(SETTLE_S)
        await ticks_late_ms(http, bench, mode)
        media_s, all_s, own_s = bench.media_cpu_s(), bench.cpu_s(), sum(own.cpu_times()[:2])
        begun_s = time.monotonic()
        await asyncio.sleep(seconds)
        took_s = time.monotonic() - begun_s
        media_s, all_s = bench.media_cpu_s() - media_s, bench.cpu_s() - all_s
        own_s = sum(own.cpu_times()[:2]) - own_s
        late_ms = await ticks_late_ms(http, bench, mode)
        memory_b = bench.process.memory_info().rss - before_b
    delays = [d for c in clients for d in delays_ms(c, packets)] if mode == "echo" else []
    first = [c.setup.first_media_ms for c in clients if c.setup.first_media_ms is not None]
    return Row(
        cpu_ms=media_s / took_s / sessions * 1000,
        engines_ms=(all_s - media_s) / took_s / sessions * 1000,
        clients_percent=own_s / took_s * 100,
        memory_mb=memory_b / sessions / 2**20,
        answer_ms=percentile([c.setup.answer_ms for c in clients], 50),
        connected_ms=percentile([c.setup.connected_ms for c in clients], 50),
        first_media_ms=percentile(first, 50),
        delays_ms=delays,
        late_ms=late_ms,
        load=os.getloadavg()[0],
    )


async def ticks_late_ms(http: aiohttp.ClientSession, bench: BenchServer, mode: str) -> list[float]:
    """Return the lateness of each tick since the last call."""
    if mode in ASTS:
        return []
    async with http.get(bench.url + "/ticks") as response:
        return [float(each) for each in re.findall(r"[0-9.]+", await response.text())]


async def main(counts: list[int], modes: list[str], seconds: float) -> None:
    """Run every combination and print the table."""
    print(
        "| mode | sessions | CPU ms per session-second | engines | added delay p50 / p95 "
        "| answer | connected | first media | MB per session | tick late p99 | clients | load |"
    )
    print("|" + "---|" * 12)
    for mode in modes:
        for count in counts:
            running = (
                server("--ast", ASTS[mode], *TTS, "--max-sessions", str(count))
                if mode in ASTS
                else echo_server(*(["--half"] if mode == "half" else []))
            )
            async with running as bench:
                row = await measure(bench, mode, count, seconds)
            delay = "–"
            if row.delays_ms:
                delay = f"{percentile(row.delays_ms, 50):.1f} / {percentile(row.delays_ms, 95):.1f}"
            late = f"{percentile(row.late_ms, 99):.1f} ms" if row.late_ms else "–"
            print(
                f"| {mode} | {count} | {row.cpu_ms:.1f} | {row.engines_ms:.1f} | {delay} "
                f"| {row.answer_ms:.0f} ms | {row.connected_ms:.0f} ms "
                f"| {row.first_media_ms:.0f} ms | {row.memory_mb:.2f} | {late} "
                f"| {row.clients_percent:.0f} % | {row.load:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 5, 20, 50])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.sessions, arguments.modes, arguments.seconds))

"""Many sessions for many minutes: does memory grow, do answers come later, does the loop stay calm?

    python -m bench.soak [--sessions 50] [--minutes 10]

The whole server in a process of its own, with engines that take no time; every client says a
sentence each five seconds and hears its answer. Memory is resident memory, all threads
on one arena. Delays are from the last voiced sample leaving a client to the first sound
of the answer. Clients run on the same machine.
"""

import argparse
import asyncio
import os
import re
import sys
import time
from contextlib import AsyncExitStack

import aiohttp

from bench.harness import BenchServer, percentile, server, speaker
from bench.media import ENGINES, negotiation, speech_and_pause
from bench.peers import answers_ms
from bench.rtp_client import FRAME_UNITS, RtpClient

SAMPLE_S = 15.0
WARM_UP_S = 30.0
"""Time in which code is loaded and pools fill; the figures of that time do not count."""


async def buckets(http: aiohttp.ClientSession, bench: BenchServer, name: str) -> dict[str, float]:
    """Upper bounds of a histogram of the server, and how many stayed below."""
    async with http.get(bench.url + "/metrics") as response:
        rows = re.findall(rf'{name}_bucket{{le="([^"]+)"}} ([0-9.e+]+)', await response.text())
    return {bound: float(count) for bound, count in rows}


def share_ms(before: dict[str, float], after: dict[str, float], share: float) -> str:
    """Return the bucket of a percentile between two readings."""
    counts = {bound: after[bound] - before[bound] for bound in after}
    wanted = share * counts["+Inf"]
    bound = next(bound for bound, count in counts.items() if count >= wanted)
    return "more than 500 ms" if bound == "+Inf" else f"at most {float(bound) * 1000:.0f} ms"


async def main(sessions: int, minutes: float) -> None:
    """Run it and print what came of it."""
    os.environ["MALLOC_ARENA_MAX"] = "1"  # free memory is given back, not kept for a thread
    packets = speech_and_pause()
    sentence = speaker()("I would like to book a table for two, please.", "en")
    last_voiced = (len(sentence) - 1) // FRAME_UNITS
    memory_mb: list[float] = []
    async with (
        server(*ENGINES, "--max-sessions", str(sessions)) as bench,
        aiohttp.ClientSession() as http,
        AsyncExitStack() as stack,
    ):
        clients = []
        for number in range(sessions):
            start = number * len(packets) // sessions
            negotiate = negotiation(http, bench.call_url("en", "ru"))
            client = RtpClient(negotiate, packets, start, phase=number / sessions)
            clients.append(await stack.enter_async_context(client))
            await asyncio.sleep(0.1)
        await asyncio.sleep(WARM_UP_S)
        lag = await buckets(http, bench, "rtc_loop_lag_seconds")
        late = await buckets(http, bench, "rtc_tick_lateness_seconds")
        cpu_s, begun_s = bench.media_cpu_s(), time.monotonic()
        while time.monotonic() - begun_s < minutes * 60:
            memory_mb.append(bench.process.memory_info().rss / 2**20)
            print(f"{time.monotonic() - begun_s:5.0f} s {memory_mb[-1]:6.1f} MB", file=sys.stderr)
            await asyncio.sleep(SAMPLE_S)
        took_s = time.monotonic() - begun_s
        cpu_s = bench.media_cpu_s() - cpu_s
        lag_now = await buckets(http, bench, "rtc_loop_lag_seconds")
        late_now = await buckets(http, bench, "rtc_tick_lateness_seconds")
        memory_mb.append(bench.process.memory_info().rss / 2**20)
        alive = sum(client.connected for client in clients)
    counted = [[*answers_ms(client, last_voiced, len(packets))] for client in clients]
    quarter = max(1, min(len(each) for each in counted) // 4)
    first = percentile([d for each in counted for d in each[:quarter]], 50)
    last = percentile([d for each in counted for d in each[-quarter:]], 50)
    expected = sum(len(client.sent_at_s) // len(packets) for client in clients)
    third = max(1, len(memory_mb) // 3)
    rows = {
        "sessions, minutes": f"{sessions}, {took_s / 60:.1f}",
        "sessions that lasted": f"{alive}",
        "sentences answered": f"{sum(map(len, counted))} of about {expected}",
        "memory, first third / last third": f"{percentile(memory_mb[:third], 50):.1f} / "
        f"{percentile(memory_mb[-third:], 50):.1f} MB",
        "delay of answers, first quarter / last": f"{first:.0f} / {last:.0f} ms",
        "event-loop lag p99": share_ms(lag, lag_now, 0.99),
        "lateness of the 20 ms tick p99": share_ms(late, late_now, 0.99),
        "CPU per session-second": f"{cpu_s / took_s / sessions * 1000:.1f} ms",
        "load average": f"{os.getloadavg()[0]:.1f}",
    }
    for name, value in rows.items():
        print(f"{name:40} {value}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10.0)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.sessions, arguments.minutes))

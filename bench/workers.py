"""Two media processes with all sessions against one with half of them: what is lost by sharing?

    python -m bench.workers [--sessions 40] [--seconds 20] [--turns 3] [--engines translate]

Both arrangements take turns. Two processes carry twice the sessions of one at the same lateness if
each needs no more of its core than one process with half of them. Measured is that share, by the
system's accounting of each process, not the lateness of a full core: on a machine of few cores
clients, and whatever else runs, would decide that. The tick's lateness is printed, too.
``--engines echo`` has engines that take no time, ``translate`` the embedded ones.
"""

import argparse
import asyncio
import contextlib
import os
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import aiohttp
import psutil

from bench.harness import BenchServer, server
from bench.media import ENGINES, negotiation, speech_and_pause
from bench.rtp_client import RtpClient
from bench.soak import buckets, share_ms

WARM_UP_S = 5.0
CHOICES = {"echo": ENGINES, "translate": ()}
WORKER = "rtc_server.cli.worker"
"""Part of the command line of a media process, if there are several."""


@dataclass(frozen=True, slots=True)
class Load:
    """Cores in use, and lateness."""

    media: tuple[float, ...]
    """Share of a core of each media process, greatest first."""
    supervisor: float
    """The same of the process that holds the port; 0 if that is the media process."""
    engines: float
    """Cores of all engine processes."""
    late_p99: str
    """Lateness of the 20 ms tick."""


def processes(bench: BenchServer) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """Return media processes and all others that the command has started."""
    children = bench.process.children(recursive=True)
    started = [each for each in children if WORKER in each.cmdline()]
    media = [each for each in started if not is_engines(each)]
    others = [each for each in children if each not in media]
    return media or [bench.process], others


def is_engines(process: psutil.Process) -> bool:
    """Return whether it is the process that holds the engines: those are its children."""
    return bool(process.children())


def share_priority(pid: int) -> None:
    """Give a process the priority of this one's autogroup: workers have sessions of their own, and
    Linux shares the processor among sessions first.
    """
    own = Path("/proc/self/autogroup")
    if own.exists():
        nice = own.read_text().rsplit(maxsplit=1)[-1]
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/autogroup").write_text(nice)


def used_s(process: psutil.Process) -> float:
    """Return the processor seconds of a process so far; none of an engine that was restarted."""
    try:
        return sum(process.cpu_times()[:2])
    except psutil.NoSuchProcess:
        return 0.0


async def measured(workers: int, sessions: int, seconds: float, engines: str) -> Load:
    """Run that many sessions that speak half of the time, and measure."""
    packets = speech_and_pause()
    options = ["--workers", str(workers), "--max-sessions", str(sessions), "--engine-answer-s", "0"]
    options += [
        "--ast-deadline-s",
        "60",
        "--tts-deadline-s",
        "60",
    ]  # other programs use these cores as well
    async with (
        server(*CHOICES[engines], *options, log=Path(os.devnull)) as bench,
        aiohttp.ClientSession() as http,
        AsyncExitStack() as stack,
    ):
        for number in range(sessions):
            start = number * len(packets) // sessions  # all phases of speech at any time
            negotiate = negotiation(http, bench.call_url("en", "ru"))
            client = RtpClient(negotiate, packets, start, phase=number / sessions)
            await stack.enter_async_context(client)
        await asyncio.sleep(WARM_UP_S)
        media, others = processes(bench)
        for each in (*media, *others):
            share_priority(each.pid)
        late = await buckets(http, bench, "rtc_tick_lateness_seconds")
        before = {each: used_s(each) for each in (bench.process, *media, *others)}
        begun_s = time.monotonic()
        await asyncio.sleep(seconds)
        took_s = time.monotonic() - begun_s
        share = {each: (used_s(each) - before[each]) / took_s for each in before}
        late_now = await buckets(http, bench, "rtc_tick_lateness_seconds")
    return Load(
        media=tuple(sorted((share[each] for each in media), reverse=True)),
        supervisor=0.0 if bench.process in media else share[bench.process],
        engines=sum(max(share[each], 0.0) for each in others),
        late_p99=share_ms(late, late_now, 0.99),
    )


async def main(sessions: int, seconds: float, turns: int, engines: str) -> None:
    """Run them in turns and print the table."""
    found: dict[int, list[Load]] = {1: [], 2: []}
    for _ in range(turns):
        for workers, loads in found.items():
            count = sessions // 2 * workers
            load = await measured(workers, count, seconds, engines)
            loads.append(load)
            media = " + ".join(f"{share:.3f}" for share in load.media)
            print(
                f"{count} sessions in {workers}: {media} cores, supervisor {load.supervisor:.3f}, "
                f"engines {load.engines:.2f}; tick p99 {load.late_p99}; "
                f"load average {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    fullest = {n: median(load.media[0] for load in loads) for n, loads in found.items()}
    print(f"two carry {2 * fullest[1] / fullest[2]:.2f} times the sessions of one")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--engines", choices=sorted(CHOICES), default="echo")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.sessions, arguments.seconds, arguments.turns, arguments.engines))

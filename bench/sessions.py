"""Many sessions at once: is every phrase answered, in order, without gaps, on a calm event loop?

    python -m bench.sessions [--sessions 10] [--phrases 6]

All sessions speak at the same time, in both directions, over loopback WebRTC against one server in
a process of its own. The clients share the machine with it, and cost more than it does.
"""

import argparse
import asyncio
import itertools
import re
import time
from dataclasses import dataclass

import aiohttp
import numpy as np

from bench.harness import (
    BenchServer,
    book_texts,
    percentile,
    server,
    speaker,
    voiced_arrivals,
)
from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, PLAYOUT_RATE, Samples
from tests.support.rtc_client import RtcClient

PAUSE_S = 3.0
GAP_MS = 40.0
"""Interval between packets of one utterance from which on it is audible as a hole."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Results of one client's phrases."""

    expected: int
    """Number of phrases spoken."""
    final: int
    """Captions that came back final and understood."""
    ordered: bool
    """True if they came in the order the phrases were spoken."""
    gaps_ms: list[float]
    """Arrival spacing of consecutive packets of one utterance."""


async def one(bench: BenchServer, number: int, spoken: list[Samples]) -> Conversation:
    """Speak, listen, and look at what came."""
    source, target = direction(number)
    await asyncio.sleep(0.13 * number)
    silence = np.zeros(round(PAUSE_S * PLAYOUT_RATE), np.float32)
    parts = [silence[: PLAYOUT_RATE // 2]]
    for utterance in spoken:
        parts += [utterance, silence]
    audio = np.concatenate(parts)
    session = {"x_events": ["segment"]}
    async with RtcClient(bench.call_url(source, target), audio=audio, session=session) as client:
        await client.until(
            lambda: len(client.track.sent_at_s) >= len(audio) // PLAYOUT_FRAME_SAMPLES,
            timeout_s=len(audio) / PLAYOUT_RATE + 30,
        )
        finals = [e for e in client.events if e["type"] == "x.segment" and e["final"]]
        arrivals = voiced_arrivals(client)
    starts = [e["source"]["start_ms"] for e in finals]
    return Conversation(
        expected=len(spoken),
        final=sum(e["status"] == "final" for e in finals),
        ordered=starts == sorted(starts),
        gaps_ms=[
            (late[0] - soon[0]) * 1000
            for soon, late in itertools.pairwise(arrivals)
            if (late[1] - soon[1]) % 2**32 == PLAYOUT_FRAME_SAMPLES
        ],
    )


def direction(number: int) -> tuple[str, str]:
    """Return the languages of a client: every other one speaks Russian."""
    return ("ru", "en") if number % 2 else ("en", "ru")


def lag_p99_ms(exposition: str) -> float:
    """Upper bound of the bucket that holds the 99th percentile of the loop's lag."""
    rows = re.findall(r'rtc_loop_lag_seconds_bucket\{le="([^"]+)"\} ([0-9.e+]+)', exposition)
    total = float(rows[-1][1])
    return next(float(bound) for bound, count in rows if float(count) >= 0.99 * total) * 1000


async def main(sessions: int, count: int) -> None:
    """Run them and print the table."""
    speak = speaker()
    jobs = []
    for number in range(sessions):
        language, _ = direction(number)
        book = book_texts(*direction(number))
        texts = book[number :: max(1, len(book) // count)][:count]
        jobs.append((number, [speak(text, language) for text in texts]))
    async with server() as bench:
        cpu_s, media_s, started_s = bench.cpu_s(), bench.media_cpu_s(), time.monotonic()
        came = await asyncio.gather(*(one(bench, *job) for job in jobs))
        session_s = (time.monotonic() - started_s) * sessions
        cpu_s, media_s = bench.cpu_s() - cpu_s, bench.media_cpu_s() - media_s
        async with aiohttp.ClientSession() as http, http.get(bench.url + "/metrics") as response:
            lag_ms = lag_p99_ms(await response.text())
    gaps_ms = [gap for each in came for gap in each.gaps_ms]
    spacing = (percentile(gaps_ms, 50), percentile(gaps_ms, 99), max(gaps_ms))
    rows = {
        "sessions": f"{sessions}",
        "phrases answered": f"{sum(c.final for c in came)} of {sum(c.expected for c in came)}",
        "sessions in order": f"{sum(c.ordered for c in came)} of {sessions}",
        "packet spacing p50 / p99 / max": " / ".join(f"{ms:.1f}" for ms in spacing) + " ms",
        f"gaps over {GAP_MS:.0f} ms": f"{sum(g > GAP_MS for g in gaps_ms)} of {len(gaps_ms)}",
        "event-loop lag p99, at most": f"{lag_ms:.0f} ms",
        "CPU per session-second, all": f"{cpu_s / session_s * 1000:.1f} ms",
        "CPU per session-second, media": f"{media_s / session_s * 1000:.1f} ms",
    }
    for name, value in rows.items():
        print(f"{name:32} {value}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--phrases", type=int, default=6, help="for each session")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.sessions, arguments.phrases))

"""Misbehaviour at random beside honest callers: are these all answered, and is all given back?

    python -m bench.chaos [--minutes 10] [--seed 1] [--hands 3]

So many hands at a time make trouble of the fourteen kinds of `bench.misbehaviour`, with client
secrets of a key of their own, against a server in a process of its own. Beside them, with another
key, the callers of `bench.honest` speak. The server is looked at before, when each kind has been
there once, and after, when all have left. Clients run on the same machine, in one process.
"""

import argparse
import asyncio
import os
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import numpy as np

from bench.harness import BenchServer, percentile, server, speaker
from bench.honest import Honest, Sentences
from bench.media import ENGINES
from bench.misbehaviour import KINDS, Kind
from bench.mischief import LEFT, Mischief, Prey
from bench.soak import buckets, share_ms
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE, to_int16
from rtc_server.resample import resampled
from rtc_server.signaling.keys import new_key, write_keys

SECRETS = "/v1/realtime/translations/client_secrets"
SECRET_COUNT = 4
VISIT_S = 20.0
SETTLE_S = 90.0
"""A call that never connected is freed after 15 s, a lost one after 8 s and what `LIMITS` say."""
LOOK_S, STEADY_LOOKS = 0.5, 6
LIMITS = ("--max-sessions", "20", "--resume-s", "5", "--room-wait-s", "5", "--engine-answer-s", "0")
"""Limits of the server. On a busy machine, too, it is to admit honest callers."""
HISTOGRAMS = ("rtc_tick_lateness_seconds", "rtc_loop_lag_seconds")
POOL_THREADS = min(32, (os.cpu_count() or 1) + 4)
"""Most threads of an event loop's own pool (`concurrent.futures.ThreadPoolExecutor`)."""
TEXT = "I would like to book a table for two, please."


@dataclass(frozen=True, slots=True)
class Holding:
    """Resources held by the server's process."""

    sessions: int
    rooms: int
    connections: int
    tasks: int
    descriptors: int
    threads: int
    memory_mb: float

    def is_back(self, before: "Holding") -> bool:
        """Return whether nothing is more than before, memory and the idle threads of the event
        loop's pool aside, which begins one whenever all it has are busy.
        """
        counts = ("sessions", "rooms", "connections", "tasks", "descriptors")
        kept = all(getattr(self, each) <= getattr(before, each) for each in counts)
        return kept and self.threads <= before.threads + POOL_THREADS


@dataclass(frozen=True, slots=True)
class ChaosOutcome:
    """Result of a run."""

    honest: dict[str, Sentences]
    visits: Counter[str]
    """Visits of each kind."""
    answers: Counter[int]
    """Status codes of the answers to misbehaviour."""
    before: Holding
    after: Holding
    tick_p99: str
    lag_p99: str
    complaints: Sequence[str]
    """Lines of the log about faults of the server itself."""

    @property
    def unanswered(self) -> int:
        """Sentences of honest callers that were not answered."""
        return sum(each.said - len(each.delays_s) for each in self.honest.values())


async def holding(http: aiohttp.ClientSession, bench: BenchServer) -> Holding:
    """Look at the server's process."""
    async with http.get(bench.url + "/metrics") as response:
        text = await response.text()

    def gauge(name: str) -> int:
        found = re.search(rf"^rtc_{name} (\S+)$", text, re.MULTILINE)
        assert found is not None
        return int(float(found[1]))

    return Holding(
        sessions=gauge("sessions"),
        rooms=gauge("rooms"),
        connections=gauge("connections"),
        tasks=gauge("tasks"),
        descriptors=bench.process.num_fds(),
        threads=bench.process.num_threads(),
        memory_mb=bench.process.memory_info().rss / 2**20,
    )


async def settled(
    http: aiohttp.ClientSession, bench: BenchServer, before: Holding | None = None
) -> Holding:
    """Look at it when all sessions are gone and nothing changes, or when `SETTLE_S` are over.

    With `before`, not earlier than no more is there than then.
    """
    end_s, steady = time.monotonic() + SETTLE_S, 0
    now = await holding(http, bench)
    while time.monotonic() < end_s and steady < STEADY_LOOKS:
        await asyncio.sleep(LOOK_S)
        last, now = now, await holding(http, bench)
        is_empty = now.sessions + now.rooms == 0 and (before is None or now.is_back(before))
        same = replace(now, memory_mb=0) == replace(last, memory_mb=0)
        steady = steady + 1 if same and is_empty else 0
    return now


async def make_trouble(mischief: Mischief, kind: Kind) -> None:
    """Make one visit. A client that is refused or cut off is no finding."""
    with suppress(*LEFT):
        async with asyncio.timeout(VISIT_S):
            await kind(mischief)


def complaints(log: Path) -> list[str]:
    """Lines of the log that nobody should be able to cause."""
    signs = ("ERROR", "CRITICAL", "Traceback", "never retrieved", "never awaited")
    return [line for line in log.read_text().splitlines() if any(s in line for s in signs)]


async def client_secrets(http: aiohttp.ClientSession, bench: BenchServer, key: str) -> list[str]:
    """Make some of that key."""
    made = []
    for _ in range(SECRET_COUNT):
        body, headers = {"expires_after": {"seconds": 7200}}, {"Authorization": f"Bearer {key}"}
        async with http.post(bench.url + SECRETS, json=body, headers=headers) as response:
            made.append((await response.json())["value"])
    return made


async def run(minutes: float, seed: int, hands: int) -> ChaosOutcome:
    """Start a server, run all clients, and measure what is left."""
    speech = speaker()(TEXT, "en")
    lowered = np.concatenate([*resampled([speech], PLAYOUT_RATE, SPEECH_RATE)])
    pcm = to_int16(lowered).tobytes()
    visits: Counter[str] = Counter()
    answers: Counter[int] = Counter()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keys = [new_key(name, "2026-01-01", {}) for name in ("honest", "trouble")]
        (honest_key, _), (other_key, _) = keys
        write_keys(folder / "keys.json", [record for _, record in keys])
        options = (*ENGINES, *LIMITS, "--api-keys", str(folder / "keys.json"))
        bench = await stack.enter_async_context(server(*options, log=folder / "log"))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        watching = await stack.enter_async_context(
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {honest_key}"})
        )
        secrets = await client_secrets(http, bench, other_key)

        def mischief(prey: Prey, name: str) -> Mischief:
            chance = random.Random(f"{seed} {name}")
            return Mischief(bench.url, http, secrets, prey, speech, pcm, chance, answers)

        async def hand(prey: Prey, number: int) -> None:
            own = mischief(prey, f"hand {number}")
            while True:
                for kind in own.rng.sample(KINDS, len(KINDS)):
                    if time.monotonic() >= end_s:
                        return
                    visits[kind.__name__] += 1
                    await make_trouble(own, kind)
                    await asyncio.sleep(own.rng.random())

        async with Honest(bench.url, honest_key, speech).calling() as prey:
            first = (make_trouble(mischief(prey, kind.__name__), kind) for kind in KINDS)
            await asyncio.gather(*first)
        before = await settled(watching, bench)
        late, lag = [await buckets(watching, bench, name) for name in HISTOGRAMS]
        end_s = time.monotonic() + minutes * 60
        honest = Honest(bench.url, honest_key, speech)
        async with honest.calling() as prey:
            await asyncio.gather(*(hand(prey, number) for number in range(hands)))
        late_now, lag_now = [await buckets(watching, bench, name) for name in HISTOGRAMS]
        after = await settled(watching, bench, before)
        return ChaosOutcome(
            honest=honest.sentences,
            visits=visits,
            answers=answers,
            before=before,
            after=after,
            tick_p99=share_ms(late, late_now, 0.99),
            lag_p99=share_ms(lag, lag_now, 0.99),
            complaints=complaints(folder / "log"),
        )


async def main(minutes: float, seed: int, hands: int) -> None:
    """Run it and print what came of it."""
    os.environ["MALLOC_ARENA_MAX"] = "1"  # free memory is given back, not kept for a thread
    outcome = await run(minutes, seed, hands)
    rows = {"minutes, seed, hands": f"{minutes:g}, {seed}, {hands}"}
    for name, of in outcome.honest.items():
        delays_ms = [1000 * s for s in of.delays_s]
        rows[f"{name}: sentences answered"] = (
            f"{len(delays_ms)} of {of.said}, p50 / p99 "
            f"{percentile(delays_ms, 50):.0f} / {percentile(delays_ms, 99):.0f} ms"
            + (f", {of.came_again} waits" if of.came_again else "")
        )
    rows["visits"] = str(outcome.visits.total())
    for kind in KINDS:
        rows[f"  {kind.__name__.replace('_', ' ')}"] = str(outcome.visits[kind.__name__])
    rows["answers"] = ", ".join(f"{n} × {code}" for code, n in sorted(outcome.answers.items()))
    rows["lateness of the 20 ms tick p99"] = outcome.tick_p99
    rows["event-loop lag p99"] = outcome.lag_p99
    for name in ("tasks", "descriptors", "threads", "connections"):
        rows[f"{name} before / after"] = (
            f"{getattr(outcome.before, name)} / {getattr(outcome.after, name)}"
        )
    rows["memory before / after"] = (
        f"{outcome.before.memory_mb:.1f} / {outcome.after.memory_mb:.1f} MB"
    )
    rows["load average"] = f"{os.getloadavg()[0]:.1f}"
    rows["faults in the log"] = str(len(outcome.complaints))
    for name, value in rows.items():
        print(f"{name:36} {value}")
    for line in outcome.complaints[:20]:
        print(line)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hands", type=int, default=3)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.minutes, arguments.seed, arguments.hands))

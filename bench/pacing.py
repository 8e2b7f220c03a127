"""Event loops in turns: what does reading datagrams at the tick save?

    python -m bench.pacing [--sessions 5 20 50] [--seconds 8] [--turns 3]

The same echo server, transport and all, on each loop of `bench.servers.echo`. Printed are medians
of all turns, and each loop's processor time as a ratio to the first one's of the same turn, so that
a machine that changes its speed between turns does not decide.
"""

import argparse
import asyncio
from collections import defaultdict
from statistics import median

from bench.harness import percentile
from bench.media import Row, echo_server, measure
from bench.servers.echo import LOOPS


async def main(counts: list[int], seconds: float, turns: int) -> None:
    """Run them in turns and print the table."""
    rows: defaultdict[tuple[int, str], list[Row]] = defaultdict(list)
    for count in counts:
        for _ in range(turns):
            for name in LOOPS:
                async with echo_server("--loop", name) as bench:
                    rows[count, name].append(await measure(bench, "echo", count, seconds))
    print(
        "| sessions | loop | CPU ms per session-second | ratio | added delay p50 / p95 "
        "| tick late p99 | load |"
    )
    print("|" + "---|" * 7)
    first = next(iter(LOOPS))
    for (count, name), found in rows.items():
        pairs = zip(found, rows[count, first], strict=True)
        ratio = median(each.cpu_ms / other.cpu_ms for each, other in pairs)
        delay = [median(percentile(each.delays_ms, p) for each in found) for p in (50, 95)]
        print(
            f"| {count} | {name} | {median(each.cpu_ms for each in found):.1f} | {ratio:.2f} "
            f"| {delay[0]:.1f} / {delay[1]:.1f} "
            f"| {median(percentile(each.late_ms, 99) for each in found):.1f} ms "
            f"| {max(each.load for each in found):.1f} |"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sessions", type=int, nargs="+", default=[5, 20, 50])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.sessions, arguments.seconds, arguments.turns))

"""Damages inputs that are well, keeps those that are treated in a new way, and damages them again.

    python -m tests.fuzz.campaign --minutes 60 [--seed N] [--keep]

The tests run it with a fixed seed and a fixed number of inputs, so that they find the same every
time; run for longer it takes another seed each time. ``--keep`` adds to the corpus what was new.
"""

import argparse
import gc
import random
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from rtc_server.transport.logs import limited_logs
from tests.fuzz.target import MOST_BYTES, Target
from tests.fuzz.targets import TARGETS
from tests.support.loop_time import untraced

CORPUS = Path(__file__).parent / "corpus"
"""Folder of inputs, one folder for each target; a file's name is its hash."""
MOST_SLOW = 20
"""Number of a target's slowest inputs that are timed again."""
LEAK_BYTES = 4 << 20
"""Memory that a target may still hold at the end of its inputs."""
ODD = (
    b"\0",
    b"\xff" * 4,
    b"-1",
    b"4294967296",
    b"\r\n",
    b'"',
    b"{" * 50,
    b"\xed\xa0\x80",
    b"1e999",
)


class Found(Exception):
    """An input that broke its target."""

    def __init__(self, target: Target, data: bytes, error: BaseException) -> None:
        super().__init__(f"{target.name} broke on {data!r}: {type(error).__name__}: {error}")


@dataclass(slots=True)
class Tally:
    """Results of one target."""

    inputs: int = 0
    kinds: int = 0
    """Different ways in which inputs were treated."""


def corpus(target: Target) -> list[bytes]:
    """Seeds, and what earlier campaigns kept."""
    folder = CORPUS / target.name
    kept = sorted(folder.iterdir()) if folder.is_dir() else []
    return [*target.seeds, *(path.read_bytes() for path in kept)]


def damaged(
    data: bytes, others: list[bytes], chance: random.Random, most_bytes: int = MOST_BYTES
) -> bytes:
    """A few changes at random places; at most `most_bytes` of it."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 8))):
        place = chance.randrange(len(out) + 1)
        length = chance.choice((1, 1, 2, 4, 16, 64))
        match chance.randrange(7):
            case 0 if out:
                out[place % len(out)] ^= 1 << chance.randrange(8)
            case 1 if out:
                out[place % len(out)] = chance.randrange(256)
            case 2:
                del out[place : place + length]
            case 3:
                out[place:place] = out[place : place + length] * chance.choice(
                    (1, 1, 20, most_bytes // length)
                )
            case 4:
                out[place:place] = chance.choice(ODD)
            case 5:
                other = chance.choice(others)
                start = chance.randrange(len(other) + 1)
                out[place : place + length] = other[start : start + length]
            case _:
                out[place:place] = chance.randbytes(length)
    return bytes(out[:most_bytes])


def fuzz(target: Target, inputs: Iterator[int], seed: int, *, keep: bool = False) -> Tally:
    """Give it an input for each of `inputs`.

    Raises:
        Found: it broke, or it held on to what it read.
    """
    with limited_logs():  # as the server does: lines that are kept would count as held
        return _fuzz(target, inputs, seed, keep=keep)


def _fuzz(target: Target, inputs: Iterator[int], seed: int, *, keep: bool) -> Tally:
    chance = random.Random(f"{target.name} {seed}")
    known = corpus(target)
    kinds: dict[str, bytes] = {}
    slow: dict[bytes, float] = {}
    for data in known:
        kinds[_timed(target, data)[0]] = data
    tally = Tally()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    own = 0
    for _ in inputs:
        data = damaged(chance.choice(known), known, chance, target.most_bytes)
        kind, took_s = _timed(target, data)
        if took_s > target.limit_s:
            slow[data] = took_s
        tally.inputs += 1
        if kind not in kinds:
            kinds[kind] = data
            known.append(data)
            own += 4 * len(data) + 4 * len(kind) + 1000
            if keep:
                folder = CORPUS / target.name
                folder.mkdir(parents=True, exist_ok=True)
                (folder / sha256(data).hexdigest()[:16]).write_bytes(data)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] - before - own
    held -= sum(sys.getsizeof(data) for data in slow)
    tracemalloc.stop()
    for data in sorted(slow, key=lambda data: -slow[data])[:MOST_SLOW]:
        _time_again(target, data)
    if held > LEAK_BYTES:
        raise Found(target, b"all of them", MemoryError(f"{held >> 20} MB are still held"))
    tally.kinds = len(kinds)
    return tally


def _time_again(target: Target, data: bytes) -> None:
    """Measure what an input itself costs: the least of some readings that nothing traces.

    In the reading that was too long there was memory tracing, which makes everything some times
    slower, and there may have been the collector, pages that the system had to find, or another
    process on the same core.
    """
    with untraced():
        took_s = min(_timed(target, data)[1] for _ in range(5))
    if took_s > target.limit_s:
        raise Found(target, data[:200], TimeoutError(f"{1000 * took_s:.0f} ms of CPU"))


def _timed(target: Target, data: bytes) -> tuple[str, float]:
    """Return its outcome, and the processor time of this thread that it took."""
    began_s = time.thread_time()
    try:
        kind = target.read(data)
    except Exception as error:
        raise Found(target, data, error) from error
    return kind, time.thread_time() - began_s


def _for(seconds: float) -> Iterator[int]:
    ends_s = time.monotonic() + seconds
    count = 0
    while time.monotonic() < ends_s:
        yield count
        count += 1


def main() -> int:
    """Fuzz everything for a while."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2.0, help="of all targets together")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--keep", action="store_true", help="add what is new to the corpus")
    options = parser.parse_args()
    print(f"seed {options.seed}\n| target | inputs | kinds of treatment |\n|---|---|---|")
    share_s = options.minutes * 60 / sum(target.weight for target in TARGETS)
    for target in TARGETS:
        inputs = _for(share_s * target.weight)
        try:
            tally = fuzz(target, inputs, options.seed, keep=options.keep)
        except Found as found:
            print(found)
            return 1
        print(f"| {target.name} | {tally.inputs} | {tally.kinds} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

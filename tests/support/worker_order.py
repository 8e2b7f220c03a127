"""Order in which tests are handed to the workers of pytest-xdist."""

from collections.abc import Sequence
from typing import TypeVar

Test = TypeVar("Test")


def dealt(slow: Sequence[Test], quick: Sequence[Test], workers: int) -> list[Test]:
    """Return all tests so that each worker begins with its part of the slow ones.

    ``--dist worksteal`` cuts the list into as many equal pieces as there are workers, and a worker
    that has nothing left takes tests from the end of another's piece. Slow ones at the head of the
    list would all stay with the first worker, and one that begins last keeps a single core busy.
    """
    ordered: list[Test] = []
    total, taken = len(slow) + len(quick), 0
    for worker in range(workers):
        mine = slow[worker::workers]
        end = total * (worker + 1) // workers
        count = max(end - len(ordered) - len(mine), 0)
        ordered += [*mine, *quick[taken : taken + count]]
        taken += count
    return [*ordered, *quick[taken:]]

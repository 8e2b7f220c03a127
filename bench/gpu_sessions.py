"""Sessions that a device of measured speed carries, by simulation of the queue before it."""

import numpy as np

SEGMENT_S, PAUSE_S = 3.0, 3.0
"""Speech and silence of each session of the load, by turns."""

BAR_S = 0.8
"""Limit of the time from the end of a segment to its translation, at the 95th percentile."""


def most_sessions(batch_s: dict[int, float]) -> int:
    """Return the largest number of sessions whose p95 is within the limit, by simulating a day of
    arrivals in the queue. `batch_s`: seconds that a call takes, by its number of segments; values
    between them are interpolated.
    """
    low, high = 0, 4096
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _p95(middle, batch_s) <= BAR_S else (low, middle - 1)
    return low


def _p95(sessions: int, batch_s: dict[int, float]) -> float:
    """95th percentile of waiting and computing, for segments that end at random moments."""
    random = np.random.default_rng(0)
    arrivals = np.cumsum(random.exponential((SEGMENT_S + PAUSE_S) / sessions, size=4000))
    sizes = sorted(batch_s)
    largest, done, free_at, delays = min(max(sizes), 16), 0, 0.0, []
    while done < len(arrivals):
        start = max(free_at, arrivals[done])
        waiting = int(np.searchsorted(arrivals, start, side="right")) - done
        size = max(1, min(waiting, largest))
        free_at = start + float(np.interp(size, sizes, [batch_s[s] for s in sizes]))
        delays += [free_at - arrival for arrival in arrivals[done : done + size]]
        done += size
    return float(np.percentile(delays, 95))

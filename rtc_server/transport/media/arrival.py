"""Estimate of packets' arrival times from those of the packets before."""

from collections import deque

_WINDOW_S = 2.5
_WINDOWS = 24
"""Windows over which the drift is measured: one minute."""
_HOLD_S = 5.0
_DECAY_PER_S = 0.05
_UNITS_PER_S = 48_000


class ArrivalClock:
    """Mapping from RTP time to our clock, by the fastest packet of the last seconds.

    The least transit time of the current and the previous window stands for a path without queues.
    Older windows are forgotten, so the mapping follows a sender whose clock drifts, and a path that
    has become longer.
    """

    def __init__(self) -> None:
        self._base_s = 0.0
        self._least_s = 0.0
        self._previous_s = 0.0
        self._window_ends_s = float("-inf")
        self._history: deque[tuple[float, float]] = deque(maxlen=_WINDOWS)

    def reset(self, timestamp: int, now_s: float) -> None:
        """Start again from this packet alone: the timestamps have a new origin."""
        transit_s = now_s - timestamp / _UNITS_PER_S
        self._base_s = self._least_s = self._previous_s = transit_s
        self._window_ends_s = now_s + _WINDOW_S
        self._history.clear()

    def observe(self, timestamp: int, now_s: float) -> float:
        """Take one packet; return by how many seconds it is later than the fastest one, >= 0."""
        transit_s = now_s - timestamp / _UNITS_PER_S
        if now_s > self._window_ends_s:
            self._history.append((now_s, self._least_s))
            self._previous_s, self._least_s = self._least_s, transit_s
            self._base_s = min(self._previous_s, transit_s)
            self._window_ends_s = now_s + _WINDOW_S
        elif transit_s < self._least_s:
            self._least_s = transit_s
            self._base_s = min(self._base_s, transit_s)
        return transit_s - self._base_s

    def expected_s(self, timestamp: int) -> float:
        """Return the arrival time of a packet with this (unwrapped) timestamp, if not delayed."""
        return self._base_s + timestamp / _UNITS_PER_S

    def drift_ppm(self) -> float:
        """Return by how many millionths the sender's clock is faster; 0 before four windows."""
        if len(self._history) < 4:
            return 0.0
        (first_s, first), (last_s, last) = self._history[0], self._history[-1]
        return (first - last) / (last_s - first_s) * 1e6


class PeakHold:
    """Highest recent value: rises at once, is held for 5 s, then falls by 50 ms per second to 0."""

    def __init__(self) -> None:
        self._peak_s = 0.0
        self._held_until_s = 0.0

    def raise_to(self, value_s: float, now_s: float) -> None:
        """Take a new sample; it matters when it is no less than the present value."""
        if value_s >= self.value_s(now_s):
            self._peak_s = value_s
            self._held_until_s = now_s + _HOLD_S

    def value_s(self, now_s: float) -> float:
        """Return the present value."""
        overdue_s = now_s - self._held_until_s
        if overdue_s <= 0:
            return self._peak_s
        return max(0.0, self._peak_s - overdue_s * _DECAY_PER_S)

"""Quotas of a key: sessions at once, minutes a day, and the length of a session.

Pure: time is an argument. `used_s` and `restore` keep the used minutes over a restart. If several
processes share a key's limits, one of them decides (`admit`), and the others follow it (`join`,
`follow`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from rtc_server.errors import RateLimited

DAY_S = 86_400
RENEWED_BEFORE_S = 3_600
"""Time before ``expires_at`` at which a session without a limit gets another day."""
RETRY_SESSIONS_S = 5
"""Seconds after which to try again when a key has all its sessions open."""


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """Limits of one key; 0 everywhere means none."""

    sessions: int = 0
    """Sessions at once."""
    minutes_a_day: int = 0
    """Minutes of all sessions together, between two midnights UTC."""
    session_minutes: int = 0
    """Minutes after which a session is drained and closed."""
    requests_a_minute: int = 0
    """HTTP requests per minute, counted on arrival."""
    secret_sessions: int = 0
    """Sessions at once of each client secret of the key."""
    idle_minutes: int = 0
    """Minutes without speech after which a session is closed."""


@dataclass(frozen=True, slots=True)
class KeyState:
    """Usage of one key, for another process."""

    day: int
    """Days since 1970, UTC."""
    used_s: float
    """Seconds used on that day, up to `counted_s`."""
    counted_s: float
    """Monotonic time, which all processes of a machine share."""
    leases: int
    """Leases of all processes."""


@dataclass(slots=True)
class _KeyUsage:
    """Usage that the leases of one key share."""

    day: int
    """Days since 1970, UTC."""
    used_s: float = 0.0
    """Seconds used today, up to `counted_s`."""
    counted_s: float = 0.0
    """Monotonic time up to which `used_s` has been added up."""
    leases: set["Lease"] = field(default_factory=set)
    elsewhere: int = 0
    """Leases of other processes, which use the same minutes."""

    @property
    def open(self) -> int:
        """Number of leases, including those of other processes."""
        return len(self.leases) + self.elsewhere

    def count(self, now_s: float, wall_s: float) -> None:
        """Add the time since the last call; use before midnight UTC does not count.

        It needs both clocks: the day is that of the host's clock, which may be set at any time.
        """
        day = int(wall_s // DAY_S)
        if day != self.day:
            self.day, self.used_s = day, 0.0
            self.counted_s = max(self.counted_s, now_s - wall_s % DAY_S)
        self.used_s += self.open * max(0.0, now_s - self.counted_s)
        self.counted_s = now_s


class Lease:
    """One session's share of its key's limits, from admission to its end."""

    def __init__(self, usage: _KeyUsage, limits: KeyLimits, now_s: float, wall_s: float) -> None:
        self._usage, self._limits = usage, limits
        self._end_s = now_s + limits.session_minutes * 60 if limits.session_minutes else math.inf
        self.expires_at = int(wall_s + (limits.session_minutes * 60 or DAY_S))
        """Unix seconds at which the session's limit ends or, without a limit, is renewed.

        It is always set: in the schema of OpenAI's API it is an integer, and typed clients refuse
        an event without it.
        """

    @classmethod
    def unlimited(cls, now_s: float, wall_s: float) -> "Lease":
        """Return a lease that does not count for any key."""
        return cls(_KeyUsage(int(wall_s // DAY_S)), KeyLimits(), now_s, wall_s)

    def left_s(self, now_s: float, wall_s: float) -> float:
        """Return the seconds that the session may still last: infinite without a limit, 0 once
        revoked.

        The sessions of a key share one budget of minutes, so with two of them it lasts half as
        long.
        """
        usage = self._usage
        usage.count(now_s, wall_s)
        left_s = self._end_s - now_s
        if self._limits.minutes_a_day and usage.leases:
            budget_s = self._limits.minutes_a_day * 60 - usage.used_s
            left_s = min(left_s, budget_s / usage.open)
        return max(0.0, left_s)

    @property
    def end_s(self) -> float:
        """Monotonic time at which the session's limit ends; infinite without one."""
        return self._end_s

    def go_on(self, end_s: float, expires_at: int) -> None:
        """Take the ends of the lease that this one continues, of another process."""
        self._end_s, self.expires_at = end_s, expires_at

    def renew(self, wall_s: float) -> bool:
        """Give a session without a limit another day if the present one is nearly over; return
        whether that was done.
        """
        if self._limits.session_minutes or wall_s < self.expires_at - RENEWED_BEFORE_S:
            return False
        self.expires_at = int(wall_s + DAY_S)
        return True

    def revoke(self) -> None:
        """End the lease: its key was revoked."""
        self._end_s = -math.inf

    def end(self, now_s: float, wall_s: float) -> None:
        """End the lease with its session. Idempotent."""
        self._usage.count(now_s, wall_s)
        self._usage.leases.discard(self)


class Quotas:
    """Usage of every key that has had a session today."""

    def __init__(self) -> None:
        self._usage: dict[str, _KeyUsage] = {}

    def admit(self, key: str, limits: KeyLimits, now_s: float, wall_s: float) -> Lease:
        """Return a lease for one more session of `key`.

        `now_s` is monotonic, `wall_s` Unix time. Raises `RateLimited` if the key has too many open
        sessions, or no minutes left.
        """
        usage = self._today(key, now_s, wall_s)
        if limits.sessions and len(usage.leases) >= limits.sessions:
            raise RateLimited(
                f"All {limits.sessions} sessions that this key may have at once are open. "
                "End one, or try again soon.",
                RETRY_SESSIONS_S,
            )
        if limits.minutes_a_day and usage.used_s >= limits.minutes_a_day * 60:
            raise RateLimited(
                f"The {limits.minutes_a_day} minutes of this key for today are used up. "
                "They begin again at midnight UTC.",
                math.ceil(DAY_S - wall_s % DAY_S),
            )
        lease = Lease(usage, limits, now_s, wall_s)
        usage.leases.add(lease)
        return lease

    def join(self, key: str, limits: KeyLimits, now_s: float, wall_s: float) -> Lease:
        """Return a lease that another process has admitted."""
        usage = self._today(key, now_s, wall_s)
        lease = Lease(usage, limits, now_s, wall_s)
        usage.leases.add(lease)
        return lease

    def state(self, key: str, now_s: float, wall_s: float) -> KeyState:
        """Return the key's usage, for `follow` in other processes."""
        usage = self._today(key, now_s, wall_s)
        return KeyState(usage.day, usage.used_s, usage.counted_s, usage.open)

    def follow(self, key: str, state: KeyState, now_s: float, wall_s: float) -> None:
        """Take the usage that the deciding process reports."""
        usage = self._today(key, now_s, wall_s)
        usage.day, usage.used_s, usage.counted_s = state.day, state.used_s, state.counted_s
        usage.elsewhere = max(0, state.leases - len(usage.leases))
        usage.count(now_s, wall_s)

    def used_s(self, now_s: float, wall_s: float) -> dict[str, float]:
        """Return the seconds that each key has used today."""
        return {key: self._today(key, now_s, wall_s).used_s for key in list(self._usage)}

    def restore(self, used_s: Mapping[str, float], now_s: float, wall_s: float) -> None:
        """Add the time that keys had used today before this process started."""
        for key, seconds in used_s.items():
            self._today(key, now_s, wall_s).used_s += seconds

    def revoke(self, key: str) -> None:
        """End every lease of `key`."""
        for lease in self._usage[key].leases if key in self._usage else ():
            lease.revoke()

    def _today(self, key: str, now_s: float, wall_s: float) -> _KeyUsage:
        """Return the key's usage, brought up to date; forget keys without a session today."""
        day = int(wall_s // DAY_S)
        known = self._usage.get(key)
        if known is None:
            self._usage = {k: u for k, u in self._usage.items() if u.open or u.day == day}
            known = self._usage[key] = _KeyUsage(day)
        known.count(now_s, wall_s)
        return known

"""Expiry of a session or a room, by its lease or without speech, and the notices of it. Pure."""

import math

from rtc_server.events.server import ExpiringEvent, ExpiringReason
from rtc_server.session.quota import Lease

EXPIRING_S = 60.0
"""Time before the end at which the client is warned."""


class Expiry:
    """Deadline of a session or a room's speaker: the end of the lease, or of a time without
    speech.
    """

    def __init__(self, lease: Lease, idle_minutes: int, now_s: float) -> None:
        """`idle_minutes`: 0 allows silence without limit."""
        self._lease, self._idle_s = lease, idle_minutes * 60 or math.inf
        self._active_s = now_s
        self._reported: ExpiringReason | None = None

    def active(self, now_s: float) -> None:
        """Note speech, or a client event."""
        self._active_s = now_s

    def renew(self, wall_s: float) -> bool:
        """See `Lease.renew`."""
        return self._lease.renew(wall_s)

    def left_s(self, now_s: float, wall_s: float) -> tuple[float, ExpiringReason]:
        """Return the seconds until the end, 0 when it has come, and its reason."""
        limit_s = self._lease.left_s(now_s, wall_s)
        idle_s = max(0.0, self._active_s + self._idle_s - now_s)
        if idle_s < limit_s:
            return idle_s, ExpiringReason.IDLE
        return limit_s, ExpiringReason.LIMIT

    def news(self, now_s: float, wall_s: float) -> ExpiringEvent | None:
        """Return the notice that is due: once when the end is near, and once when it has come."""
        left_s, reason = self.left_s(now_s, wall_s)
        if left_s > EXPIRING_S:
            self._reported = None  # somebody spoke again
        elif not left_s or self._reported is not reason:
            self._reported = reason
            return ExpiringEvent(in_ms=math.ceil(left_s * 1000), reason=reason)
        return None

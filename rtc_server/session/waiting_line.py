"""Line before a full server: callers that come again keep their turn, and nobody overtakes them.

Pure: time is an argument. A caller gets a ticket and comes back with it. One that does not come
back in time has left. Whoever holds no ticket is behind all who do.
"""

import secrets
from dataclasses import dataclass

from rtc_server.errors import AdmissionRefused, LinePlace
from rtc_server.session.session_api import Claimant

MOST_TICKETS = 1000
"""Callers that may wait at once; others are refused as if there were no line."""
SOONEST_S, LATEST_S = 2, 10
"""Bounds of the time after which a caller is to come back: it is told its place then."""
GRACE_S = 15.0
"""Time beyond that for which its turn is kept."""


@dataclass(slots=True)
class _Ticket:
    claimant: Claimant
    until_s: float
    """Time at which it is void."""


class WaitingLine:
    """Tickets in the order in which they were given."""

    def __init__(self) -> None:
        self._tickets: dict[str, _Ticket] = {}
        self._is_of_engines = False
        """True while those who wait do so for the engines: then one comes in after the other."""

    def __len__(self) -> int:
        return len(self._tickets)

    def is_turn(self, claimant: Claimant, free: int, now_s: float) -> bool:
        """Return whether a caller may take one of so many free places."""
        self._expire(now_s)
        if not self._tickets:
            self._is_of_engines = False
            return free > 0
        return self._ahead(claimant) < (min(free, 1) if self._is_of_engines else free)

    def refuse(
        self,
        claimant: Claimant,
        refusal: AdmissionRefused,
        most_of_one: int,
        now_s: float,
        *,
        by_engines: bool,
    ) -> AdmissionRefused:
        """Return the refusal with the caller's place, if it wants one.

        Args:
            claimant: the caller; its ticket is None where it does not wait.
            refusal: what it would be told without a line.
            most_of_one: tickets of one address, or of one client where that is not counted.
            now_s: monotonic time.
            by_engines: the engines can carry no more.
        """
        self._is_of_engines |= by_engines
        self._expire(now_s)
        if claimant.ticket is None:
            return refusal
        name = claimant.ticket
        if name not in self._tickets:
            if len(self._tickets) >= MOST_TICKETS or self._of_one(claimant) >= most_of_one:
                return refusal
            name = secrets.token_urlsafe(16)
            self._tickets[name] = _Ticket(claimant, now_s)
        position = list(self._tickets).index(name) + 1
        retry_s = max(SOONEST_S, min(LATEST_S, refusal.retry_after_s * position))
        self._tickets[name].until_s = now_s + retry_s + GRACE_S
        return AdmissionRefused(str(refusal), retry_s, LinePlace(name, position))

    def leave(self, claimant: Claimant) -> None:
        """Take a caller out: it has come in, or has gone."""
        if claimant.ticket:
            self._tickets.pop(claimant.ticket, None)

    def _ahead(self, claimant: Claimant) -> int:
        names = list(self._tickets)
        return names.index(claimant.ticket) if claimant.ticket in self._tickets else len(names)

    def _of_one(self, claimant: Claimant) -> int:
        others = (each.claimant for each in self._tickets.values())
        who = claimant.source or claimant.owner
        return sum((other.source or other.owner) == who for other in others)

    def _expire(self, now_s: float) -> None:
        self._tickets = {n: each for n, each in self._tickets.items() if each.until_s > now_s}

"""Waiting line of a full server: callers who come again with their ticket keep their position.

Pure: time is an argument. A caller gets a ticket and comes back with it. If it is late, or if its
address let a turn pass recently, nobody waits for it: it keeps its position, but free places go to
the callers behind it. A caller without a ticket comes after all who are waited for.

A ticket admits one session, and is void once that session has connected. Until then, for
`CONNECTING_S`, its holder may use it again: the new session takes the place of the one that did not
connect or, if that has ended, the caller has its old position again.
"""

import itertools
import math
import secrets
from dataclasses import dataclass

from rtc_server.errors import AdmissionRefused, LineTicket, RateLimited
from rtc_server.session.places import Place, PlaceState
from rtc_server.session.session_api import Claimant

PER_SESSION, FEWEST = 4, 20
"""Tickets per session of the server, and fewest tickets of a server. Further callers are refused
without a ticket."""
SHARE_OF_ONE = 1 / 4
"""Share of the tickets that one client may hold."""
SOONEST_S, LATEST_S = 2, 10
"""Bounds of the time after which a caller should come back. It grows with the position: the first
callers come often, so that no free place stays unused for long."""
LATE_S = 5.0
"""Time after that for which others wait for the caller."""
GRACE_S = 15.0
"""Time after that for which the ticket is kept."""
UNAWAITED_S = 300.0
"""Time for which nobody waits for an address that let a turn pass. With many tickets it could keep
a server empty."""
CONNECTING_S = 25.0
"""Time after its admission for which a caller that does not connect may use its ticket again. A
browser tries WebRTC for 8 s, then 10 s with the ICE servers of the answer, then a WebSocket."""
LONGEST_LIMIT_S = 60
"""Longest limit of its own (`Retry-After`) with which a caller keeps its ticket."""
MEASURED_S = 5.0
"""Time after which the engines' load includes a new session: it has spoken and was answered."""
UNMEASURED = 1 / 20
"""Share of all sessions that may be admitted in that time if the engines were busy recently."""
BUSY_S = MEASURED_S / UNMEASURED
"""Time for which the engines count as recently busy: enough to admit all sessions one by one."""


@dataclass(slots=True)
class _Ticket:
    claimant: Claimant
    awaited_until_s: float
    """Time until which others wait for it."""
    until_s: float
    """Time at which it becomes void."""
    has_turn: bool = False
    """True if a place was free for it since its last refusal."""
    place: Place | None = None
    """Place of the session that it opened and that has not connected yet."""
    was_in: bool = False
    """True if it opened a session since its last refusal; `until_s` then counts from that."""


class WaitingLine:
    """Tickets in the order in which they were given."""

    def __init__(self, sessions: int, per_address: int) -> None:
        """`sessions`: limit of the whole server; `per_address`: limit of one address."""
        self._most = max(FEWEST, PER_SESSION * sessions)
        self._most_of_one = min(per_address, int(self._most * SHARE_OF_ONE))
        self._gap_s = MEASURED_S / max(1.0, UNMEASURED * sessions)
        self._tickets: dict[str, _Ticket] = {}
        self._unawaited: dict[str, float] = {}
        """Addresses that let a turn pass, and the times until which nobody waits for them."""
        self._busy_until_s = self._entered_s = -math.inf

    def waiting(self, now_s: float) -> int:
        """Return the number of callers who wait."""
        self._expire(now_s)
        return sum(ticket.place is None for ticket in self._tickets.values())

    def is_turn(self, claimant: Claimant, free: int, now_s: float) -> bool:
        """Return whether a caller may take one of `free` places."""
        waiting, own, ahead = self.waiting(now_s), self._own(claimant), 0
        # A caller whose session did not connect has already been counted for the engines.
        counted = own and self._tickets[own].was_in
        if waiting and now_s < self._busy_until_s and not counted:
            free = min(free, 1) if now_s - self._entered_s >= self._gap_s else 0
        for name, ticket in self._tickets.items():
            if ticket.place is not None:
                continue
            if ahead >= free:
                return False
            is_awaited = self._is_awaited(ticket, now_s)
            ticket.has_turn |= is_awaited
            if name == own:
                break
            ahead += is_awaited
        return ahead < free

    def refuse(
        self, claimant: Claimant, refusal: AdmissionRefused, now_s: float, *, by_engines: bool
    ) -> AdmissionRefused:
        """Return the refusal with the caller's ticket, if it wants one.

        Args:
            claimant: the caller; its ticket is None if it does not wait.
            refusal: refusal without a waiting line.
            now_s: monotonic time.
            by_engines: True if the engines can carry no more sessions.
        """
        if by_engines:
            self._busy_until_s = now_s + BUSY_S
        self._expire(now_s)
        name = self._own(claimant) or self._join(claimant, now_s)
        if not name:
            return refusal
        position = self._position(name)
        retry_s = min(LATEST_S, SOONEST_S * position)
        ticket = self._tickets[name]
        ticket.awaited_until_s = now_s + retry_s + LATE_S
        ticket.until_s = now_s + retry_s + GRACE_S
        ticket.has_turn = ticket.was_in = False
        return AdmissionRefused(str(refusal), retry_s, LineTicket(name, position))

    def let_pass(self, claimant: Claimant, refusal: RateLimited, now_s: float) -> RateLimited:
        """Return the refusal of a caller that is at a limit of its own. It keeps its position, but
        until it comes again nobody waits for it. At a limit longer than `LONGEST_LIMIT_S` it loses
        its ticket.
        """
        self._expire(now_s)
        name = self._own(claimant)
        if not name:
            return refusal
        if refusal.retry_after_s > LONGEST_LIMIT_S:
            del self._tickets[name]
            return refusal
        ticket = self._tickets[name]
        ticket.awaited_until_s, ticket.has_turn = now_s, False
        if ticket.place is None:  # a caller that is connecting gets no more time for it
            ticket.was_in, ticket.until_s = False, now_s + refusal.retry_after_s + GRACE_S
        line_ticket = LineTicket(name, self._position(name))
        return RateLimited(str(refusal), refusal.retry_after_s, line_ticket)

    def opened_by(self, claimant: Claimant, now_s: float) -> Place | None:
        """Return the place of a session that the caller's ticket opened and that has not connected.
        It must be ended before the ticket opens another one.
        """
        self._expire(now_s)
        own = self._own(claimant)
        return self._tickets[own].place if own else None

    def enter(self, claimant: Claimant, place: Place, now_s: float) -> None:
        """Note that a caller was admitted."""
        self._entered_s = now_s
        if name := self._own(claimant):
            ticket = self._tickets[name]
            if not ticket.was_in:
                ticket.was_in, ticket.until_s = True, now_s + CONNECTING_S
            ticket.place, ticket.has_turn = place, False

    def leave(self, place: Place, now_s: float) -> None:
        """Put the caller of a session that ended before it connected back in line."""
        self._expire(now_s)
        for ticket in self._tickets.values():
            if ticket.place is place:
                ticket.place = None
                ticket.awaited_until_s = max(ticket.awaited_until_s, now_s + LATE_S)

    def _own(self, claimant: Claimant) -> str:
        """Return a caller's ticket if it is in line; else an empty string.

        A ticket is valid only with the same key. Addresses are not compared, because a caller may
        have two of them, or change from one network to another.
        """
        ticket = self._tickets.get(claimant.ticket or "")
        if ticket is None or ticket.claimant.owner.key != claimant.owner.key:
            return ""
        return claimant.ticket or ""

    def _join(self, claimant: Claimant, now_s: float) -> str:
        """Return a new ticket; an empty string if the caller can have none."""
        if claimant.ticket is None or not claimant.may_join or len(self._tickets) >= self._most:
            return ""
        # Callers without address and key cannot be told apart, as behind a proxy that is not in
        # --trusted-proxies: no limit applies to one of them.
        if (claimant.source or claimant.owner.key) and self._of_one(claimant) >= self._most_of_one:
            return ""
        name = secrets.token_urlsafe(16)
        self._tickets[name] = _Ticket(claimant, now_s, now_s)
        return name

    def _position(self, name: str) -> int:
        ahead = itertools.takewhile(lambda each: each != name, self._tickets)
        return 1 + sum(self._tickets[each].place is None for each in ahead)

    def _of_one(self, claimant: Claimant) -> int:
        others = (each.claimant for each in self._tickets.values())
        who = claimant.source or claimant.owner
        return sum((other.source or other.owner) == who for other in others)

    def _is_awaited(self, ticket: _Ticket, now_s: float) -> bool:
        return ticket.awaited_until_s > now_s and ticket.claimant.source not in self._unawaited

    def _expire(self, now_s: float) -> None:
        self._unawaited = {s: end_s for s, end_s in self._unawaited.items() if end_s > now_s}
        for ticket in self._tickets.values():
            if ticket.has_turn and ticket.awaited_until_s <= now_s:
                ticket.has_turn = False
                if source := ticket.claimant.source:
                    self._unawaited[source] = now_s + UNAWAITED_S
        self._tickets = {
            name: each
            for name, each in self._tickets.items()
            if each.until_s > now_s
            and (each.place is None or each.place.state is PlaceState.CONNECTING)
        }

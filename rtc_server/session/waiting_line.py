"""Line before a full server: callers that come again keep their turn, and nobody overtakes them.

Pure: time is an argument. A caller gets a ticket and comes back with it. Nobody is waited for who
is late, or whose address let a turn pass a short while ago: such a ticket keeps its position, but
free places go to those behind it. Whoever holds no ticket is behind all who are waited for.

A ticket admits one session, and is void once that has connected. Until then, or until
`CONNECTING_S` have passed, its holder may show it again: it takes over from the session that did
not connect, or has its old position if that has ended already.
"""

import itertools
import math
import secrets
from dataclasses import dataclass

from rtc_server.errors import AdmissionRefused, LineTicket, RateLimited
from rtc_server.session.places import Place, PlaceState
from rtc_server.session.session_api import Claimant

PER_SESSION, FEWEST = 4, 20
"""Tickets for each session that the server may have, and of a small server. Others are refused as
if there were no line."""
SHARE_OF_ONE = 1 / 4
"""Share of the tickets that one client may hold."""
SOONEST_S, LATEST_S = 2, 10
"""Bounds of the time after which a caller is to come back, which grows with its position: who is in
front must not leave a free place unused for long."""
LATE_S = 5.0
"""Time beyond that for which others wait for it."""
GRACE_S = 15.0
"""Time beyond that for which its ticket is kept."""
UNAWAITED_S = 300.0
"""Time for which nobody waits for an address that let a turn pass: with many tickets it would keep
a server empty."""
CONNECTING_S = 25.0
"""Time since it came in for which a caller that does not connect may come in again: a browser tries
WebRTC for 8 s, for another 10 s with the ICE servers of the answer, and then a WebSocket."""
LONGEST_LIMIT_S = 60
"""A caller that is at a limit of its own for longer has nothing to wait for."""
MEASURED_S = 5.0
"""Time after which the engines have noticed a session: it has spoken, and was answered."""
UNMEASURED = 1 / 20
"""Share of all sessions that may come in meanwhile where the engines were busy lately."""
BUSY_S = MEASURED_S / UNMEASURED
"""Time for which busy engines are remembered: meanwhile all sessions can come in one by one."""


@dataclass(slots=True)
class _Ticket:
    claimant: Claimant
    awaited_until_s: float
    """Time until which others wait for it."""
    until_s: float
    """Time at which it is void."""
    has_turn: bool = False
    """A place was free for it since it was last refused."""
    place: Place | None = None
    """Place of the session that it has opened, and that has not connected."""
    was_in: bool = False
    """True if it has opened a session since it was last refused; `until_s` is of that time."""


class WaitingLine:
    """Tickets in the order in which they were given."""

    def __init__(self, sessions: int, per_address: int) -> None:
        """`sessions`: of the whole server; `per_address`: those of one address."""
        self._most = max(FEWEST, PER_SESSION * sessions)
        self._most_of_one = min(per_address, int(self._most * SHARE_OF_ONE))
        self._gap_s = MEASURED_S / max(1.0, UNMEASURED * sessions)
        self._tickets: dict[str, _Ticket] = {}
        self._unawaited: dict[str, float] = {}
        """Addresses that let a turn pass, and until when nobody waits for them."""
        self._busy_until_s = self._entered_s = -math.inf

    def waiting(self, now_s: float) -> int:
        """Return the number of those who wait."""
        self._expire(now_s)
        return sum(ticket.place is None for ticket in self._tickets.values())

    def is_turn(self, claimant: Claimant, free: int, now_s: float) -> bool:
        """Return whether a caller may take one of so many free places."""
        waiting, own, ahead = self.waiting(now_s), self._own(claimant), 0
        # An entry that came to nothing has kept the engines busy with nothing.
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
            claimant: the caller; its ticket is None where it does not wait.
            refusal: what it would be told without a line.
            now_s: monotonic time.
            by_engines: the engines can carry no more.
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
        """Return the refusal of a caller that has as much as it may have. It keeps its position,
        and until it comes again nobody waits for it; it has left if that is of no use.
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
        if ticket.place is None:  # no refusal gives one that connects more time for that
            ticket.was_in, ticket.until_s = False, now_s + refusal.retry_after_s + GRACE_S
        line_ticket = LineTicket(name, self._position(name))
        return RateLimited(str(refusal), refusal.retry_after_s, line_ticket)

    def opened_by(self, claimant: Claimant, now_s: float) -> Place | None:
        """Return the place of the session that a caller's ticket has opened and that has not
        connected; it has to go before the ticket opens another.
        """
        self._expire(now_s)
        own = self._own(claimant)
        return self._tickets[own].place if own else None

    def enter(self, claimant: Claimant, place: Place, now_s: float) -> None:
        """Take a caller out: it has come in."""
        self._entered_s = now_s
        if name := self._own(claimant):
            ticket = self._tickets[name]
            if not ticket.was_in:
                ticket.was_in, ticket.until_s = True, now_s + CONNECTING_S
            ticket.place, ticket.has_turn = place, False

    def leave(self, place: Place, now_s: float) -> None:
        """Let a caller be in line again whose session has ended before it connected."""
        self._expire(now_s)
        for ticket in self._tickets.values():
            if ticket.place is place:
                ticket.place = None
                ticket.awaited_until_s = max(ticket.awaited_until_s, now_s + LATE_S)

    def _own(self, claimant: Claimant) -> str:
        """Return a caller's ticket if it is in line; an empty text if not.

        Tickets are a key's own. Addresses are not compared: a caller that has two of them, or
        changes from one network to another, is the same one.
        """
        ticket = self._tickets.get(claimant.ticket or "")
        if ticket is None or ticket.claimant.owner.key != claimant.owner.key:
            return ""
        return claimant.ticket or ""

    def _join(self, claimant: Claimant, now_s: float) -> str:
        """Return a new ticket; an empty text if the caller can have none."""
        if claimant.ticket is None or not claimant.may_join or len(self._tickets) >= self._most:
            return ""
        # Without address and key all the world is one client, as behind a proxy that is not named.
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

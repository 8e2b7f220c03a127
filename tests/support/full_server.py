"""Admission of a full server in virtual time, and callers who wait in its line."""

from dataclasses import replace

import pytest

from rtc_server.errors import AdmissionRefused, LineTicket
from rtc_server.session.admission import Admission, AdmissionLimits
from rtc_server.session.places import Kind, Place, PlaceState
from rtc_server.session.session_api import Claimant

ANYBODY = Claimant()
NEW = Claimant(ticket="new")


class FullServer:
    """Admission of one process; the test sets the clock."""

    def __init__(self, sessions: int = 2, address_sessions: int = 10) -> None:
        self.admission = Admission(AdmissionLimits(sessions, address_sessions))
        self.now_s = 0.0
        self.busy_s = 0

    def enter(self, claimant: Claimant) -> Place:
        place = self.admission.admit(
            Kind.SESSION, claimant, self.now_s, self.now_s, busy_s=self.busy_s
        )
        place.state = PlaceState.CONNECTED
        return place

    def line(self, claimant: Claimant) -> LineTicket:
        """Return the place in line of a caller that is refused."""
        refusal = self.refusal(claimant)
        assert refusal.line_ticket is not None
        return refusal.line_ticket

    def refusal(self, claimant: Claimant) -> AdmissionRefused:
        with pytest.raises(AdmissionRefused) as refused:
            self.enter(claimant)
        return refused.value

    def may_enter(self, claimant: Claimant) -> bool:
        """Ask beforehand, as a GET does; return whether it is the caller's turn."""
        try:
            self.admission.check(Kind.SESSION, claimant, self.now_s, self.now_s, busy_s=self.busy_s)
        except AdmissionRefused:
            return False
        return True

    def connecting(self, claimant: Claimant) -> Place:
        """Let a caller in that has not connected yet."""
        place = self.enter(claimant)
        place.state = PlaceState.CONNECTING
        return place

    def end(self, place: Place) -> None:
        place.end(self.now_s, self.now_s)


def back(line_ticket: LineTicket, claimant: Claimant = ANYBODY) -> Claimant:
    """Return a caller that comes back with its ticket."""
    return replace(claimant, ticket=line_ticket.ticket)


def two_before_a_free_place() -> tuple[FullServer, LineTicket, LineTicket]:
    """Return a server whose only place was just left, and the tickets of two who wait for it."""
    server = FullServer(sessions=1)
    place = server.enter(ANYBODY)
    first, second = server.line(NEW), server.line(NEW)
    server.end(place)
    return server, first, second

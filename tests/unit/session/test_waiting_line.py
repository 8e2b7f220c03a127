"""Line before a full server: turns are kept, nobody overtakes, and who stays away has left."""

import asyncio
from dataclasses import replace

import pytest

from rtc_server.errors import AdmissionRefused, LinePlace, RateLimited
from rtc_server.session.admission import Admission, AdmissionLimits
from rtc_server.session.places import Kind, Place, PlaceState
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant, Owner
from rtc_server.session.waiting_line import GRACE_S, LATEST_S, MOST_TICKETS, SOONEST_S

ANYBODY = Claimant()
NEW = Claimant(ticket="new")


class Server:
    """Admission of one process, its clock in the test's hand."""

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

    def line(self, claimant: Claimant) -> LinePlace:
        """Return the place in line of a caller that is refused."""
        refusal = self.refusal(claimant)
        assert refusal.line_place is not None
        return refusal.line_place

    def refusal(self, claimant: Claimant) -> AdmissionRefused:
        with pytest.raises(AdmissionRefused) as refused:
            self.enter(claimant)
        return refused.value

    def end(self, place: Place) -> None:
        place.end(self.now_s, self.now_s)


def back(place: LinePlace, claimant: Claimant = ANYBODY) -> Claimant:
    """Return a caller that comes back with its ticket."""
    return replace(claimant, ticket=place.ticket)


def test_callers_come_in_in_the_order_in_which_they_came() -> None:
    server = Server(sessions=1)
    place = server.enter(ANYBODY)
    first, second = server.line(NEW), server.line(NEW)
    assert (first.position, second.position) == (1, 2)
    assert server.line(back(first)) == first
    server.end(place)
    assert server.line(back(second)) == second
    assert server.refusal(ANYBODY).line_place is None, "who does not wait is behind all who do"
    third = server.line(NEW)
    assert third.position == 3
    entered = server.enter(back(first))
    assert server.line(back(second)).position == 1
    server.end(entered)
    server.end(server.enter(back(second)))
    server.end(server.enter(back(third)))
    server.enter(ANYBODY)


def test_as_many_come_in_at_once_as_there_are_places() -> None:
    server = Server(sessions=3)
    places = [server.enter(ANYBODY) for _ in range(3)]
    one, two, three = (server.line(NEW) for _ in range(3))
    for place in places[:2]:
        server.end(place)
    assert server.line(back(three)).position == 3
    server.enter(back(two))
    server.enter(back(one))
    assert server.line(back(three)).position == 1


def test_who_does_not_come_back_has_left() -> None:
    server = Server(sessions=1)
    place = server.enter(ANYBODY)
    gone, there = server.line(NEW), server.line(NEW)
    retry_s = server.refusal(back(there)).retry_after_s
    server.now_s = LATEST_S + GRACE_S - 1
    server.line(back(there))
    server.end(place)
    server.now_s = LATEST_S + GRACE_S + retry_s
    assert server.line(replace(ANYBODY, ticket=gone.ticket)).ticket != gone.ticket
    server.enter(back(there))


def test_retry_after_follows_the_place_and_is_bounded() -> None:
    server = Server(sessions=1)
    place = server.enter(ANYBODY)
    for _ in range(2):  # a session ends each 3 s
        server.now_s += 3.0
        server.end(place)
        place = server.enter(ANYBODY)
    waits_s = [server.refusal(NEW).retry_after_s for _ in range(6)]
    assert waits_s == sorted(waits_s)
    assert min(waits_s) >= SOONEST_S
    assert max(waits_s) == LATEST_S
    assert server.refusal(ANYBODY).retry_after_s < 60


def test_the_line_is_bounded_in_all_and_for_each_address() -> None:
    server = Server(sessions=1, address_sessions=2)
    server.enter(ANYBODY)
    near = Claimant(source="192.0.2.1", ticket="new")
    held = [server.line(near), server.line(near)]
    assert server.refusal(near).line_place is None
    assert server.line(replace(near, ticket=held[0].ticket)) == held[0]
    for number in range(MOST_TICKETS - 2):
        server.line(Claimant(source=f"2001:db8::{number:x}", ticket="new"))
    assert server.refusal(Claimant(source="192.0.2.2", ticket="new")).line_place is None


def test_while_the_engines_are_busy_callers_wait_and_come_in_one_after_the_other() -> None:
    server = Server(sessions=50)
    server.busy_s = 8
    first, second = server.line(NEW), server.line(NEW)
    server.busy_s = 0
    assert server.line(back(second)) == second
    assert "Others wait" in str(server.refusal(ANYBODY))
    server.enter(back(first))
    server.enter(back(second))
    server.enter(ANYBODY)


def test_whoever_may_have_no_more_holds_up_nobody() -> None:
    server = Server(sessions=2)
    one = Claimant(Owner("key"), KeyLimits(sessions=1))
    places = [server.enter(one), server.enter(ANYBODY)]
    greedy, other = server.line(replace(one, ticket="new")), server.line(NEW)
    server.end(places[1])
    with pytest.raises(RateLimited):
        server.enter(back(greedy, one))
    server.enter(back(other))


def test_being_asked_beforehand_keeps_the_turn() -> None:
    server = Server(sessions=1)
    place = server.enter(ANYBODY)
    with pytest.raises(AdmissionRefused) as refused:
        server.admission.check(Kind.SESSION, NEW, 0.0, 0.0)
    first = refused.value.line_place
    assert first is not None
    assert server.line(NEW).position == 2
    server.end(place)
    server.admission.check(Kind.SESSION, back(first), 0.0, 0.0)
    server.enter(back(first))


def test_a_session_of_ones_own_that_is_lost_makes_room_before_the_line() -> None:
    server = Server(sessions=1)
    owner = Claimant(Owner("key", "secret"))
    server.enter(owner).state = PlaceState.LOST
    server.line(NEW)
    server.enter(owner)


async def test_places_of_rooms_have_no_line() -> None:
    server = Server(sessions=1)
    server.enter(ANYBODY)
    server.line(NEW)
    now_s = asyncio.get_running_loop().time()
    await server.admission.claim(Kind.LISTENER, ANYBODY, now_s, now_s)
    await server.admission.claim(Kind.SPEAKER, ANYBODY, now_s, now_s)

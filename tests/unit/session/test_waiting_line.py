"""Line before a full server: turns are kept, nobody overtakes, and who stays away has left."""

import asyncio
import itertools
from dataclasses import replace

import pytest

from rtc_server.errors import AdmissionRefused, LineTicket, RateLimited
from rtc_server.session.admission import Admission, AdmissionLimits
from rtc_server.session.places import Kind, Place, PlaceState
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant, Owner
from rtc_server.session.waiting_line import (
    BUSY_S,
    CONNECTING_S,
    GRACE_S,
    LATE_S,
    LATEST_S,
    MEASURED_S,
    PER_SESSION,
    SHARE_OF_ONE,
    SOONEST_S,
    UNAWAITED_S,
)

ANYBODY = Claimant()
NEW = Claimant(ticket="new")


class FullServer:
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
    """A server of one place, which was just left, and the tickets of those who wait for it."""
    server = FullServer(sessions=1)
    place = server.enter(ANYBODY)
    first, second = server.line(NEW), server.line(NEW)
    server.end(place)
    return server, first, second


def test_callers_come_in_in_the_order_in_which_they_came() -> None:
    server = FullServer(sessions=1)
    place = server.enter(ANYBODY)
    first, second = server.line(NEW), server.line(NEW)
    assert (first.position, second.position) == (1, 2)
    assert server.line(back(first)) == first
    server.end(place)
    assert server.line(back(second)) == second
    assert server.refusal(ANYBODY).line_ticket is None, "who does not wait is behind all who do"
    third = server.line(NEW)
    assert third.position == 3
    entered = server.enter(back(first))
    assert server.line(back(second)).position == 1
    server.end(entered)
    server.end(server.enter(back(second)))
    server.end(server.enter(back(third)))
    server.enter(ANYBODY)


def test_as_many_come_in_at_once_as_there_are_places() -> None:
    server = FullServer(sessions=3)
    places = [server.enter(ANYBODY) for _ in range(3)]
    one, two, three = (server.line(NEW) for _ in range(3))
    for place in places[:2]:
        server.end(place)
    assert server.line(back(three)).position == 3
    server.enter(back(two))
    server.enter(back(one))
    assert server.line(back(three)).position == 1


def test_who_does_not_come_back_has_left() -> None:
    server = FullServer(sessions=1)
    place = server.enter(ANYBODY)
    gone, there = server.line(NEW), server.line(NEW)
    server.now_s = SOONEST_S + GRACE_S - 1
    assert server.line(back(there)).position == 2
    server.end(place)
    server.now_s = SOONEST_S + GRACE_S
    assert server.line(back(gone)).ticket != gone.ticket
    server.enter(back(there))


def test_who_is_in_front_comes_back_sooner() -> None:
    server = FullServer(sessions=1)
    server.enter(ANYBODY)
    waits_s = [server.refusal(NEW).retry_after_s for _ in range(7)]
    assert waits_s == sorted(waits_s)
    assert (waits_s[0], waits_s[-1]) == (SOONEST_S, LATEST_S)


def test_the_line_is_bounded_in_all_and_for_each_address() -> None:
    server = FullServer(sessions=10, address_sessions=40)
    for _ in range(10):
        server.enter(ANYBODY)
    near = Claimant(source="192.0.2.1", ticket="new")
    held = [server.line(near) for _ in range(int(10 * PER_SESSION * SHARE_OF_ONE))]
    assert server.refusal(near).line_ticket is None
    assert server.line(back(held[0], near)) == held[0]
    for number in range(10 * PER_SESSION - len(held)):
        server.line(Claimant(source=f"2001:db8::{number:x}", ticket="new"))
    assert server.refusal(Claimant(source="192.0.2.2", ticket="new")).line_ticket is None


def test_one_address_waits_with_no_more_than_it_may_have() -> None:
    server = FullServer(sessions=10, address_sessions=2)
    for _ in range(10):
        server.enter(ANYBODY)
    near = Claimant(source="192.0.2.1", ticket="new")
    server.line(near)
    server.line(near)
    assert server.refusal(near).line_ticket is None


def test_callers_without_address_and_key_are_not_counted_as_one() -> None:
    server = FullServer(sessions=2)
    for _ in range(2):
        server.enter(ANYBODY)
    assert [server.line(NEW).position for _ in range(12)] == list(range(1, 13))


def test_while_the_engines_are_busy_callers_wait_and_come_in_one_after_the_other() -> None:
    server = FullServer(sessions=50)
    server.busy_s = 8
    coming = [server.line(NEW) for _ in range(41)]
    server.busy_s = 0
    assert server.line(back(coming[1])) == coming[1]
    assert "Others wait" in str(server.refusal(ANYBODY))
    entered_s = []
    for number, each in enumerate(coming[:40]):
        while not server.may_enter(back(each)):
            server.now_s += 0.5
            for other in coming[number:]:
                server.may_enter(back(other))
        server.enter(back(each))
        entered_s.append(server.now_s)
    gaps_s = [later_s - s for s, later_s in itertools.pairwise(entered_s)]
    assert min(gaps_s) >= MEASURED_S * 20 / 50


def test_engines_that_were_busy_before_the_line_say_nothing_of_it() -> None:
    server = FullServer(sessions=3)
    places = [server.enter(ANYBODY) for _ in range(3)]
    server.busy_s = 8
    server.refusal(ANYBODY)
    server.busy_s = 0
    server.now_s = BUSY_S
    coming = [server.line(NEW) for _ in range(3)]
    for place in places:
        server.end(place)
    for each in coming:
        server.enter(back(each))


def test_without_a_line_engines_that_were_busy_keep_nobody_waiting() -> None:
    server = FullServer(sessions=3)
    server.busy_s = 8
    server.refusal(ANYBODY)
    server.busy_s = 0
    for _ in range(3):
        server.enter(ANYBODY)


def test_nobody_is_waited_for_who_is_late() -> None:
    server = FullServer(sessions=1)
    place = server.enter(ANYBODY)
    late, there = server.line(NEW), server.line(NEW)
    server.end(place)
    assert not server.may_enter(back(there))
    server.now_s = SOONEST_S + LATE_S
    place = server.enter(back(there))
    assert server.line(back(late)) == late, "it keeps its place in line"
    server.end(place)
    assert not server.may_enter(ANYBODY)
    server.enter(back(late))


@pytest.mark.parametrize("sessions", [1, 50])
@pytest.mark.parametrize("busy_s", [0, 8])
def test_an_address_that_takes_no_turn_holds_up_one(sessions: int, busy_s: int) -> None:
    """The address has all the tickets that it can get, and renews all but the one in front."""
    server = FullServer(sessions, address_sessions=0)
    places = [server.enter(Claimant(source=f"10.0.0.{n}")) for n in range(sessions)]
    idle = Claimant(source="192.0.2.66", ticket="new")
    server.busy_s = busy_s
    held = [server.line(idle) for _ in range(server.admission.limits.per_address)]
    server.busy_s = 0
    server.end(places[0])
    victim = Claimant(source="198.51.100.1", ticket="new")
    while True:
        for each in held[1:]:
            server.may_enter(back(each, idle))
        if server.may_enter(victim):
            break
        victim = back(server.line(victim), victim)
        server.now_s += 1.0
    server.enter(victim)
    assert server.now_s <= LATEST_S + LATE_S + 1


def test_many_addresses_that_take_no_turn_do_not_keep_a_server_empty() -> None:
    """Many fill the line, and come only to ask."""
    server = FullServer(sessions=50, address_sessions=0)
    places = [server.enter(Claimant(source=f"10.0.0.{n}")) for n in range(50)]
    idle = [Claimant(source=f"2001:db8:0:{n:x}::", ticket="new") for n in range(40)]
    held: list[tuple[LineTicket, Claimant]] = []
    for each in idle:
        while (waits := server.refusal(each).line_ticket) is not None:
            held.append((waits, each))
    assert len(held) == 50 * PER_SESSION
    for place in places:
        server.end(place)
    while not server.may_enter(Claimant(source="198.51.100.1")):
        for waiting, each in held:
            server.may_enter(back(waiting, each))
        server.now_s += 1.0
        assert server.now_s < 4 * (LATEST_S + LATE_S)


def test_a_turn_that_ended_by_a_refusal_is_none_that_was_let_pass() -> None:
    server = FullServer(sessions=1)
    place = server.enter(ANYBODY)
    near = Claimant(source="192.0.2.66")
    waits = server.line(replace(near, ticket="new"))
    server.end(place)
    assert not server.may_enter(ANYBODY), "it has its turn"
    server.busy_s = 8
    server.line(back(waits, near))
    server.now_s = LATEST_S + LATE_S
    server.line(back(waits, near))
    server.busy_s = 0
    server.now_s += 1.0
    assert not server.may_enter(ANYBODY)


def test_a_turn_that_ended_by_a_limit_is_none_that_was_let_pass() -> None:
    server = FullServer(sessions=6)
    places = [server.enter(ANYBODY) for _ in range(6)]
    near = Claimant(source="192.0.2.66")
    waits = server.line(replace(near, ticket="new"))
    server.end(places[0])
    assert not server.may_enter(ANYBODY), "it has its turn"
    for place in places[1:5]:
        server.end(place)
    calls = [server.admission.admit(Kind.SESSION, near, 0.0, 0.0) for _ in range(4)]
    with pytest.raises(RateLimited) as refused:
        server.admission.check(Kind.SESSION, back(waits, near), 0.0, 0.0)
    assert refused.value.line_ticket == waits
    places = [server.enter(ANYBODY)]
    for call in calls:
        call.state = PlaceState.CONNECTED
    server.line(back(waits, near))
    server.end(places[0])
    assert not server.may_enter(ANYBODY)


def test_an_address_is_waited_for_again_after_a_while() -> None:
    server = FullServer(sessions=1)
    place = server.enter(ANYBODY)
    near = Claimant(source="192.0.2.66", ticket="new")
    server.line(near)
    server.end(place)
    assert not server.may_enter(ANYBODY)
    server.now_s = SOONEST_S + LATE_S
    place = server.enter(ANYBODY)
    server.line(near)
    server.end(place)
    assert server.may_enter(ANYBODY)
    server.now_s += UNAWAITED_S
    place = server.enter(ANYBODY)
    server.line(near)
    server.end(place)
    assert not server.may_enter(ANYBODY)


def test_whoever_may_have_no_more_holds_up_nobody_and_keeps_its_place() -> None:
    server = FullServer(sessions=2)
    one = Claimant(Owner("key"), KeyLimits(sessions=1))
    places = [server.enter(one), server.enter(ANYBODY)]
    greedy, other = server.line(replace(one, ticket="new")), server.line(NEW)
    server.end(places[1])
    refusal = server.refusal(back(greedy, one))
    assert isinstance(refusal, RateLimited)
    assert refusal.line_ticket == greedy
    server.enter(back(other))
    last = server.line(NEW)
    assert server.line(back(greedy, one)) == greedy
    server.end(places[0])
    assert server.line(back(last)).position == 2
    server.enter(back(greedy, one))


def test_calls_of_an_address_that_still_connect_do_not_cost_the_next_its_turn() -> None:
    server = FullServer(sessions=6, address_sessions=6)
    places = [server.enter(ANYBODY) for _ in range(6)]
    near = Claimant(source="192.0.2.1")
    office = [server.line(replace(near, ticket="new")) for _ in range(5)]
    other = server.line(NEW)
    for place in places[:5]:
        server.end(place)
    calls = [
        server.admission.admit(Kind.SESSION, back(each, near), 0.0, 0.0) for each in office[:4]
    ]
    refusal = server.refusal(back(office[4], near))
    assert isinstance(refusal, RateLimited)
    assert refusal.line_ticket == LineTicket(office[4].ticket, 1)
    place = server.enter(back(other))
    calls[0].state = PlaceState.CONNECTED
    assert server.line(back(office[4], near)).position == 1
    server.end(place)
    server.enter(back(office[4], near))


def test_whoever_has_used_up_its_minutes_has_left() -> None:
    server = FullServer(sessions=2)
    used = Claimant(Owner("key"), KeyLimits(minutes_a_day=1))
    places = [server.enter(used), server.enter(ANYBODY)]
    server.now_s = 59.0
    spent = server.line(replace(used, ticket="new"))
    server.now_s = 61.0
    server.end(places[0])
    server.end(places[1])
    assert server.refusal(back(spent, used)).line_ticket is None
    assert server.admission.waiting(server.now_s) == 0


def test_a_ticket_is_of_the_key_that_got_it() -> None:
    server = FullServer(sessions=1)
    place = server.enter(ANYBODY)
    one, other = Claimant(Owner("one", "a"), source="192.0.2.1"), Claimant(Owner("other", "a"))
    ticket = server.line(replace(one, ticket="new"))
    server.end(place)
    assert server.line(back(ticket, other)).position == 2
    server.enter(back(ticket, Claimant(Owner("one", "b"), source="2001:db8::")))


def test_whoever_cannot_read_a_refusal_gets_no_ticket_but_may_use_one() -> None:
    server = FullServer(sessions=1)
    place = server.enter(ANYBODY)
    blind = Claimant(may_join=False)
    assert server.refusal(replace(blind, ticket="new")).line_ticket is None
    ticket = server.line(NEW)
    assert ticket.position == 1
    assert server.line(back(ticket, blind)) == ticket
    server.end(place)
    server.enter(back(ticket, blind))


def test_being_asked_beforehand_keeps_the_turn() -> None:
    server = FullServer(sessions=1)
    place = server.enter(ANYBODY)
    with pytest.raises(AdmissionRefused) as refused:
        server.admission.check(Kind.SESSION, NEW, 0.0, 0.0)
    first = refused.value.line_ticket
    assert first is not None
    assert server.line(NEW).position == 2
    server.end(place)
    server.admission.check(Kind.SESSION, back(first), 0.0, 0.0)
    server.enter(back(first))


def test_a_session_of_ones_own_that_is_lost_makes_room_before_the_line() -> None:
    server = FullServer(sessions=1)
    owner = Claimant(Owner("key", "secret"))
    server.enter(owner).state = PlaceState.LOST
    server.line(NEW)
    server.enter(owner)


def test_a_session_that_ended_before_it_connected_leaves_its_caller_its_turn() -> None:
    server, first, second = two_before_a_free_place()
    failed = server.connecting(back(first))
    assert server.line(back(second)).position == 1, "who is in does not wait"
    assert server.admission.waiting(server.now_s) == 1
    server.now_s = 10.0
    server.line(back(second))
    server.end(failed)
    assert server.line(back(second)).position == 2
    assert not server.may_enter(ANYBODY)
    again = server.enter(back(first))
    server.end(again)
    assert server.line(back(first)).ticket != first.ticket, "it has connected"


def test_a_ticket_never_holds_two_sessions() -> None:
    server = FullServer(sessions=3)
    places = [server.enter(ANYBODY) for _ in range(3)]
    first = server.line(NEW)
    for place in places:
        server.end(place)
    ended: list[str] = []
    one = server.connecting(back(first))
    one.give_up = lambda: ended.append("one")
    two = server.connecting(back(first))
    two.give_up = lambda: ended.append("two")
    assert ended == ["one"]
    two.state = PlaceState.CONNECTED
    three = server.enter(back(first))
    assert ended == ["one"], "its ticket is void: this is any other caller"
    for place in (two, three):
        server.end(place)
    full = [server.enter(ANYBODY) for _ in range(3)]
    assert server.line(back(first)).ticket != first.ticket
    assert len(full) == 3


def test_busy_engines_keep_no_caller_out_that_they_have_let_in() -> None:
    server, first, _ = two_before_a_free_place()
    server.connecting(back(first))
    server.busy_s = 8
    replaced = server.connecting(back(first))
    server.line(NEW)
    server.busy_s = 0
    server.end(replaced)
    server.enter(back(first))


def test_a_session_that_does_not_connect_keeps_its_turn_for_a_while_only() -> None:
    server, first, second = two_before_a_free_place()
    while server.now_s < CONNECTING_S:
        place = server.connecting(back(first))
        server.line(back(second))
        server.now_s += 1.0
        server.end(place)
    assert server.line(back(first)).position == 2
    server.enter(back(second))


def test_nobody_waits_long_for_a_session_that_ended_before_it_connected() -> None:
    server, first, second = two_before_a_free_place()
    server.now_s = SOONEST_S
    server.line(back(second))
    server.end(server.connecting(back(first)))
    assert server.line(back(second)).position == 2
    server.now_s += LATE_S
    server.enter(back(second))


def test_a_ticket_that_is_in_is_of_the_key_that_got_it() -> None:
    server = FullServer(sessions=1)
    place = server.enter(ANYBODY)
    one, other = Claimant(Owner("one")), Claimant(Owner("other"))
    ticket = server.line(replace(one, ticket="new"))
    server.end(place)
    held = server.connecting(back(ticket, one))
    assert server.line(back(ticket, other)).ticket != ticket.ticket
    assert held.state is PlaceState.CONNECTING
    server.enter(back(ticket, one))


def test_an_address_that_is_at_its_limit_takes_no_turn_of_another() -> None:
    server = FullServer(sessions=6, address_sessions=2)
    near, far = Claimant(source="192.0.2.1"), Claimant(source="192.0.2.2")
    places = [server.enter(ANYBODY) for _ in range(4)]
    places += [server.enter(near) for _ in range(2)]
    ticket = server.line(replace(far, ticket="new"))
    server.end(places[0])
    server.connecting(back(ticket, far))
    assert isinstance(server.refusal(back(ticket, near)), RateLimited)
    server.enter(back(ticket, far))


async def test_places_of_rooms_have_no_line() -> None:
    server = FullServer(sessions=1)
    server.enter(ANYBODY)
    waits = server.line(NEW)
    now_s = asyncio.get_running_loop().time()
    await server.admission.claim(Kind.LISTENER, ANYBODY, now_s, now_s)
    await server.admission.claim(Kind.SPEAKER, back(waits), now_s, now_s)
    assert server.line(back(waits)) == waits


def test_a_refusal_gives_a_caller_that_connects_no_more_time() -> None:
    server = FullServer(sessions=6)
    places = [server.enter(ANYBODY) for _ in range(6)]
    first = server.line(NEW)
    for place in places[1:]:
        server.end(place)
    server.connecting(back(first))
    near = Claimant(source="192.0.2.1")
    for _ in range(4):
        server.connecting(near)
    server.now_s = CONNECTING_S - 1
    assert isinstance(server.refusal(back(first, near)), RateLimited)
    server.now_s = CONNECTING_S
    assert server.line(back(first)).ticket != first.ticket


def test_a_caller_that_was_refused_again_has_its_whole_time_to_connect() -> None:
    server = FullServer(sessions=1)
    place = server.enter(ANYBODY)
    first = server.line(NEW)
    server.end(place)
    failed = server.connecting(back(first))
    server.end(failed)
    server.busy_s = 8
    server.line(back(first))
    server.busy_s = 0
    server.now_s = 10.0
    server.connecting(back(first))
    server.now_s += CONNECTING_S - 1
    server.enter(back(first))


def test_a_turn_that_was_taken_is_none_that_was_let_pass() -> None:
    server = FullServer(sessions=1)
    place = server.enter(ANYBODY)
    near = Claimant(source="192.0.2.66")
    first = server.line(replace(near, ticket="new"))
    server.end(place)
    assert not server.may_enter(ANYBODY), "it has its turn"
    failed = server.connecting(back(first, near))
    server.now_s = SOONEST_S + LATE_S + 1
    server.refusal(ANYBODY)
    server.end(failed)
    assert not server.may_enter(ANYBODY)


def test_a_caller_that_met_a_limit_again_has_its_whole_time_to_connect() -> None:
    server = FullServer(sessions=6)
    places = [server.enter(ANYBODY) for _ in range(6)]
    first = server.line(NEW)
    for place in places[1:]:
        server.end(place)
    server.end(server.connecting(back(first)))
    near = Claimant(source="192.0.2.1")
    for _ in range(4):
        server.connecting(near)
    assert isinstance(server.refusal(back(first, near)), RateLimited)
    server.now_s = 10.0
    server.connecting(back(first))
    server.now_s += CONNECTING_S - 1
    server.enter(back(first))

"""Callers whose turn came and who have not connected yet: the turn, its ticket and its time."""

from dataclasses import replace

from rtc_server.errors import RateLimited
from rtc_server.session.places import PlaceState
from rtc_server.session.session_api import Claimant, Owner
from rtc_server.session.waiting_line import (
    CONNECTING_S,
    LATE_S,
    SOONEST_S,
)
from tests.support.full_server import ANYBODY, NEW, FullServer, back, two_before_a_free_place


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

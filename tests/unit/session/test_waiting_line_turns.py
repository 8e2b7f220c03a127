"""Turns in the line: a caller who lets one pass, or is at a limit, keeps nobody waiting."""

from dataclasses import replace

import pytest

from rtc_server.errors import LineTicket, RateLimited
from rtc_server.session.places import Kind, PlaceState
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant, Owner
from rtc_server.session.waiting_line import (
    LATE_S,
    LATEST_S,
    PER_SESSION,
    SOONEST_S,
    UNAWAITED_S,
)
from tests.support.full_server import ANYBODY, NEW, FullServer, back


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


@pytest.mark.unmeasured
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

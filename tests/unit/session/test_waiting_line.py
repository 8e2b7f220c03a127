"""Line before a full server: order, bounds and tickets."""

import asyncio
from dataclasses import replace

import pytest

from rtc_server.errors import AdmissionRefused
from rtc_server.session.places import Kind, PlaceState
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant, Owner
from rtc_server.session.waiting_line import (
    GRACE_S,
    LATEST_S,
    PER_SESSION,
    SHARE_OF_ONE,
    SOONEST_S,
)
from tests.support.full_server import ANYBODY, NEW, FullServer, back


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


async def test_places_of_rooms_have_no_line() -> None:
    server = FullServer(sessions=1)
    server.enter(ANYBODY)
    waits = server.line(NEW)
    now_s = asyncio.get_running_loop().time()
    await server.admission.claim(Kind.LISTENER, ANYBODY, now_s, now_s)
    await server.admission.claim(Kind.SPEAKER, back(waits), now_s, now_s)
    assert server.line(back(waits)) == waits

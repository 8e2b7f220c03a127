"""Line before busy engines: callers come in one after the other."""

import itertools

from rtc_server.session.waiting_line import (
    BUSY_S,
    MEASURED_S,
)
from tests.support.full_server import ANYBODY, NEW, FullServer, back, two_before_a_free_place


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


def test_busy_engines_keep_no_caller_out_that_they_have_let_in() -> None:
    server, first, _ = two_before_a_free_place()
    server.connecting(back(first))
    server.busy_s = 8
    replaced = server.connecting(back(first))
    server.line(NEW)
    server.busy_s = 0
    server.end(replaced)
    server.enter(back(first))

"""Rules of reading at the tick: when to look for datagrams."""

import pytest

from rtc_server.transport.datagram_reader import (
    AHEAD_S,
    CROWD_PER_S,
    CROWD_PERIOD_S,
    MANY_PER_S,
    PERIOD_S,
    ReadPacing,
)


def pace(per_s: float, seconds: float = 1.0) -> tuple[ReadPacing, float]:
    """Return pacing that has found that many datagrams a second, one at a time, and the time."""
    pacing, now_s = ReadPacing(), 100.0
    for _ in range(round(per_s * seconds)):
        now_s += 1 / per_s
        pacing.found(1, now_s)
    return pacing, now_s


def test_the_packets_of_a_few_calls_are_never_waited_with() -> None:
    for calls in range(1, 6):
        pacing, now_s = pace(50 * calls)
        assert pacing.next_look_s(now_s) is None


@pytest.mark.parametrize("into_s", [0.0, 0.005, 0.0185])
def test_the_packets_of_many_calls_are_looked_for_just_before_each_tick(into_s: float) -> None:
    pacing, _ = pace(MANY_PER_S * 2)
    tick_s = 5000 * PERIOD_S
    expected_s = tick_s + (PERIOD_S if into_s < PERIOD_S - 2 * AHEAD_S else 2 * PERIOD_S) - AHEAD_S
    look_s = pacing.next_look_s(tick_s + into_s)
    assert look_s == pytest.approx(expected_s)
    assert pacing.next_look_s(expected_s) == pytest.approx(expected_s + PERIOD_S)


def test_those_of_a_crowd_are_looked_for_more_often() -> None:
    pacing, now_s = pace(CROWD_PER_S * 0.9)
    assert not pacing.is_crowded
    pacing, now_s = pace(CROWD_PER_S * 1.1)
    assert pacing.is_crowded
    look_s = pacing.next_look_s(now_s)
    assert look_s is not None
    assert pacing.next_look_s(look_s) == pytest.approx(look_s + CROWD_PERIOD_S)


def test_looking_seldom_makes_it_no_less_busy() -> None:
    pacing, now_s = pace(MANY_PER_S * 2)
    for _ in range(100):
        now_s += PERIOD_S
        pacing.found(round(MANY_PER_S * 2 * PERIOD_S), now_s)
        assert pacing.next_look_s(now_s) is not None


def test_when_most_have_hung_up_it_is_no_longer_busy() -> None:
    pacing, now_s = pace(1000)
    for _ in range(25):
        now_s += PERIOD_S
        pacing.found(1, now_s)
    assert pacing.next_look_s(now_s) is None


def test_after_a_silence_the_first_packet_is_not_waited_with() -> None:
    pacing, now_s = pace(1000)
    pacing.found(1, now_s + 60)
    assert pacing.next_look_s(now_s + 60) is None

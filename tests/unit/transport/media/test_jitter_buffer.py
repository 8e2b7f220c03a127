"""The jitter buffer's rules, in virtual time. Nothing is decoded: payloads carry numbers."""

import random

import pytest

from rtc_server.transport.media import jitter_buffer
from rtc_server.transport.media.jitter_buffer import Gap, JitterBuffer, Play
from tests.support.netem import Link, Path
from tests.support.packet_scripts import (
    Arrival,
    Stepped,
    delays_ms,
    dummy,
    gaps,
    played,
    rtp,
    run_buffer,
    steady,
    stream,
    through,
    total_ms,
)


def test_in_order_each_packet_is_played_the_moment_it_arrives() -> None:
    buffer = JitterBuffer()
    steps = list(run_buffer(buffer, stream(500), 10.0))
    assert played(steps) == list(range(500))
    assert max(map(abs, delays_ms(steps))) < 1e-6
    assert buffer.counters.packets_received == buffer.counters.packets_expected == 500
    assert buffer.counters.packets_lost == 0


def test_jitter_that_keeps_order_delays_nothing_further() -> None:
    arrivals = through(Link(Path(delay_ms=30, jitter_ms=50), 1), stream(500))
    steps = list(run_buffer(JitterBuffer(), arrivals))
    assert [each.at_s for each in steps] == [each.at_s for each in arrivals]


def test_sequence_and_timestamp_wrap() -> None:
    steps = list(run_buffer(JitterBuffer(), stream(500, sequence=65_400, timestamp=2**32 - 9_600)))
    assert played(steps) == list(range(500))
    assert not gaps(steps)


def test_wrap_inside_a_hole_and_among_reordered_packets() -> None:
    arrivals = stream(20, sequence=65_530, timestamp=2**32 - 5 * 960)
    del arrivals[4:7]
    steps = list(run_buffer(JitterBuffer(), arrivals))
    assert played(steps) == [0, 1, 2, 3, *range(7, 20)]
    assert total_ms(steps) == 400


def test_duplicates_are_played_once() -> None:
    buffer = JitterBuffer()
    arrivals = [arrival for each in stream(50) for arrival in (each, each, each)]
    assert played(run_buffer(buffer, arrivals)) == list(range(50))
    assert buffer.counters.packets_duplicate == 100
    assert buffer.counters.packets_received == 50


def test_a_lost_packet_is_filled_at_once_and_offered_its_successor() -> None:
    arrivals = stream(10)
    del arrivals[4]
    steps = list(run_buffer(JitterBuffer(), arrivals))
    assert steps[4] == Stepped(0.1, Gap(960, False, dummy(5)))
    assert steps[5].at_s == 0.1
    assert total_ms(steps) == 200


def test_of_several_lost_only_the_last_is_offered_the_successor() -> None:
    arrivals = stream(12)
    del arrivals[4:7]
    filled = gaps(run_buffer(JitterBuffer(), arrivals))
    assert filled == [Gap(960, False, None)] * 2 + [Gap(960, False, dummy(7))]


@pytest.mark.parametrize("burst", [1.0, 4.0])
@pytest.mark.parametrize("loss", [0.01, 0.05, 0.1, 0.2, 0.3])
@pytest.mark.unmeasured
def test_loss_leaves_no_slot_without_a_step_and_adds_no_delay(loss: float, burst: float) -> None:
    for seed in range(5):
        buffer = JitterBuffer()
        arrivals = through(Link(Path(loss=loss, loss_burst=burst), seed), stream(3000))
        first = int(arrivals[0].at_s / 0.02 + 0.5)
        steps = list(run_buffer(buffer, arrivals))
        assert len(played(steps)) == len(arrivals)
        last = int(arrivals[-1].at_s / 0.02 + 0.5)
        assert total_ms(steps) == 20 * (last + 1 - first)
        # A slot is late by its own loss alone: the packet after a run of loss comes on time.
        on_time = [each for each in steps if isinstance(each.step, Play)]
        assert [each.at_s for each in on_time] == [each.at_s for each in arrivals]
        # What a long burst holds up is filled after the stall margin, on a tick.
        late = [delay - arrivals[0].at_s * 1000 for delay in delays_ms(steps)]
        assert max(late) <= 1000 * jitter_buffer.STALL_MARGIN_S + 20 + 1e-6
        assert buffer.counters.packets_lost == last + 1 - first - len(arrivals)
        assert buffer.target_s(60.0) == 0


def test_the_target_rises_where_packets_come_late_and_returns_to_nothing() -> None:
    rng = random.Random(5)
    arrivals = [
        Arrival(i * 0.02 + (rng.uniform(0, 0.12) if 500 <= i < 1500 else 0), rtp(i, dummy(i)))
        for i in range(3000)
    ]
    arrivals.sort(key=lambda each: each.at_s)
    buffer, targets, late = JitterBuffer(), {}, {}
    steps = []
    for step in run_buffer(buffer, arrivals):
        steps.append(step)
        second = int(step.at_s)
        targets[second] = buffer.target_s(step.at_s)
        late[second] = buffer.counters.packets_late
    assert targets[9] == 0
    assert 0.08 < targets[20] <= 0.13
    assert late[29] - late[12] <= 5, "once learnt, hardly any packet comes too late"
    assert targets[45] == 0
    settled = [delay for step, delay in zip(steps, delays_ms(steps), strict=True) if step.at_s > 45]
    # The few packets played in spite of their filled slot are all that is left of it.
    assert max(map(abs, settled)) <= 20 * late[29]
    assert buffer.counters.packets_reordered > 100


def test_the_target_is_bounded() -> None:
    arrivals = stream(100)
    arrivals[20:80:10] = [Arrival(each.at_s + 0.5, each.data) for each in arrivals[20:80:10]]
    buffer = JitterBuffer()
    for step in run_buffer(buffer, sorted(arrivals, key=lambda each: each.at_s), 3.0):
        assert buffer.target_s(step.at_s) <= jitter_buffer.MAX_TARGET_S
    assert buffer.target_s(2.0) == jitter_buffer.MAX_TARGET_S


def test_two_seconds_after_a_burst_nothing_is_left_of_it() -> None:
    arrivals = stream(1000)
    arrivals = arrivals[:300] + arrivals[330:]  # 600 ms
    steps = list(run_buffer(JitterBuffer(), arrivals))
    assert total_ms(steps) == 20_000
    after = [delay for step, delay in zip(steps, delays_ms(steps), strict=True) if step.at_s > 6.61]
    assert max(map(abs, after)) < 1e-6


def test_junk_in_place_of_opus_is_lost_audio() -> None:
    payloads = [b"\xff\x3f" + bytes(5) if i == 7 else dummy(i) for i in range(20)]
    buffer = JitterBuffer()
    steps = list(run_buffer(buffer, steady(payloads)))
    assert total_ms(steps) == 400
    assert len(gaps(steps)) == 1
    assert buffer.counters.packets_invalid == 1

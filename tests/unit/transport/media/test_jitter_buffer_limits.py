"""Bounds of the jitter buffer, whatever arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.transport.media import jitter_buffer
from rtc_server.transport.media.jitter_buffer import JitterBuffer
from rtc_server.transport.media.rtp import RtpPacket, parse_rtp
from tests.support.packet_scripts import PAUSE, Arrival, dummy, played, rtp, run_buffer, total_ms

arrival_scripts = st.lists(
    st.tuples(
        st.integers(-40, 4000) | st.integers(0, 0xFFFF),  # sequence, mostly near
        st.integers(-10_000, 10_000) | st.integers(-(2**31), 2**31 - 1),  # timestamp offset
        st.sampled_from([dummy(1), dummy(2), PAUSE, b"", b"\xff\x3f", b"\x58abc", b"\xf0abc"]),
        st.sampled_from([1, 1, 1, 1, 2]),  # source
        st.sampled_from([0.0, 0.001, 0.02, 0.02, 0.1, 3.0]),  # time since the one before
    ),
    max_size=120,
)


@given(arrival_scripts)
def test_whatever_arrives_memory_delay_and_work_stay_bounded(
    script: list[tuple[int, int, bytes, int, float]],
) -> None:
    buffer = JitterBuffer()
    now_s = 0.0
    arrivals = []
    for index, (sequence, offset, payload, ssrc, pause_s) in enumerate(script):
        now_s += pause_s
        timestamp = sequence * 960 + offset
        arrivals.append(
            Arrival(
                now_s, rtp(0, payload, sequence=sequence + index, timestamp=timestamp, ssrc=ssrc)
            )
        )
    most_s = now_s + len(script) * (0.12 + jitter_buffer.MAX_GAP_UNITS / 48_000) + 1
    total_s = 0.0
    for step in run_buffer(buffer, arrivals, now_s + 1.0):
        assert step.step.units > 0
        total_s += step.step.units / 48_000
        assert total_s <= most_s
    assert buffer.held_packets == 0, "nothing waits longer than a second"
    quality = buffer.counters
    assert quality.packets_received + quality.packets_duplicate <= len(script)


@given(st.permutations(range(12)), st.sets(st.integers(0, 11), max_size=6))
def test_order_of_arrival_never_changes_the_order_of_play(order: list[int], lost: set[int]) -> None:
    arrivals = [
        Arrival(1.0 + n * 0.003, rtp(i + 5, dummy(i), sequence=65_530))
        for n, i in enumerate(order)
        if i not in lost
    ]
    lead = [Arrival(i * 0.02, rtp(i, dummy(100 + i), sequence=65_530)) for i in range(5)]
    numbers = played(run_buffer(JitterBuffer(), [*lead, *arrivals], 2.0))[5:]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("payload", "units"),
    [(b"\x5b\x02abcdefgh", 5760), (dummy(1), 24_000), (dummy(2), 1_000_000)],
    ids=["long-packets", "gaps", "jumps"],
)
def test_a_client_that_floods_cannot_make_us_hear_more_than_time(
    payload: bytes, units: int
) -> None:
    """A thousand packets a second, each long or with a gap before it."""
    arrivals = [Arrival(i * 0.001, rtp(i, payload, units=units)) for i in range(20_000)]
    buffer = JitterBuffer()
    heard_ms = total_ms(run_buffer(buffer, arrivals))
    assert heard_ms <= 1000 * (20 * 1.1 + jitter_buffer.MAX_SURPLUS_S) + 1000
    assert buffer.counters.packets_invalid > 10_000
    calm = [Arrival(60 + i * 0.02, rtp(i, dummy(i), ssrc=77)) for i in range(50)]
    assert played(run_buffer(buffer, calm)) == list(range(50))


def test_held_packets_are_bounded_even_without_a_tick() -> None:
    buffer = JitterBuffer()
    buffer.push(_packet(0), 0.0)
    buffer.next(0.0)
    buffer.push(_packet(2), 0.04)
    buffer.next(0.04)
    buffer.push(_packet(1), 0.3)  # late: from now on a gap is waited for
    for i in range(4, 4 + 2 * jitter_buffer.MAX_HELD):
        buffer.push(_packet(i), 0.3)
        while buffer.next(0.3) is not None:
            pass
        assert buffer.held_packets < jitter_buffer.MAX_HELD


def _packet(index: int) -> RtpPacket:
    packet = parse_rtp(rtp(index, dummy(index)))
    assert packet is not None
    return packet

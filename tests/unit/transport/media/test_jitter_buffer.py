"""The jitter buffer's rules, in virtual time. Nothing is decoded: payloads carry numbers."""

import random
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.transport.media import jitter_buffer
from rtc_server.transport.media.jitter_buffer import Gap, JitterBuffer, Play
from rtc_server.transport.media.rtp import RtpPacket, parse_rtp
from tests.support.netem import Link, Path
from tests.support.packet_scripts import Arrival, Stepped, dummy, rtp, run_buffer, steady, through

PAUSE = b"\xf8"


def played(steps: Iterable[Stepped]) -> list[int]:
    """Numbers of the packets that were played."""
    payloads = [each.step.payload for each in steps if isinstance(each.step, Play)]
    return [int.from_bytes(each[1:], "big") for each in payloads if each != PAUSE]


def total_ms(steps: Iterable[Stepped]) -> float:
    return sum(each.step.units for each in steps) / 48


def gaps(steps: Iterable[Stepped]) -> list[Gap]:
    return [each.step for each in steps if isinstance(each.step, Gap)]


def delays_ms(steps: Iterable[Stepped]) -> list[float]:
    """Return the delay of each slot after its own time; the stream began at 0 on a perfect path."""
    out, position_s = [], 0.0
    for at_s, step in steps:
        out.append((at_s - position_s) * 1000)
        position_s += step.units / 48_000
    return out


def stream(count: int, *, sequence: int = 0, timestamp: int = 0) -> list[Arrival]:
    return [
        Arrival(i * 0.02, rtp(i, dummy(i), sequence=sequence, timestamp=timestamp))
        for i in range(count)
    ]


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


@pytest.mark.parametrize("stall", [4, 15, 40, 200])
def test_a_stalled_path_loses_nothing(stall: int) -> None:
    arrivals = [
        Arrival((100 + stall) * 0.02 if 100 <= i < 100 + stall else at_s, data)
        for i, (at_s, data) in enumerate(stream(600))
    ]
    buffer = JitterBuffer()
    steps = list(run_buffer(buffer, arrivals))
    assert played(steps) == list(range(600))
    assert all(
        each.at_s == at
        for each, at in zip(
            (s for s in steps if isinstance(s.step, Play)), (a.at_s for a in arrivals), strict=True
        )
    )
    silence_ms = sum(each.units for each in gaps(steps)) / 48
    assert silence_ms <= max(0, stall * 20 - 40)
    assert buffer.counters.packets_lost == 0


def test_the_audio_clock_returns_to_the_wall_clock_in_a_long_silence() -> None:
    arrivals = []
    for i, (at_s, data) in enumerate(stream(1000)):
        phase = i % 100  # every two seconds the path stalls for 300 ms
        arrivals.append(Arrival(at_s + max(0, 15 - phase) * 0.02 if phase < 15 else at_s, data))
    arrivals.sort(key=lambda each: each.at_s)
    steps = list(run_buffer(JitterBuffer(), arrivals, 30.0))
    ahead_ms = sum(each.step.units for each in steps if each.at_s < 20.02) / 48 - 20_000
    assert ahead_ms > 500
    assert abs(total_ms(steps) - 30_000) <= 300


@pytest.mark.parametrize("goes_on", [True, False], ids=["time-goes-on", "time-stands-still"])
def test_muting_without_dtx_is_heard_as_silence_and_resumes_at_once(goes_on: bool) -> None:
    """Browsers differ in what the timestamp does while nothing is sent (replaceTrack(null))."""
    muted = 250
    arrivals = stream(100)
    for i in range(100, 200):
        timestamp = (i + muted) * 960 if goes_on else i * 960
        at_s = (i + muted) * 0.02
        arrivals.append(Arrival(at_s, rtp(i, dummy(i), units=0, timestamp=timestamp)))
    steps = list(run_buffer(JitterBuffer(), arrivals))
    assert played(steps) == list(range(200))
    resumed = [each for each in steps if each.at_s >= 7.0]
    assert resumed[-100:] == [each for each in resumed if isinstance(each.step, Play)]
    assert [each.at_s for each in resumed[-100:]] == [each.at_s for each in arrivals[100:]]
    assert total_ms(steps) == pytest.approx((200 + muted) * 20, abs=100)
    silence = [each.at_s for each in steps if isinstance(each.step, Gap)]
    assert silence[0] == pytest.approx(2.0 + jitter_buffer.STALL_MARGIN_S, abs=0.0201)
    pauses = [after - before for before, after in pairwise(silence)]
    assert max(pauses) < 0.0401, "the listener hears the silence as it passes"


def test_dtx_pauses_pass_as_time_does() -> None:
    arrivals = stream(100)
    arrivals += [
        Arrival(i * 0.02, rtp(100 + n, PAUSE, units=0, timestamp=i * 960))
        for n, i in enumerate(range(100, 300, 20))
    ]
    arrivals += [
        Arrival(i * 0.02, rtp(i - 190, dummy(i), units=0, timestamp=i * 960))
        for i in range(300, 400)
    ]
    buffer = JitterBuffer()
    steps = list(run_buffer(buffer, arrivals))
    assert played(steps) == [*range(100), *range(300, 400)]
    assert all(each.pause for each in gaps(steps))
    assert total_ms(steps) == pytest.approx(8000, abs=40)
    assert max(delays_ms(steps)) <= 1000 * jitter_buffer.PAUSE_MARGIN_S + 20 + 1e-6
    assert buffer.counters.packets_lost == 0


@pytest.mark.parametrize(("toc", "units"), [(0xF0, 480), (0x58, 2880)])
def test_packets_of_10_and_60_ms(toc: int, units: int) -> None:
    payloads = [bytes((toc,)) + dummy(i)[1:] for i in range(200)]
    arrivals = steady(payloads, units=units)
    del arrivals[50]
    del arrivals[100:103]
    steps = list(run_buffer(JitterBuffer(), arrivals))
    assert total_ms(steps) == 200 * units / 48
    recoverable = [each.units for each in gaps(steps) if each.successor is not None]
    assert recoverable == [units, units]


def test_a_new_source_goes_on_where_the_old_one_ended() -> None:
    old = stream(100)
    new = [
        Arrival(2.0 + i * 0.02, rtp(i, dummy(1000 + i), sequence=777, timestamp=123_456, ssrc=9))
        for i in range(100)
    ]
    straggler = Arrival(2.05, rtp(100, dummy(5000)))
    arrivals = sorted([*old, *new, straggler], key=lambda each: each.at_s)
    buffer = JitterBuffer()
    steps = list(run_buffer(buffer, arrivals))
    assert played(steps) == [*range(100), *range(1000, 1100)]
    assert not gaps(steps)
    assert buffer.counters.restarts == 1
    assert buffer.counters.packets_lost == 0


def test_a_jump_of_sequence_is_believed_the_second_time() -> None:
    arrivals = stream(50) + [
        Arrival(1.0 + i * 0.02, rtp(i, dummy(100 + i), sequence=30_000, timestamp=7_000_000))
        for i in range(50)
    ]
    arrivals.insert(20, Arrival(0.39, rtp(0, dummy(999), sequence=20_000, timestamp=5)))
    assert played(run_buffer(JitterBuffer(), arrivals)) == [*range(50), *range(101, 150)]


@pytest.mark.parametrize("jump", [10 * 48_000, -10 * 48_000, 3_000_000_000])
def test_a_jump_of_the_timestamp_is_no_gap(jump: int) -> None:
    arrivals = stream(100) + [
        Arrival(i * 0.02, rtp(i, dummy(i), timestamp=jump)) for i in range(100, 200)
    ]
    steps = list(run_buffer(JitterBuffer(), arrivals))
    assert played(steps) == list(range(200))
    assert total_ms(steps) <= 4020


def test_packets_without_audio_count_and_leave_no_gap() -> None:
    payloads = [b"" if i % 10 == 5 else dummy(i) for i in range(100)]
    audio = -1
    arrivals = []
    for i, payload in enumerate(payloads):
        audio += bool(payload)
        data = rtp(i, payload, units=0, timestamp=audio * 960)
        arrivals.append(Arrival(audio * 0.02, data))
    steps = list(run_buffer(JitterBuffer(), arrivals))
    assert len(played(steps)) == 90
    assert not gaps(steps)


def test_junk_in_place_of_opus_is_lost_audio() -> None:
    payloads = [b"\xff\x3f" + bytes(5) if i == 7 else dummy(i) for i in range(20)]
    buffer = JitterBuffer()
    steps = list(run_buffer(buffer, steady(payloads)))
    assert total_ms(steps) == 400
    assert len(gaps(steps)) == 1
    assert buffer.counters.packets_invalid == 1


@pytest.mark.parametrize(
    ("ppm", "hours"),
    [
        *((ppm, 0.2) for ppm in (1000, -1000, 5000, -5000)),
        *(pytest.param(ppm, 1.0, marks=pytest.mark.slow) for ppm in (5000, -5000)),
    ],
)
@pytest.mark.unmeasured
def test_drift_leaves_no_backlog(ppm: int, hours: float) -> None:
    """1 % loss and 15 ms of jitter on top. Delay counts from the fastest path."""
    period_s = 0.02 / (1 + ppm / 1e6)
    count = int(hours * 3600 / period_s)
    link = Link(Path(loss=0.01, jitter_ms=15), 3)
    buffer = JitterBuffer()
    sent = (Arrival(i * period_s, rtp(i, dummy(i))) for i in range(count))
    arrivals = (Arrival(*each) for at_s, data in sent for each in link.send(data, at_s))
    position_s = worst_s = 0.0
    for at_s, step in run_buffer(buffer, arrivals):
        worst_s = max(worst_s, at_s - position_s / (1 + ppm / 1e6))
        position_s += step.units / 48_000
        assert buffer.held_packets <= 2
    assert worst_s <= 0.1
    assert position_s * 50 == pytest.approx(count, abs=5)
    assert buffer.drift_ppm() == pytest.approx(ppm, abs=300)


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

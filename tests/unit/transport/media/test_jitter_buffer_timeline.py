"""Time in the jitter buffer: stalls, mutes, pauses, jumps, new sources and drift; virtual."""

from itertools import pairwise

import pytest

from rtc_server.transport.media import jitter_buffer
from rtc_server.transport.media.jitter_buffer import Gap, JitterBuffer, Play
from tests.support.netem import Link, Path
from tests.support.packet_scripts import (
    PAUSE,
    Arrival,
    delays_ms,
    dummy,
    gaps,
    played,
    rtp,
    run_buffer,
    steady,
    stream,
    total_ms,
)


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

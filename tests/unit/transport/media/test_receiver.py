"""Packets to a continuous stream of audio, with real Opus, in virtual time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.pcm import Samples
from rtc_server.transport.media.counters import MediaCounters
from rtc_server.transport.media.opus_packet import pause_packet
from rtc_server.transport.media.receiver import Receiver
from rtc_server.transport.media.tick import TickSchedule
from tests.support.netem import Link, Path
from tests.support.packet_scripts import (
    PAYLOAD_TYPE,
    Arrival,
    Heard,
    encoded,
    rtp,
    run_receiver,
    steady,
    through,
)


def listen(arrivals: list[Arrival], until_s: float = 0.0) -> tuple[list[Heard], MediaCounters]:
    """Return everything that the receiver plays, and the counters at the end."""
    receiver = Receiver(PAYLOAD_TYPE)
    try:
        heard = list(run_receiver(receiver, arrivals, until_s))
        return heard, receiver.counters(max(until_s, arrivals[-1].at_s))
    finally:
        receiver.close()


def audio(heard: list[Heard]) -> Samples:
    return np.concatenate([each.pcm.samples for each in heard])


def concealed_ms(heard: list[Heard]) -> float:
    return sum(each.pcm.concealed_samples for each in heard) / 16


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def test_on_a_clean_path_each_packet_is_audio_the_moment_it_comes() -> None:
    arrivals = steady(encoded(5.0))
    heard, quality = listen(arrivals)
    assert [each.at_s for each in heard] == [each.at_s for each in arrivals]
    assert {each.pcm.samples.shape for each in heard} == {(320,)}
    assert heard[0].pcm.samples.dtype == np.float32
    assert quality.jitter_ms < 1e-6
    quality.jitter_ms = 0.0
    assert quality == MediaCounters(packets_received=250, packets_expected=250)


@pytest.mark.parametrize("burst", [1.0, 3.0])
@pytest.mark.parametrize("loss", [0.01, 0.05, 0.1, 0.2, 0.3])
def test_every_20_ms_is_received_recovered_concealed_or_silent(loss: float, burst: float) -> None:
    sent = steady(encoded(20.0, fec=True))
    arrivals = through(Link(Path(loss=loss, loss_burst=burst), 11), sent)
    arrivals += sent[-1:] if arrivals[-1] != sent[-1] else []  # so that the end is known
    first = sent.index(arrivals[0])
    heard, quality = listen(arrivals)
    assert sum(len(each.pcm.samples) for each in heard) == 320 * (len(sent) - first)
    lost_ms = 20 * (len(sent) - first - len(arrivals))
    assert quality.packets_lost * 20 == lost_ms
    assert quality.recovered_ms + quality.concealed_ms + quality.silence_ms == lost_ms
    assert concealed_ms(heard) == quality.concealed_ms
    if burst == 1.0:
        assert quality.recovered_ms > 0.35 * lost_ms


def test_recovered_audio_is_nearer_to_the_truth_than_invented() -> None:
    whole, _ = listen(steady(encoded(4.0, fec=True)))
    truth = audio(whole)
    errors = {}
    for name, fec in (("recovered", True), ("concealed", False)):
        arrivals = steady(encoded(4.0, fec=fec))
        del arrivals[10::10]
        heard, _ = listen(arrivals)
        at = min(len(truth), len(audio(heard)))
        reference = truth if fec else audio(listen(steady(encoded(4.0)))[0])
        errors[name] = rms(audio(heard)[:at] - reference[:at])
    assert errors["recovered"] < errors["concealed"]


def test_a_client_that_stops_fades_into_silence_that_goes_on() -> None:
    heard, quality = listen(steady(encoded(2.0)), until_s=6.0)
    assert sum(len(each.pcm.samples) for each in heard) / 16_000 == pytest.approx(5.94, abs=0.03)
    levels = [rms(each.pcm.samples) for each in heard[100:]]
    assert levels[0] > 0.01
    assert levels[6:] == [0.0] * len(levels[6:])
    assert concealed_ms(heard) == quality.concealed_ms == 120
    assert quality.silence_ms == pytest.approx(3820, abs=30)
    steps = np.abs(np.diff(audio(heard)[31_900:]))
    assert steps.max() < 0.2, "no click where the sound ends"


def test_dtx_pauses_are_quiet_and_not_called_concealed() -> None:
    packets = encoded(1.0)
    pause = pause_packet(packets[-1])
    arrivals = steady(packets)
    arrivals += [
        Arrival(i * 0.02, rtp(n, pause, units=0, sequence=50, timestamp=i * 960))
        for n, i in enumerate(range(50, 150, 20))
    ]
    arrivals += [
        Arrival(i * 0.02, rtp(i - 95, packets[i - 150], units=0, timestamp=i * 960))
        for i in range(150, 200)
    ]
    heard, quality = listen(arrivals)
    assert concealed_ms(heard) == 0
    assert quality.packets_lost == 0
    assert sum(len(each.pcm.samples) for each in heard) / 16 == pytest.approx(4000, abs=40)


@pytest.mark.parametrize("packet_ms", [10, 20, 40, 60])
@pytest.mark.parametrize("channels", [1, 2])
def test_other_packet_lengths_and_stereo(packet_ms: int, channels: int) -> None:
    packets = encoded(3.0, fec=True, packet_ms=packet_ms, channels=channels)
    arrivals = steady(packets, units=48 * packet_ms)
    whole = audio(listen(arrivals)[0])
    assert len(whole) == 16 * packet_ms * len(packets)
    assert rms(whole) > 0.05
    del arrivals[20]
    heard, quality = listen(arrivals)
    assert len(audio(heard)) == len(whole)
    assert quality.recovered_ms + quality.concealed_ms == packet_ms


def test_a_new_source_with_other_packets_goes_on_in_the_same_stream() -> None:
    arrivals = steady(encoded(1.0))
    stereo = encoded(1.0, packet_ms=60, channels=2)
    arrivals += [
        Arrival(1.0 + i * 0.06, rtp(i, each, units=2880, sequence=9, timestamp=3, ssrc=5))
        for i, each in enumerate(stereo)
    ]
    heard, quality = listen(arrivals)
    assert len(audio(heard)) == 16_000 + 960 * len(stereo)
    assert quality.restarts == 1
    assert concealed_ms(heard) == 0


def test_a_packet_that_libopus_refuses_is_concealed() -> None:
    payloads = list(encoded(1.0))
    payloads[20] = payloads[20][:1] + b"\xff" * 3
    broken = bytes((payloads[20][0] | 1,)) + b"abc"  # two frames of equal length need an even size
    payloads[20] = broken
    heard, quality = listen(steady(payloads))
    assert quality.packets_invalid == 1
    assert concealed_ms(heard) == 40
    assert rms(audio(heard)[6400:6720]) > 0.01


def test_foreign_payload_types_and_no_rtp_are_counted_and_ignored() -> None:
    receiver = Receiver(PAYLOAD_TYPE)
    telephone_event = bytearray(rtp(0, b"\x01\x00\x00\xa0"))
    telephone_event[1] = 101
    assert receiver.push(bytes(telephone_event), 0.0) == []
    assert receiver.push(b"", 0.0) == []
    assert receiver.pull(1.0) == []
    assert receiver.counters(1.0) == MediaCounters(packets_invalid=2)
    assert receiver.report() is None
    receiver.close()


def test_after_a_stall_of_the_server_itself_waiting_packets_are_read_first() -> None:
    """The loop stood still for 400 ms: the tick runs before the sockets were read to the end."""
    receiver = Receiver(PAYLOAD_TYPE)
    packets = steady(encoded(2.0))
    pieces = []
    for at_s, data in packets[:50]:
        pieces += receiver.push(data, at_s) + receiver.pull(at_s)
    pieces += receiver.pull(1.4)
    for _, data in packets[50:70]:
        pieces += receiver.push(data, 1.4)
    pieces += receiver.pull(1.42)
    assert len(pieces) == 70
    assert all(each.concealed_samples == 0 for each in pieces)
    receiver.close()


@pytest.mark.parametrize("turn_ms", [0.1, 5, 15, 19])
@pytest.mark.parametrize(
    "stalls",
    [
        [(0.5, 0.4), (0.96, 0.25)],
        [(0.4, 0.33), (0.74, 0.55), (1.4, 0.3)],
        [(0.3, 1.4), (2.5, 0.3)],
        [(0.3, 0.045), (0.4, 0.07), (0.5, 0.18)],
    ],
)
def test_a_loop_that_stands_still_again_and_again_invents_no_audio(
    stalls: list[tuple[float, float]], turn_ms: float
) -> None:
    """Sockets are read one packet a turn of the loop, and a turn is long with many sessions."""
    receiver, schedule = Receiver(PAYLOAD_TYPE), TickSchedule(0.007)
    waiting = steady(encoded(2.0) * 3)
    count, now_s, heard = len(waiting), 0.0, 0
    stalls = list(stalls)
    while waiting:
        now_s = max(now_s, min(schedule.due_s, waiting[0].at_s))
        if stalls and now_s >= stalls[0][0]:
            now_s += stalls.pop(0)[1]
        if waiting[0].at_s <= now_s:
            heard += sum(len(each.samples) for each in receiver.push(waiting.pop(0).data, now_s))
        while schedule.take(now_s) is not None:
            heard += sum(len(each.samples) for each in receiver.pull(now_s))
        now_s += turn_ms / 1000
    assert heard == 320 * count
    assert receiver.counters(now_s).concealed_ms == 0
    receiver.close()


def test_packets_that_are_not_the_audio_do_not_hold_it_up() -> None:
    receiver, packets = Receiver(PAYLOAD_TYPE), steady(encoded(1.0))
    for at_s, data in packets:
        receiver.push(data, at_s)
    heard = 0
    for number in range(50, 150):
        foreign = bytearray(rtp(number, b"\x01\x00\x00\xa0"))
        foreign[1] = 101
        receiver.push(bytes(foreign), number * 0.02)
        heard += sum(len(each.samples) for each in receiver.pull(number * 0.02))
    assert heard / 16 == pytest.approx(1900, abs=60)
    receiver.close()


def test_a_tick_that_is_always_late_still_fills() -> None:
    receiver = Receiver(PAYLOAD_TYPE)
    receiver.push(steady(encoded(0.1))[0].data, 0.0)
    pieces = [piece for number in range(100) for piece in receiver.pull(number * 0.08)]
    assert sum(len(each.samples) for each in pieces) / 16 == pytest.approx(8000, abs=300)
    receiver.close()


def test_the_report_block_counts_as_rfc_3550_says() -> None:
    receiver = Receiver(PAYLOAD_TYPE)
    arrivals = [
        Arrival(i * 0.02 + 0.004 * (i % 2), rtp(i, each, sequence=65_500))
        for i, each in enumerate(encoded(4.0))
    ]
    for at_s, data in arrivals[:50] + arrivals[60:100]:
        receiver.push(data, at_s)
    report = receiver.report()
    assert report is not None
    assert report.fraction_lost == 10 * 256 // 100
    assert report.packets_lost == 10
    assert report.highest_sequence == 65_500 + 99
    assert report.jitter == pytest.approx(0.004 * 48_000, rel=0.1)
    for at_s, data in arrivals[100:200]:
        receiver.push(data, at_s)
    report = receiver.report()
    assert report is not None
    assert (report.fraction_lost, report.packets_lost) == (0, 10)
    receiver.close()


@given(st.lists(st.tuples(st.binary(max_size=60), st.booleans()), max_size=60), st.randoms())
def test_whatever_arrives_the_stream_stays_contiguous(
    junk: list[tuple[bytes, bool]], rng: "np.random.Generator"
) -> None:
    """Random bytes, random Opus in valid RTP, and real packets, shuffled."""
    packets = encoded(1.0, fec=True)
    arrivals = []
    for index, (data, as_payload) in enumerate(junk):
        arrivals.append(rtp(index, packets[index % 50]))
        arrivals.append(rtp(index, data) if as_payload else data)
    rng.shuffle(arrivals)
    script = [Arrival(i * 0.01, data) for i, data in enumerate(arrivals)]
    receiver = Receiver(PAYLOAD_TYPE)
    for heard in run_receiver(receiver, script, len(script) * 0.01 + 0.5):
        assert np.isfinite(heard.pcm.samples).all()
    receiver.close()

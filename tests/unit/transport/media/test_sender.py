"""Frames and silence to packets, tick by tick."""

import numpy as np
import pytest

from rtc_server.transport.media.counters import MediaCounters
from rtc_server.transport.media.opus import OpusDecoder
from rtc_server.transport.media.opus_packet import carries_previous, is_pause
from rtc_server.transport.media.receiver import Receiver
from rtc_server.transport.media.rtp import RtpPacket, parse_rtp
from rtc_server.transport.media.sender import REFRESH_FRAMES, TAIL_FRAMES, Sender
from tests.support.packet_scripts import voiced

SSRC = 0xCAFE
PAYLOAD_TYPE = 96
SPEECH = voiced(4.0).reshape(-1, 960)


def send(sender: Sender, script: str, start: int = 0) -> dict[int, RtpPacket]:
    """Tick to packet; the script has "s" for a tick of speech, "." for silence, "-" for a skip."""
    packets = {}
    for tick, what in enumerate(script, start):
        if what == "-":
            continue
        data = sender.send(SPEECH[tick % len(SPEECH)] if what == "s" else None, tick)
        if data is not None:
            packet = parse_rtp(data)
            assert packet is not None
            packets[tick] = packet
    return packets


def test_speech_is_a_packet_a_tick_with_contiguous_counters() -> None:
    quality = MediaCounters()
    sender = Sender(PAYLOAD_TYPE, SSRC, quality)
    packets = send(sender, "s" * 200)
    assert list(packets) == list(range(200))
    first = packets[0]
    for tick, packet in packets.items():
        assert packet.sequence == (first.sequence + tick) & 0xFFFF
        assert packet.timestamp == (first.timestamp + 960 * tick) & 0xFFFFFFFF
        assert (packet.ssrc, packet.payload_type) == (SSRC, PAYLOAD_TYPE)
        assert packet.marker == (tick == 0)
    assert quality.packets_sent == sender.packets_sent == 200
    assert sender.payload_bytes_sent == sum(len(each.payload) for each in packets.values())
    sender.close()


def test_before_anything_was_said_a_pause_is_sent_at_once_and_every_400_ms() -> None:
    sender = Sender(PAYLOAD_TYPE, SSRC)
    packets = send(sender, "." * 100)
    assert list(packets) == list(range(0, 100, REFRESH_FRAMES))
    assert all(is_pause(packet.payload) for packet in packets.values())
    sender.close()


def test_silence_ends_in_a_tail_then_one_dtx_packet_every_400_ms() -> None:
    sender = Sender(PAYLOAD_TYPE, SSRC)
    packets = send(sender, "s" * 50 + "." * 100)
    silent = [tick for tick in packets if tick >= 50]
    tail, refreshes = silent[:TAIL_FRAMES], silent[TAIL_FRAMES:]
    assert tail == list(range(50, 50 + TAIL_FRAMES))
    assert refreshes == list(range(50 + TAIL_FRAMES, 150, REFRESH_FRAMES))
    assert not any(is_pause(packets[tick].payload) for tick in tail)
    assert all(is_pause(packets[tick].payload) for tick in refreshes)
    assert [tick for tick, packet in packets.items() if packet.marker] == [0]
    sequences = [packet.sequence for packet in packets.values()]
    assert sequences == [(sequences[0] + i) & 0xFFFF for i in range(len(sequences))]
    sender.close()


def test_speech_that_resumes_is_marked_and_its_time_has_gone_on() -> None:
    sender = Sender(PAYLOAD_TYPE, SSRC)
    packets = send(sender, "s" * 10 + "." * 60 + "s" * 10)
    assert [tick for tick, packet in packets.items() if packet.marker] == [0, 70]
    elapsed = packets[70].timestamp - packets[0].timestamp
    assert elapsed & 0xFFFFFFFF == 70 * 960
    sender.close()


def test_a_short_pause_is_no_silence() -> None:
    sender = Sender(PAYLOAD_TYPE, SSRC)
    packets = send(sender, "sss..sss")
    assert list(packets) == list(range(8))
    assert [packet.marker for packet in packets.values()] == [True] + [False] * 7
    sender.close()


def test_skipped_ticks_are_time_but_no_packets() -> None:
    sender = Sender(PAYLOAD_TYPE, SSRC)
    packets = send(sender, "s" * 5 + "-" * 20 + "s" * 5)
    assert (packets[25].sequence - packets[4].sequence) & 0xFFFF == 1
    assert (packets[25].timestamp - packets[4].timestamp) & 0xFFFFFFFF == 21 * 960
    sender.close()


def test_what_is_sent_is_heard() -> None:
    sender, receiver = Sender(PAYLOAD_TYPE, SSRC), Receiver(PAYLOAD_TYPE)
    pieces = []
    for tick in range(200):
        frame = SPEECH[tick] if tick < 100 else None
        data = sender.send(frame, tick)
        if data is not None:
            pieces += receiver.push(data, tick * 0.02)
        pieces += receiver.pull(tick * 0.02 + 0.01)
    heard = np.concatenate([each.samples for each in pieces])
    assert len(heard) / 16 == pytest.approx(4000, abs=60)
    speech, silence = heard[:32_000], heard[33_600:]
    assert np.sqrt(np.mean(speech**2)) == pytest.approx(
        float(np.sqrt(np.mean(SPEECH[:100] ** 2))), rel=0.1
    )
    assert np.abs(silence).max() < 0.003
    assert receiver.counters(4.0).packets_lost == 0
    assert sum(each.concealed_samples for each in pieces) == 0
    sender.close()
    receiver.close()


def test_reported_loss_switches_fec_on_at_once_and_off_when_it_has_passed() -> None:
    sender = Sender(PAYLOAD_TYPE, SSRC)
    sender.report_loss(0.0)
    assert not sender.fec
    assert not any(carries_previous(p.payload) for p in send(sender, "s" * 50).values())
    sender.report_loss(0.05)
    assert sender.fec
    assert any(carries_previous(p.payload) for p in send(sender, "s" * 50, 50).values())
    reports = 0
    while sender.fec:
        sender.report_loss(0.0)
        reports += 1
    assert 5 <= reports <= 12
    after = send(sender, "s" * 50, 100)
    assert not any(carries_previous(packet.payload) for packet in list(after.values())[5:])
    sender.close()


def test_loss_of_one_in_a_thousand_is_not_worth_fec() -> None:
    sender = Sender(PAYLOAD_TYPE, SSRC)
    for _ in range(10):
        sender.report_loss(0.004)
    assert not sender.fec
    sender.close()


def test_switching_fec_does_not_click() -> None:
    sender, decoder = Sender(PAYLOAD_TYPE, SSRC), OpusDecoder()
    heard = []
    for tick, frame in enumerate(SPEECH[:150]):
        if tick in (50, 100):
            for _ in range(20):
                sender.report_loss(0.1 if tick == 50 else 0.0)
        data = sender.send(frame, tick)
        packet = parse_rtp(data) if data is not None else None
        assert packet is not None
        heard.append(decoder.decode(packet.payload))
    steps = np.abs(np.diff(np.concatenate(heard)))
    ordinary = steps[: 45 * 320].max()
    assert steps.max() < 1.5 * ordinary
    sender.close()
    decoder.close()

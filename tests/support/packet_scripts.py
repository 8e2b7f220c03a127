"""Packets as a client would send them, and their way through a path and a 20 ms tick. No clock."""

import ctypes
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from rtc_server.pcm import PLAYOUT_RATE, Pcm, Samples
from rtc_server.transport.media.jitter_buffer import Gap, JitterBuffer, Play, Step
from rtc_server.transport.media.opus_library import libopus
from rtc_server.transport.media.receiver import Receiver
from rtc_server.transport.media.rtp import build_rtp, parse_rtp
from tests.support.netem import Link

PAYLOAD_TYPE = 111
SSRC = 0x1234
PAUSE = b"\xf8"
"""Packet of a DTX pause: a table of contents and no audio."""
TICK_PHASE_S = 0.007
"""Place of the tick between two packets; anywhere will do but on a packet."""


class Arrival(NamedTuple):
    """A datagram and when it comes."""

    at_s: float
    """Seconds of the script."""
    data: bytes
    """RTP."""


class Moment(NamedTuple):
    """One event of a receiver."""

    at_s: float
    """Seconds of the script."""
    data: bytes | None
    """The datagram that arrives, or None: the tick."""


class Stepped(NamedTuple):
    """Decisions of a jitter buffer."""

    at_s: float
    step: Step


class Heard(NamedTuple):
    """Output of a receiver."""

    at_s: float
    pcm: Pcm


def rtp(
    index: int,
    payload: bytes,
    *,
    units: int = 960,
    sequence: int = 0,
    timestamp: int = 0,
    ssrc: int = SSRC,
) -> bytes:
    """The `index`-th packet of a stream that begins at `sequence` and `timestamp`."""
    return build_rtp(
        payload,
        payload_type=PAYLOAD_TYPE,
        marker=False,
        sequence=sequence + index,
        timestamp=timestamp + index * units,
        ssrc=ssrc,
    )


def dummy(index: int) -> bytes:
    """A payload that says 20 ms and carries its number; for what never decodes."""
    return b"\xf8" + index.to_bytes(4, "big")


def steady(payloads: Iterable[bytes], *, start_s: float = 0.0, units: int = 960) -> list[Arrival]:
    """Sent in real time over a perfect path."""
    return [
        Arrival(start_s + index * units / 48_000, rtp(index, payload, units=units))
        for index, payload in enumerate(payloads)
    ]


def through(link: Link, sent: Iterable[Arrival]) -> list[Arrival]:
    """Return what arrives of it, by time of arrival."""
    arrivals = [Arrival(*out) for at_s, data in sent for out in link.send(data, at_s)]
    return sorted(arrivals, key=lambda arrival: arrival.at_s)


def moments(arrivals: Iterable[Arrival], until_s: float) -> Iterator[Moment]:
    """The arrivals, and a tick every 20 ms between them until `until_s`."""
    tick = 0

    def ticks(before_s: float) -> Iterator[Moment]:
        nonlocal tick
        while (at_s := TICK_PHASE_S + tick * 0.02) < before_s:
            tick += 1
            yield Moment(at_s, None)

    for arrival in arrivals:
        yield from ticks(arrival.at_s)
        yield Moment(*arrival)
    yield from ticks(until_s)


def run_buffer(
    buffer: JitterBuffer, arrivals: Iterable[Arrival], until_s: float = 0.0
) -> Iterator[Stepped]:
    """Yield each decision and its time."""
    for at_s, data in moments(arrivals, until_s):
        if data is not None:
            packet = parse_rtp(data)
            assert packet is not None
            buffer.push(packet, at_s)
        while (step := buffer.next(at_s, tick=data is None)) is not None:
            yield Stepped(at_s, step)


def run_receiver(
    receiver: Receiver, arrivals: Iterable[Arrival], until_s: float = 0.0
) -> Iterator[Heard]:
    """Yield each piece of audio and the time at which it came out; fail on any hole or overlap."""
    position = 0
    for at_s, data in moments(arrivals, until_s):
        pieces = receiver.pull(at_s) if data is None else receiver.push(data, at_s)
        for pcm in pieces:
            assert pcm.start_samples == position
            assert len(pcm.samples) > 0
            assert 0 <= pcm.concealed_samples <= len(pcm.samples)
            position += len(pcm.samples)
            yield Heard(at_s, pcm)


def voiced(duration_s: float, pitch_hz: float = 140.0) -> Samples:
    """Sound between a vowel and a buzz, at 48 kHz: SILK takes it for speech."""
    time_s = np.arange(round(duration_s * PLAYOUT_RATE)) / PLAYOUT_RATE
    glide = 2 * np.sin(2 * np.pi * 1.5 * time_s)
    wave = sum(np.sin(2 * np.pi * pitch_hz * k * time_s + k * glide) / k for k in range(1, 12))
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 3 * time_s)
    return np.asarray(0.12 * wave * swell, np.float32)


@cache
def encoded(
    duration_s: float, *, fec: bool = False, packet_ms: int = 20, channels: int = 1
) -> tuple[bytes, ...]:
    """`voiced` as a browser would encode it."""
    return encode_opus(voiced(duration_s), fec=fec, packet_ms=packet_ms, channels=channels)


def encode_opus(
    samples: Samples, *, fec: bool = False, packet_ms: int = 20, channels: int = 1
) -> tuple[bytes, ...]:
    """Packets of 48 kHz mono `samples` (both channels alike), by libopus called directly."""
    library = libopus()
    status = ctypes.c_int()
    encoder = library.opus_encoder_create(PLAYOUT_RATE, channels, 2048, ctypes.byref(status))
    assert status.value == 0
    for request, value in ((4002, 32_000), (4012, int(fec)), (4014, 20 if fec else 0)):
        assert library.opus_encoder_ctl(encoder, request, ctypes.c_int(value)) == 0
    audio = np.repeat(samples, channels)
    frame = PLAYOUT_RATE * packet_ms // 1000
    packet = ctypes.create_string_buffer(4000)
    packets = []
    for start in range(0, len(audio) - frame * channels + 1, frame * channels):
        address = audio.ctypes.data + 4 * start
        size = library.opus_encode_float(encoder, address, frame, packet, 4000)
        assert size > 0
        packets.append(packet.raw[:size])
    library.opus_encoder_destroy(encoder)
    return tuple(packets)


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

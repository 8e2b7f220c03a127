"""Opus by libopus through PyAV, and received packets as samples."""

import wave
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import av
import numpy as np
import numpy.typing as npt
from av.packet import Packet

Floats: TypeAlias = npt.NDArray[np.float32]
RATE = 48_000
"""Samples per second of everything that a client sends and receives."""


@dataclass(frozen=True, slots=True)
class ReceivedPacket:
    """One received RTP packet."""

    arrival_s: float
    """`time.monotonic` when it came."""
    sequence: int
    """RTP sequence number."""
    timestamp: int
    """RTP timestamp, 48 kHz."""
    marker: bool
    """First packet after silence."""
    payload: bytes
    """Opus."""


def encode(audio: Floats, *, bitrate: int = 64_000) -> list[bytes]:
    """Encode float32 at 48 kHz, shape (n,) for mono or (n, 2) for stereo, as packets of 20 ms."""
    stereo = audio.ndim == 2
    encoder = cast(Any, av.CodecContext.create("libopus", "w"))
    encoder.sample_rate, encoder.format = RATE, "flt"
    encoder.layout = "stereo" if stereo else "mono"
    encoder.bit_rate = bitrate
    encoder.options = {"application": "voip", "frame_duration": "20"}
    samples = np.ascontiguousarray(audio[: len(audio) // 960 * 960], np.float32)
    packets = []
    for start in range(0, len(samples), 960):
        frame = av.AudioFrame.from_ndarray(
            samples[start : start + 960].reshape(1, -1),
            format="flt",
            layout="stereo" if stereo else "mono",
        )
        frame.sample_rate, frame.pts = RATE, start
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    packets += [bytes(packet) for packet in encoder.encode(None)]
    return packets


def decode(packets: Iterable[bytes]) -> Floats:
    """Decode packets as 48 kHz mono float32, one after the other."""
    decoder = cast(Any, av.CodecContext.create("libopus", "r"))
    decoder.sample_rate, decoder.layout = RATE, "mono"
    frames = [frame for packet in packets for frame in decoder.decode(Packet(packet))]
    return np.concatenate([np.zeros(0, np.float32), *map(mono, frames)])


def read_wav(path: Path) -> Floats:
    """A 48 kHz 16-bit WAV as float32, shape (n,) or (n, 2)."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (RATE, 2)
        raw = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        channels = file.getnchannels()
    audio = (raw / 32768.0).astype(np.float32)
    return audio.reshape(-1, 2) if channels == 2 else audio


def _signed(delta: int) -> int:
    return ((delta + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def mono(frame: Any) -> Floats:
    samples = frame.to_ndarray()
    if samples.dtype == np.int16:
        samples = samples / 32768.0
    channels = len(frame.layout.channels)
    if frame.format.is_planar:
        return cast(Floats, samples.mean(axis=0).astype(np.float32))
    return cast(Floats, samples.reshape(-1, channels).mean(axis=1).astype(np.float32))


def placed(packets: Sequence[ReceivedPacket]) -> Floats:
    """Return the audio of packets, 48 kHz mono, placed by RTP timestamps; gaps are silent."""
    if not packets:
        return np.zeros(0, np.float32)
    first = packets[0].timestamp
    ordered = sorted(packets, key=lambda each: _signed(each.timestamp - first))
    decoder = cast(Any, av.CodecContext.create("libopus", "r"))
    decoder.sample_rate, decoder.layout = RATE, "mono"
    pieces: list[tuple[int, Floats]] = []
    for each in ordered:
        start = _signed(each.timestamp - first)
        pieces += [(start, mono(frame)) for frame in decoder.decode(Packet(each.payload))]
    length = max(start + len(piece) for start, piece in pieces)
    audio = np.zeros(length, np.float32)
    for start, piece in pieces:
        audio[max(0, start) : start + len(piece)] = piece[max(0, -start) :]
    return audio

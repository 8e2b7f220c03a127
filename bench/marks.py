"""Chirps as time marks: how long audio was under way from a client's packet to another packet.

A mark is found in decoded audio by its level. The same is done with what the client sent, so that
the look-ahead of the client's own encoder is in both and does not count.
"""

from collections.abc import Sequence
from typing import Any, cast

import av
import numpy as np
from av.packet import Packet

from bench.rtp_client import FRAME_S, FRAME_UNITS, RATE, RtpClient
from rtc_server.pcm import Samples
from tests.support.opus_codec import encode

SECONDS = 12
BITRATE = 32_000
_LEVEL = 0.35
_APART_S = 0.5


def marked_speech() -> list[bytes]:
    """Twelve seconds of Opus packets: buzzing like speech, a chirp in the middle of each second."""
    t = np.arange(RATE * SECONDS) / RATE
    vibrato = 3 * np.sin(2 * np.pi * 2.1 * t)
    tones = enumerate((130, 260, 390, 520, 910, 1300, 2100), 1)
    audio = sum(np.sin(2 * np.pi * hz * t + vibrato) / k for k, hz in tones)
    audio = audio * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * t)) ** 2
    audio *= 0.2 / np.abs(audio).max()
    short = np.arange(FRAME_UNITS) / RATE
    chirp = 0.9 * np.sin(2 * np.pi * (1500 * short + 25_000 * short**2))
    for second in range(SECONDS):
        start = second * RATE + RATE // 2
        audio[start - 4800 : start + 4800] = 0
        audio[start : start + FRAME_UNITS] = chirp
    return encode(audio.astype(np.float32), bitrate=BITRATE)


def onsets_s(
    times_s: Sequence[float], payloads: Sequence[bytes], level: float = _LEVEL
) -> list[float]:
    """Return the starts of sounds louder than `level`, half a second apart at least. A packet's
    audio begins at the packet's time.
    """
    decoder = cast(Any, av.CodecContext.create("libopus", "r"))
    decoder.sample_rate, decoder.layout = RATE, "mono"
    found: list[float] = []
    for at_s, payload in zip(times_s, payloads, strict=True):
        if len(payload) < 3:
            continue
        offset = 0
        for frame in decoder.decode(Packet(payload)):
            samples = _mono(frame)
            loud = np.flatnonzero(np.abs(samples) > level)
            if len(loud):
                onset_s = at_s + (offset + int(loud[0])) / RATE
                if not found or onset_s - found[-1] > _APART_S:
                    found.append(onset_s)
            offset += len(samples)
    return found


def delays_ms(client: RtpClient, packets: Sequence[bytes]) -> list[float]:
    """Return the time from the sending of each mark to its return."""
    count = len(client.sent_at_s)
    sent = onsets_s(client.sent_at_s, [packets[client.index_of(i)] for i in range(count)])
    back = onsets_s([a.at_s for a in client.arrived], [a.payload for a in client.arrived])
    delays = []
    for at_s in back:
        under_way = [at_s - left_s for left_s in sent if -FRAME_S < at_s - left_s < 0.95]
        if under_way:
            delays.append(min(under_way) * 1000)
    return delays


def _mono(frame: Any) -> Samples:
    samples = frame.to_ndarray()
    if samples.dtype == np.int16:
        samples = samples / 32768.0
    channels = len(frame.layout.channels)
    mono = samples.mean(axis=0) if frame.format.is_planar else samples.reshape(-1, channels).mean(1)
    return cast(Samples, mono.astype(np.float32))

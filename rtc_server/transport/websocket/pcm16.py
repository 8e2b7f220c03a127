"""Conversion between the client's Int16LE and the server's float samples, with resampling."""

import numpy as np

from rtc_server.pcm import (
    FRAME_MS,
    PLAYOUT_RATE,
    SPEECH_RATE,
    Samples,
    from_int16,
    ms_to_samples,
    to_int16,
)
from rtc_server.resample import Resampler

LEAD_IN = np.zeros(ms_to_samples(2, PLAYOUT_RATE), np.float32)
"""Silence put before speech. It is longer than the resampler's delay, so that each frame that goes
in makes one come out."""


class SpeechIn:
    """Converter of the client's audio to one stream of 16 kHz samples."""

    def __init__(self, sample_rate: int) -> None:
        self._resampler = Resampler(sample_rate, SPEECH_RATE)

    def push(self, pcm: bytes) -> Samples:
        """Convert Int16LE to float32 at `SPEECH_RATE`, shape (n,); n may be 0."""
        return self._resampler.push(from_int16(np.frombuffer(pcm, "<i2").astype(np.int16)))

    def close(self) -> None:
        """Free the resampler. Idempotent."""
        self._resampler.close()


class SpeechOut:
    """Converter of playout frames to Int16LE, in whole frames of 20 ms."""

    def __init__(self, sample_rate: int) -> None:
        self._resampler = Resampler(PLAYOUT_RATE, sample_rate)
        self._frame_bytes = 2 * ms_to_samples(FRAME_MS, sample_rate)
        self._ready = bytearray()
        self._speaking = False

    def push(self, frame: Samples) -> bytes:
        """Take float32, shape (960,), 48 kHz; return one frame at the client's rate."""
        if not self._speaking:
            self._speaking = True
            self._convert(LEAD_IN)
        self._convert(frame)
        return self._take(len(self._ready) // self._frame_bytes)

    def finish(self) -> bytes:
        """End a stretch of speech: return its rest, padded with silence to a whole frame. Empty if
        nothing was pushed since the last call.
        """
        if not self._speaking:
            return b""
        self._speaking = False
        self._append(self._resampler.flush())
        self._ready += bytes(-len(self._ready) % self._frame_bytes)
        return self._take(len(self._ready) // self._frame_bytes)

    def close(self) -> None:
        """Free the resampler. Idempotent."""
        self._resampler.close()

    def _convert(self, samples: Samples) -> None:
        self._append(self._resampler.push(samples))

    def _append(self, samples: Samples) -> None:
        self._ready += to_int16(samples).astype("<i2").tobytes()

    def _take(self, frames: int) -> bytes:
        size = frames * self._frame_bytes
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

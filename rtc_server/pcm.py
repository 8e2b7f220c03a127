"""Units of audio that every layer shares.

All audio inside the server is mono float32 in [-1, 1], shape ``(n,)``. Two rates exist: what
engines and the VAD hear (16 kHz) and what is played to the client (48 kHz, Opus' own rate).
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.float32]

SPEECH_RATE = 16_000
"""Samples per second of what the listener and the AST engines hear."""

PLAYOUT_RATE = 48_000
"""Samples per second of what is played to the client."""

FRAME_MS = 20
"""Length of one RTP frame, both directions."""

PLAYOUT_FRAME_SAMPLES = PLAYOUT_RATE * FRAME_MS // 1000
"""Samples in one outgoing frame (960)."""


class Pcm(NamedTuple):
    """A run of received speech-rate audio, placed on the session's audio clock."""

    samples: Samples
    """Mono float32 at `SPEECH_RATE`, shape (n,), n >= 1."""
    start_samples: int
    """Position of the first sample since the session's first audio, in speech-rate samples."""
    concealed_samples: int = 0
    """Samples invented by loss concealment rather than received."""


def ms_to_samples(duration_ms: float, sample_rate: int) -> int:
    """Return the nearest whole number of samples in `duration_ms` milliseconds."""
    return round(duration_ms * sample_rate / 1000)


def samples_to_ms(samples: int, sample_rate: int) -> float:
    """Return the length of `samples` samples, in milliseconds."""
    return samples * 1000 / sample_rate


def speech_ms(samples: int) -> int:
    """Return a position or length in speech-rate samples as clients get it: in whole ms."""
    return round(samples_to_ms(samples, SPEECH_RATE))


def centered(samples: Samples) -> Samples:
    """Return `samples`, shape (n,), n >= 1, without their constant offset."""
    return samples - np.mean(samples, dtype=np.float64).astype(np.float32)


def to_int16(samples: Samples) -> npt.NDArray[np.int16]:
    """Convert float32 [-1, 1] to int16, clipped rather than wrapped."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16)


def from_int16(samples: npt.NDArray[np.int16]) -> Samples:
    """Convert int16 to float32 [-1, 1)."""
    return samples.astype(np.float32) / np.float32(32768.0)

"""Sound as a file."""

import io
import wave
from pathlib import Path

import numpy as np

from rtc_server.pcm import Samples


def wav(samples: Samples, sample_rate: int) -> bytes:
    """Return a 16-bit WAV file of mono float samples."""
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return data.getvalue()


def write_wav(path: Path, samples: Samples, sample_rate: int) -> Path:
    """Write `wav` to a file, and return its path."""
    path.write_bytes(wav(samples, sample_rate))
    return path

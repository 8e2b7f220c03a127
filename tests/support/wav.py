"""Sound as a file."""

import wave
from pathlib import Path

import numpy as np

from rtc_server.pcm import Samples


def write_wav(path: Path, samples: Samples, sample_rate: int) -> Path:
    """Write mono float samples as a 16-bit WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path

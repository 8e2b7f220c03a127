"""A microphone that is too loud for itself."""

from pathlib import Path

import numpy as np

from tests.support.signals import tone
from tests.support.wav import write_wav

RATE = 48_000
AS_IT_IS = """if (navigator.mediaDevices) {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = () => open({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
}"""
"""Has the browser leave the microphone's level alone, on a page that has one."""


def too_loud(folder: Path) -> Path:
    """Return a microphone's recording that is cut off at full scale."""
    loud = np.clip(4 * tone(220, 2000, sample_rate=RATE), -1, 1).astype(np.float32)
    return write_wav(folder / "loud.wav", loud, RATE)

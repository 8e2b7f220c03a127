"""Reading of recordings and writing of translated speech."""

import wave
from pathlib import Path

import av
import av.error
import numpy as np

from rtc_server.errors import ConfigError
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE, Samples, to_int16


def read_recording(path: Path) -> Samples:
    """Read any audio file as mono float32 at 16 kHz, shape (n,), n >= 1. Channels are mixed.

    Raises:
        ConfigError: the file cannot be read, or has no audio.
    """
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SPEECH_RATE)
    pieces: list[Samples] = []
    try:
        # Opened here: FFmpeg itself would also accept URLs.
        with path.open("rb") as file, av.open(file, "r") as container:
            if not container.streams.audio:
                raise ConfigError(f"There is no audio in {path}.")
            for frame in container.decode(audio=0):
                pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    except av.error.FFmpegError:
        raise ConfigError(f"{path} is not an audio file that can be read. Give a WAV.") from None
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}.") from None
    samples: Samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    if not len(samples):
        raise ConfigError(f"The recording {path} is empty.")
    return samples


def write_speech(path: Path, samples: Samples) -> None:
    """Write mono float32 at 48 kHz, shape (n,), as 16-bit WAV.

    Raises:
        ConfigError: the file cannot be written.
    """
    try:
        with path.open("wb") as file, wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(PLAYOUT_RATE)
            out.writeframes(to_int16(samples).tobytes())
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror}.") from None

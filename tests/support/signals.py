"""Test signals: exact ones, and speech from synthesizers that the server itself does not use."""

import shutil
import subprocess
import tempfile
import wave
from functools import cache
from pathlib import Path

import numpy as np
import scipy

from rtc_server.pcm import (
    SPEECH_RATE,
    Pcm,
    Samples,
    from_int16,
    ms_to_samples,
)
from tests.support.recordings import recorded


def silence(duration_ms: float, sample_rate: int = SPEECH_RATE) -> Samples:
    """Digital silence."""
    return np.zeros(ms_to_samples(duration_ms, sample_rate), np.float32)


def tone(
    frequency_hz: float, duration_ms: float, *, sample_rate: int = SPEECH_RATE, peak: float = 0.5
) -> Samples:
    """A sine that begins at zero."""
    time_s = np.arange(ms_to_samples(duration_ms, sample_rate)) / sample_rate
    return (peak * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def noise(duration_ms: float, *, level_db: float, seed: int = 0) -> Samples:
    """White noise of that mean power, in dB full scale."""
    count = ms_to_samples(duration_ms, SPEECH_RATE)
    samples = np.random.default_rng(seed).standard_normal(count)
    return (samples * 10 ** (level_db / 20)).astype(np.float32)


def add_noise(speech: Samples, *, snr_db: float, seed: int = 0) -> Samples:
    """Speech in white noise; the ratio counts where the speech is audible."""
    audible = speech[np.abs(speech) > 0.01 * np.abs(speech).max()]
    level_db = 10 * np.log10(np.mean(np.square(audible, dtype=np.float64))) - snr_db
    hiss = noise(speech.size * 1000 / SPEECH_RATE, level_db=float(level_db), seed=seed)
    return speech + hiss


def join(*parts: Samples) -> Samples:
    """Return sounds one after the other."""
    return np.concatenate(parts)


def pieces(samples: Samples, size: int = 320, start_samples: int = 0) -> list[Pcm]:
    """The signal as a transport would deliver it."""
    return [Pcm(samples[at : at + size], start_samples + at) for at in range(0, samples.size, size)]


@cache
def english(text: str, voice: str = "slt") -> Samples:
    """Return speech of flite, at `SPEECH_RATE`, only its audible part. Do not write into it."""
    command = ("flite", "-voice", voice, "-t", text, "-o", "{out}")
    return audible(recorded(voice, text, lambda: _spoken(command)))


@cache
def russian(text: str) -> Samples:
    """Spoken by Festival's Russian voice, as `english`."""
    command = ("text2wave", "-eval", "(voice_msu_ru_nsh_clunits)", "-o", "{out}")
    return audible(recorded("msu", text, lambda: _spoken(command, text.encode())))


def _spoken(command: tuple[str, ...], text: bytes = b"") -> Samples:
    assert shutil.which(command[0]), (
        f"No {command[0]}, nor a recording of this phrase in tests/support/recordings: "
        "apt-get install flite festival festvox-ru sox, run the test, commit the new file."
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        filled = [str(path) if part == "{out}" else part for part in command]
        subprocess.run(filled, input=text, check=True, capture_output=True, timeout=60)
        with wave.open(str(path)) as file:
            rate = file.getframerate()
            samples = from_int16(np.frombuffer(file.readframes(file.getnframes()), np.int16))
    if rate != SPEECH_RATE:
        samples = scipy.signal.resample_poly(samples, SPEECH_RATE, rate).astype(np.float32)
    return audible(samples)


def audible(samples: Samples) -> Samples:
    """Return the sound without the parts at both ends that are 45 dB or more below the peak."""
    loud = np.flatnonzero(np.abs(samples) > np.abs(samples).max() * 10 ** (-45 / 20))
    return samples[loud[0] : loud[-1] + 1]


def loudest_hz(samples: Samples, sample_rate: int) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * sample_rate / len(samples))

"""Log mel spectra as the recognisers were trained on them, in numpy.

`GigaamMel` follows GigaAM v3's ``FeatureExtractor``, `NemoMel` NeMo's
``AudioToMelSpectrogramPreprocessor``, `WhisperMel` OpenAI's ``log_mel_spectrogram``. All agree with
the numpy code of onnx-asr to 1e-4 (tests/model/test_laptop_features.py).
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from rtc_server.pcm import SPEECH_RATE, Samples, ms_to_samples

Floats = npt.NDArray[np.float32]

HOP_MS = 10
"""From one frame to the next."""
_HOP_SAMPLES = ms_to_samples(HOP_MS, SPEECH_RATE)


class Mel(Protocol):
    """Features that a recogniser takes."""

    def __call__(self, samples: Samples, /) -> Floats:
        """Return log mel features, shape (1, bins, frames), of n >= 400 samples of audio."""


class GigaamMel:
    """64 HTK bins, windows of 20 ms without padding, natural logarithm, no normalisation.

    GigaAM v3 was published with its window and filters rounded to bfloat16.
    """

    _FFT = 320
    _BINS = 64
    _FLOOR, _CEILING = 1e-9, 1e9

    def __init__(self) -> None:
        self._window = _bfloat16(np.hanning(self._FFT + 1)[:-1])  # periodic, as torch's
        edges = _htk_to_hz(np.linspace(0.0, _hz_to_htk(SPEECH_RATE / 2), self._BINS + 2))
        self._filters = _bfloat16(_triangles(edges, self._FFT))

    def __call__(self, samples: Samples) -> Floats:
        """See `Mel`."""
        frames = _frames(samples, self._FFT) * self._window
        energies = _power(frames, self._FFT) @ self._filters
        log: Floats = np.log(np.clip(energies, self._FLOOR, self._CEILING))
        return np.ascontiguousarray(log.T[None])


class NemoMel:
    """128 Slaney bins, windows of 25 ms, pre-emphasis; each bin with mean 0 and deviation 1."""

    _FFT = 512
    _WINDOW = 400
    _BINS = 128
    _PREEMPHASIS = np.float32(0.97)
    _FLOOR = np.float32(2.0**-24)
    _LEAST_DEVIATION = np.float32(1e-5)

    def __init__(self) -> None:
        side = (self._FFT - self._WINDOW) // 2
        self._window = np.pad(np.hanning(self._WINDOW), side).astype(np.float32)
        self._filters = _slaney_filters(self._BINS, self._FFT)

    def __call__(self, samples: Samples) -> Floats:
        """See `Mel`."""
        emphasised = samples.astype(np.float32)
        emphasised[1:] -= self._PREEMPHASIS * samples[:-1]
        frames = _frames(np.pad(emphasised, self._FFT // 2), self._FFT) * self._window
        frames = frames[: len(samples) // _HOP_SAMPLES]
        log = np.log(_power(frames, self._FFT) @ self._filters + self._FLOOR)
        log -= log.mean(axis=0)
        log /= log.std(axis=0, ddof=1) + self._LEAST_DEVIATION
        return np.ascontiguousarray(log.T[None])


class WhisperMel:
    """80 Slaney bins, windows of 25 ms; the uppermost 8 decades, brought to about -1 to 1."""

    _FFT = 400
    _BINS = 80
    _FLOOR = np.float32(1e-10)
    _DECADES = np.float32(8.0)

    def __init__(self) -> None:
        self._window = np.hanning(self._FFT + 1)[:-1].astype(np.float32)  # periodic, as torch's
        self._filters = _slaney_filters(self._BINS, self._FFT)

    def __call__(self, samples: Samples) -> Floats:
        """See `Mel`."""
        mirrored = np.pad(samples, self._FFT // 2, mode="reflect")
        frames = _frames(mirrored, self._FFT)[: len(samples) // _HOP_SAMPLES] * self._window
        log = np.log10(np.maximum(_power(frames, self._FFT) @ self._filters, self._FLOOR))
        scaled = (np.maximum(log, log.max() - self._DECADES) + 4.0) / 4.0
        return np.ascontiguousarray(scaled.T[None], np.float32)


def _frames(samples: Samples, length: int) -> Floats:
    return np.lib.stride_tricks.sliding_window_view(samples, length)[::_HOP_SAMPLES]


def _power(frames: Floats, fft: int) -> Floats:
    spectrum = np.fft.rfft(frames, fft)
    return (spectrum.real**2 + spectrum.imag**2).astype(np.float32)


def _triangles(edges: npt.NDArray[np.float64], fft: int) -> npt.NDArray[np.float64]:
    """Return triangular filters over `edges` in Hz, shape (fft / 2 + 1, filters)."""
    bins = np.linspace(0.0, SPEECH_RATE / 2, fft // 2 + 1)
    slopes = edges[None] - bins[:, None]
    widths = np.diff(edges)
    rising, falling = -slopes[:, :-2] / widths[:-1], slopes[:, 2:] / widths[1:]
    return np.maximum(0.0, np.minimum(rising, falling))


def _slaney_filters(bins: int, fft: int) -> Floats:
    """Return filters on Slaney's scale, each of the same area, shape (fft / 2 + 1, bins)."""
    edges = _slaney_to_hz(np.linspace(0.0, _hz_to_slaney(SPEECH_RATE / 2), bins + 2))
    area = 2.0 / (edges[2:] - edges[:-2])
    return (_triangles(edges, fft) * area).astype(np.float32)


def _hz_to_htk(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))


def _htk_to_hz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)


_SLANEY_LINEAR_MELS = 15.0
"""Mels up to 1 kHz, where Slaney's scale is linear; above it is logarithmic."""


def _hz_to_slaney(hz: float) -> float:
    """Return mels of a frequency above 1 kHz."""
    return float(_SLANEY_LINEAR_MELS + np.log(hz / 1000.0) * 27.0 / np.log(6.4))


def _slaney_to_hz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above = 1000.0 * np.exp((mels - _SLANEY_LINEAR_MELS) * np.log(6.4) / 27.0)
    return np.where(mels < _SLANEY_LINEAR_MELS, mels * 200.0 / 3.0, above)


def _bfloat16(values: npt.NDArray[np.float64]) -> Floats:
    """Round to the nearest bfloat16, ties to even, kept as float32."""
    bits = values.astype(np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return rounded.astype(np.uint32).view(np.float32)

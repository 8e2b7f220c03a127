"""Preparation of a segment for the model: removal of steady noise, and equal margins.

The model's own noise removal adapts to the sound and needs silence before it. Here the whole
segment is known, so the noise is measured in its quietest moments and removed by a Wiener filter.
The spectral gain is after Boll, "Suppression of acoustic noise in speech using spectral
subtraction", 1979, with a floor against musical tones.
"""

import numpy as np
import numpy.typing as npt

from rtc_server.engines.contract import SPEECH_RATE, Samples

_WINDOW = 512
_HOP = 128
_QUIET_SHARE = 0.15
"""Share of the time that counts as noise only, per frequency."""
_BIAS = 6.0
"""Ratio of the noise's power to that of its quietest moments; tuned."""
_LEAST_GAIN = 0.02
"""Gain in power for pure noise."""
_SMOOTH_FRAMES = 5
_SMOOTH_BINS = 3
ROOM_SAMPLES = SPEECH_RATE * 3 // 10
"""Silence before and after speech, as the model expects it."""
_LEVEL_SAMPLES = SPEECH_RATE // 100
_LOUD_SHARE = 4e-4
"""Share of the loudest power from which sound counts as speech (-34 dB)."""
_ABOVE_NOISE = 4.0
_MOST_NOISE = 0.01
"""Speech must have four times the power of the remaining noise, but no more than -20 dB."""
_MARGIN_SAMPLES = SPEECH_RATE // 10
"""Audio that is kept on either side of the speech, for soft beginnings and endings."""
_TAPER = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)


def denoise(samples: Samples) -> Samples:
    """Return samples with less steady noise, shape (n,); under two windows, unchanged."""
    if len(samples) < _WINDOW * 2:
        return samples
    padded = np.pad(samples, _WINDOW)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    spectra = np.fft.rfft(frames * _TAPER, axis=1)
    power = np.abs(spectra) ** 2
    noise = np.quantile(_smooth(power, _SMOOTH_FRAMES, axis=0), _QUIET_SHARE, axis=0) * _BIAS
    gain = np.maximum(1 - noise / np.maximum(power, 1e-12), _LEAST_GAIN)
    shaped = np.fft.irfft(spectra * np.sqrt(_smooth(gain, _SMOOTH_BINS, axis=1)), axis=1) * _TAPER
    joined = np.zeros(len(padded))
    for number, frame in enumerate(shaped):
        joined[number * _HOP : number * _HOP + _WINDOW] += frame
    overlap = float(np.sum(_TAPER**2)) / _HOP
    return (joined[_WINDOW : _WINDOW + len(samples)] / overlap).astype(np.float32)


def with_room(samples: Samples) -> Samples:
    """Return the speech with `ROOM_SAMPLES` on either side: a margin of the audio, then silence.

    So the model gets the same surroundings, however a segment was cut and whatever noise is left.
    """
    frames = len(samples) // _LEVEL_SAMPLES
    if not frames:
        return samples
    squares = np.square(samples[: frames * _LEVEL_SAMPLES], dtype=np.float64)
    power = _smooth(squares.reshape(frames, -1).mean(axis=1)[:, None], _SMOOTH_FRAMES, axis=0)
    noise = min(_ABOVE_NOISE * np.quantile(power, _QUIET_SHARE), _MOST_NOISE * power.max())
    loud = np.flatnonzero(power >= max(_LOUD_SHARE * power.max(), noise))
    start = max(0, int(loud[0]) * _LEVEL_SAMPLES - _MARGIN_SAMPLES)
    end = int(loud[-1] + 1) * _LEVEL_SAMPLES + _MARGIN_SAMPLES
    return np.pad(samples[start:end], ROOM_SAMPLES - _MARGIN_SAMPLES)


def _smooth(values: npt.NDArray[np.float64], width: int, axis: int) -> npt.NDArray[np.float64]:
    """Return the moving average over `width` neighbours."""
    half = width // 2
    pad = [(half, half) if number == axis else (0, 0) for number in range(2)]
    wide = np.pad(values, pad, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(wide, width, axis=axis)
    return np.asarray(windows.mean(axis=-1))

"""The network of Silero VAD 6 for 16 kHz (MIT, https://github.com/snakers4/silero-vad), in numpy.

One window is half a million multiplications: so little that a general runtime spends more on its
way to them than on them. Here it takes a third of onnxruntime's time, and gives the same result to
within float32's rounding. From a window of 512 samples to a probability: a spectrogram of 4 frames,
four convolutions over it that leave one column, and an LSTM cell that carries the past.
"""

import math
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from rtc_server.audio.onnx_weights import onnx_weights
from rtc_server.pcm import Samples

_Array: TypeAlias = npt.NDArray[np.float32]

WINDOW_SAMPLES = 512
_CONTEXT_SAMPLES = 64
"""The network wants the end of the window before in front of each, and as much mirrored behind."""
_INPUT_SAMPLES = _CONTEXT_SAMPLES + WINDOW_SAMPLES + _CONTEXT_SAMPLES
_FFT_SAMPLES, _HOP_SAMPLES, _FRAMES = 256, 128, 4
_BINS = _FFT_SAMPLES // 2 + 1
_TAPS = 3
_UNITS = 128
"""Of the first convolution and of the LSTM; the three between have 64, 64 and 128."""
_MIDDLE = 64


class SileroWeights:
    """What all streams share: the weights, as matrices that a row of input is multiplied with."""

    def __init__(self, path: Path) -> None:
        """Read them from the ONNX file of the 16 kHz model.

        Raises:
            ValueError: it is not that model.
            OSError: it cannot be read.
        """
        self._read = onnx_weights(path)
        basis = self._weight("stft.forward_basis_buffer", (2 * _BINS, 1, _FFT_SAMPLES))
        self.stft = np.ascontiguousarray(basis[:, 0].T)
        self.conv1, self.bias1 = self._convolution(0, (_UNITS, _BINS))
        self.conv2, self.bias2 = self._convolution(1, (_MIDDLE, _UNITS))
        conv3, self.bias3 = self._convolution(2, (_MIDDLE, _MIDDLE))
        conv4, self.bias4 = self._convolution(3, (_UNITS, _MIDDLE))
        # Two columns reach the third convolution and one the fourth: the other taps meet padding.
        self.conv3 = conv3[_MIDDLE:]
        self.conv4 = conv4[_MIDDLE : 2 * _MIDDLE]
        # PyTorch's gates are input, forget, cell, output; here the three sigmoids come first. As
        # sigmoid(x) = (1 + tanh(x / 2)) / 2, all four are one tanh, with the halves in the weights.
        shape = (4 * _UNITS, _UNITS)
        gates = np.hstack(
            [self._weight(f"decoder.rnn.weight_{of}", shape) for of in ("ih", "hh")]
            + [self._weight(f"decoder.rnn.bias_{of}", shape[:1])[:, None] for of in ("ih", "hh")]
        )
        first, forget, cell, output = np.split(gates, 4)
        gates = np.vstack([first / 2, forget / 2, output / 2, cell])
        self.lstm = np.ascontiguousarray(gates[:, : 2 * _UNITS].T)
        self.lstm_bias = gates[:, 2 * _UNITS :].sum(axis=1)
        self.output = self._weight("decoder.decoder.2.weight", (1, _UNITS, 1)).reshape(_UNITS)
        self.output_bias = float(self._weight("decoder.decoder.2.bias", (1,))[0])
        del self._read

    def _weight(self, name: str, shape: tuple[int, ...]) -> _Array:
        array = self._read.get(f"model.{name}")
        if array is None or array.shape != shape:
            raise ValueError(f"The model has no weights {name} of shape {shape}.")
        return array.copy()  # aligned, and without the file behind it

    def _convolution(self, layer: int, shape: tuple[int, int]) -> tuple[_Array, _Array]:
        """Of (out, in, taps): the matrix (taps × in, out), and the bias."""
        name = f"encoder.{layer}.reparam_conv"
        kernel = self._weight(f"{name}.weight", (*shape, _TAPS))
        matrix = np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(-1, shape[0]))
        return matrix, self._weight(f"{name}.bias", shape[:1])


class SileroStream:
    """One stream through the network. All arrays live as long as it does: a window makes few."""

    def __init__(self, weights: SileroWeights) -> None:
        self._weights = weights
        self._input = np.zeros(_INPUT_SAMPLES, np.float32)
        self._frames = _overlapping(self._input, _FRAMES, _FFT_SAMPLES, _HOP_SAMPLES)
        self._parts = np.zeros((_FRAMES, 2 * _BINS), np.float32)
        # A column of zeros pads each side of the spectrogram; before the second convolution, which
        # takes every other column, only the one in front is reached.
        spectrum = np.zeros((1 + _FRAMES + 1, _BINS), np.float32)
        self._spectrum = spectrum[1:-1]
        self._input1 = _overlapping(spectrum.reshape(-1), _FRAMES, _TAPS * _BINS, _BINS)
        layer1 = np.zeros((1 + _FRAMES, _UNITS), np.float32)
        self._layer1 = layer1[1:]
        self._input2 = _overlapping(layer1.reshape(-1), 2, _TAPS * _UNITS, 2 * _UNITS)
        self._layer2 = np.zeros((2, _MIDDLE), np.float32)
        self._input3 = self._layer2.reshape(-1)
        self._layer3 = np.zeros(_MIDDLE, np.float32)
        self._lstm_input = np.zeros(2 * _UNITS, np.float32)
        self._layer4, self._hidden = np.split(self._lstm_input, 2)
        self._cell = np.zeros(_UNITS, np.float32)
        self._gates = np.zeros(4 * _UNITS, np.float32)
        self._sigmoids = self._gates[: 3 * _UNITS]
        self._open, self._keep, self._show, self._new = np.split(self._gates, 4)

    def probability(self, window: Samples) -> float:
        """That the stream's next window is speech; shape (WINDOW_SAMPLES,)."""
        weights = self._weights
        whole = self._input
        end = _CONTEXT_SAMPLES + WINDOW_SAMPLES
        whole[:_CONTEXT_SAMPLES] = whole[WINDOW_SAMPLES:end]
        whole[_CONTEXT_SAMPLES:end] = window
        whole[end:] = whole[end - 2 : end - 2 - _CONTEXT_SAMPLES : -1]
        parts = np.dot(self._frames, weights.stft, out=self._parts)
        parts *= parts
        np.add(parts[:, :_BINS], parts[:, _BINS:], out=self._spectrum)
        np.sqrt(self._spectrum, out=self._spectrum)
        _layer(self._input1, weights.conv1, weights.bias1, self._layer1)
        _layer(self._input2, weights.conv2, weights.bias2, self._layer2)
        _layer(self._input3, weights.conv3, weights.bias3, self._layer3)
        _layer(self._layer3, weights.conv4, weights.bias4, self._layer4)
        gates, cell, hidden = self._gates, self._cell, self._hidden
        np.dot(self._lstm_input, weights.lstm, out=gates)
        gates += weights.lstm_bias
        np.tanh(gates, out=gates)
        self._sigmoids += 1
        self._sigmoids *= 0.5
        cell *= self._keep
        self._new *= self._open
        cell += self._new
        np.tanh(cell, out=hidden)
        hidden *= self._show
        speech = float(np.maximum(hidden, 0) @ weights.output) + weights.output_bias
        return 1 / (1 + math.exp(-speech))

    def reset(self) -> None:
        """Forget the stream; the next window begins another."""
        self._input[:] = 0
        self._hidden[:] = 0
        self._cell[:] = 0


def _layer(columns: _Array, matrix: _Array, bias: _Array, out: _Array) -> None:
    """A convolution, or what is left of one, and its rectifier."""
    np.dot(columns, matrix, out=out)
    out += bias
    np.maximum(out, 0, out=out)


def _overlapping(array: _Array, rows: int, size: int, step: int) -> _Array:
    """The array as rows that begin a step apart; a view."""
    return np.lib.stride_tricks.sliding_window_view(array, size)[: rows * step : step]

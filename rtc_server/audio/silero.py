"""Network of Silero VAD 6 for 16 kHz (MIT, https://github.com/snakers4/silero-vad), in numpy.

A window takes half a million multiplications, so few that a general runtime spends more time on its
overhead. This code takes a third of onnxruntime's time, with the same result to within float32's
rounding. From a window of 512 samples to a probability: a spectrogram of 4 frames, four
convolutions that reduce it to one column, and an LSTM cell with the state of the stream.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from rtc_server.pcm import Samples

_Array: TypeAlias = npt.NDArray[np.float32]

WINDOW_SAMPLES = 512
_CONTEXT_SAMPLES = 64
"""Samples of the window before that the network gets before each window; as many mirrored samples
follow it."""
_FFT_SAMPLES, _HOP_SAMPLES, _FRAMES = 256, 128, 4
_BINS = _FFT_SAMPLES // 2 + 1
_TAPS = 3
_UNITS = 128
"""Units of the first convolution and of the LSTM; the three layers between have 64, 64 and 128."""
_MIDDLE = 64
_HIDDEN = slice(_CONTEXT_SAMPLES, _CONTEXT_SAMPLES + _UNITS)
_CELL = slice(_CONTEXT_SAMPLES + _UNITS, _CONTEXT_SAMPLES + 2 * _UNITS)
"""Indices of the LSTM's states in `SileroStream.memory`, after the end of the last window."""


class SileroWeights:
    """Weights that all streams share, as matrices for rows of input."""

    def __init__(self, path: Path) -> None:
        """Read the weights from `path`, which `models/silero_vad/recipe.py` wrote.

        Raises:
            ValueError: the file is another one, or damaged.
            OSError: it cannot be read.
        """
        self._read = _read_arrays(path)
        basis = self._weight("stft.forward_basis_buffer", (2 * _BINS, 1, _FFT_SAMPLES))
        self.stft = np.ascontiguousarray(basis[:, 0].T)
        self.conv1, self.bias1 = self._convolution(0, (_UNITS, _BINS))
        self.conv2, self.bias2 = self._convolution(1, (_MIDDLE, _UNITS))
        conv3, self.bias3 = self._convolution(2, (_MIDDLE, _MIDDLE))
        conv4, self.bias4 = self._convolution(3, (_UNITS, _MIDDLE))
        # The third convolution gets two columns and the fourth one: their other taps meet padding.
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
        if array is None or array.shape != shape or array.dtype != np.float32:
            raise ValueError(f"It has no float32 weights {name} of shape {shape}.")
        return array

    def _convolution(self, layer: int, shape: tuple[int, int]) -> tuple[_Array, _Array]:
        """Return the matrix (taps × in, out) and the bias of a layer (out, in, taps)."""
        name = f"encoder.{layer}.reparam_conv"
        kernel = self._weight(f"{name}.weight", (*shape, _TAPS))
        matrix = np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(-1, shape[0]))
        return matrix, self._weight(f"{name}.bias", shape[:1])


class SileroStream:
    """Network state of one stream: the end of its last window, and the LSTM's state."""

    def __init__(self) -> None:
        self.memory = np.zeros(_CELL.stop, np.float32)

    def reset(self) -> None:
        """Forget the stream; the next window begins another."""
        self.memory[:] = 0


def probabilities(
    weights: SileroWeights, streams: Sequence[SileroStream], windows: Sequence[Samples]
) -> list[float]:
    """Return the probability of speech in the next window of each stream. With two dozen streams in
    one call, each takes half as long.

    Args:
        weights: weights of the network.
        streams: one or more streams, each once.
        windows: one window for each stream, float32, shape (512,).
    """
    count = len(windows)
    memory = np.concatenate([stream.memory for stream in streams]).reshape(count, -1)
    past, hidden, cell = memory[:, :_CONTEXT_SAMPLES], memory[:, _HIDDEN], memory[:, _CELL]
    window = np.concatenate(windows).reshape(count, -1)
    mirrored = window[:, -2 : -2 - _CONTEXT_SAMPLES : -1]
    whole = np.concatenate((past, window, mirrored), axis=1)
    past[:] = window[:, -_CONTEXT_SAMPLES:]
    parts = _columns(whole, _FFT_SAMPLES, _HOP_SAMPLES) @ weights.stft
    parts *= parts
    parts = parts.reshape(count, _FRAMES, 2 * _BINS)
    # A column of zeros pads each side of the spectrogram. The second convolution takes every other
    # column, so it needs only the padding in front.
    spectrum = np.zeros((count, 1 + _FRAMES + 1, _BINS), np.float32)
    np.add(parts[:, :, :_BINS], parts[:, :, _BINS:], out=spectrum[:, 1:-1])
    np.sqrt(spectrum, out=spectrum)
    columns = _columns(spectrum.reshape(count, -1), _TAPS * _BINS, _BINS)
    layer1 = np.zeros((count, 1 + _FRAMES, _UNITS), np.float32)
    layer1[:, 1:] = _layer(columns, weights.conv1, weights.bias1).reshape(count, _FRAMES, _UNITS)
    columns = _columns(layer1.reshape(count, -1), _TAPS * _UNITS, 2 * _UNITS)
    layer2 = _layer(columns, weights.conv2, weights.bias2).reshape(count, -1)
    layer3 = _layer(layer2, weights.conv3, weights.bias3)
    layer4 = _layer(layer3, weights.conv4, weights.bias4)
    gates = np.concatenate((layer4, hidden), axis=1) @ weights.lstm
    gates += weights.lstm_bias
    np.tanh(gates, out=gates)
    sigmoids = gates[:, : 3 * _UNITS]
    sigmoids += 1
    sigmoids *= 0.5
    take, keep, show = (sigmoids[:, at : at + _UNITS] for at in range(0, 3 * _UNITS, _UNITS))
    new = gates[:, 3 * _UNITS :]
    cell *= keep
    new *= take
    cell += new
    np.tanh(cell, out=hidden)
    hidden *= show
    for stream, remembered in zip(streams, memory, strict=True):
        stream.memory[:] = remembered
    speech = np.maximum(hidden, 0) @ weights.output + weights.output_bias
    probable: list[float] = (1 / (1 + np.exp(-speech))).tolist()
    return probable


def _read_arrays(path: Path) -> dict[str, _Array]:
    """Return the arrays of an ``.npz`` file by name.

    Raises:
        ValueError: it is no such file, or damaged.
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file, np.load(file) as archive:
            return dict(archive)
    except (EOFError, TypeError, zipfile.BadZipFile) as exc:
        # No file, a lone array, a member whose checksum is wrong.
        raise ValueError(f"It is not an archive of weights ({exc}).") from exc


def _layer(columns: _Array, matrix: _Array, bias: _Array) -> _Array:
    """Return the output of a convolution and its rectifier, one row for each column of input."""
    out: _Array = columns @ matrix
    out += bias
    return np.maximum(out, 0, out=out)


def _columns(rows: _Array, size: int, step: int) -> _Array:
    """Return the overlapping pieces of each row: `size` values each, `step` apart; one per row."""
    count, length = rows.shape
    across, along = rows.strides
    each = (length - size) // step + 1
    # as_strided and sliding_window_view take longer to make the same view than the copy takes.
    strides = (across, step * along, along)
    return np.ndarray((count, each, size), np.float32, rows, 0, strides).reshape(-1, size)

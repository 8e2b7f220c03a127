"""Voice activity detectors: one window of audio in, the probability of speech out.

A detector keeps the state of one stream. What is large (the model) is shared by all of them.
"""

from collections import deque
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import onnxruntime
import webrtcvad

from rtc_server.errors import ConfigError
from rtc_server.pcm import SPEECH_RATE, Samples, to_int16

SILERO_MODEL = "silero_vad_op18_ifless.onnx"
"""The fastest of the equivalent 16 kHz models in the silero-vad wheel (`bench/vad.py`)."""


class Vad(Protocol):
    """A voice activity detector of one stream."""

    @property
    def window_samples(self) -> int:
        """Samples that `probability` takes at once."""

    def probability(self, window: Samples) -> float:
        """Probability in [0, 1] that the next window of the stream is speech.

        Args:
            window: float32 at `SPEECH_RATE`, shape (window_samples,).
        """

    def reset(self) -> None:
        """Forget the stream; the next window begins another."""


VadFactory: TypeAlias = Callable[[], Vad]
"""Makes the detector of a new stream. Cheap: the model is loaded already."""


def make_vad_factory(name: str) -> VadFactory:
    """Load what all streams share.

    Args:
        name: ``silero`` or ``webrtc``.

    Raises:
        ConfigError: no detector has that name, or the Silero model is not installed.
    """
    if name == "webrtc":
        return WebRtcVad
    if name == "silero":
        session = load_silero(silero_model_path())
        return lambda: SileroVad(session)
    raise ConfigError(f"There is no voice activity detector {name!r}; choose silero or webrtc.")


def silero_model_path() -> Path:
    """Where the installed silero-vad wheel keeps its model.

    The package itself is not imported: it would want torch.

    Raises:
        ConfigError: the wheel is not installed, or carries another model.
    """
    spec = find_spec("silero_vad")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "data" / SILERO_MODEL
        if path.is_file():
            return path
    raise ConfigError(
        "The Silero voice activity detector is not installed. Run "
        "`pip install --no-deps silero-vad` (without --no-deps it installs torch, which is not "
        "needed), or choose another with --vad webrtc."
    )


def load_silero(path: Path) -> onnxruntime.InferenceSession:
    """A session that runs in the calling thread only: one window is less work than a hand-over."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class SileroVad:
    """Silero VAD 6 (MIT, https://github.com/snakers4/silero-vad) on 32 ms windows."""

    window_samples = 512
    _CONTEXT_SAMPLES = 64
    """The model wants the end of the window before in front of each window."""
    _RATE = np.array(SPEECH_RATE, dtype=np.int64)
    _SILENT_PEAK = 1e-4
    """What stays below this, −80 dB, is no microphone: it is muted, or its noise is suppressed."""
    _SETTLED_WINDOWS = 16
    """After half a second of that the model is not asked. Asked on, its state would drift until it
    no longer knows the speech that follows; and it costs more than all else of a silent session."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._input = np.zeros((1, self._CONTEXT_SAMPLES + self.window_samples), np.float32)
        self._state: npt.NDArray[np.float32] = np.zeros((2, 1, 128), np.float32)
        self._silent_windows = 0
        self._probability = 0.0

    def probability(self, window: Samples) -> float:
        """See `Vad.probability`."""
        silent = max(window.max(), -window.min()) < self._SILENT_PEAK
        self._silent_windows = self._silent_windows + 1 if silent else 0
        if self._silent_windows > self._SETTLED_WINDOWS:
            return self._probability
        row = self._input[0]
        row[: self._CONTEXT_SAMPLES] = row[-self._CONTEXT_SAMPLES :]
        row[self._CONTEXT_SAMPLES :] = window
        output, self._state = self._session.run(
            None, {"input": self._input, "state": self._state, "sr": self._RATE}
        )
        self._probability = float(output[0, 0])
        return self._probability

    def reset(self) -> None:
        """See `Vad.reset`."""
        self._input[:] = 0.0
        self._state = np.zeros_like(self._state)
        self._silent_windows = 0


class WebRtcVad:
    """The detector of the WebRTC project: far cheaper, and far more easily fooled by noise.

    It only says yes or no; the share of yes among the last few windows stands for a probability.
    """

    window_samples = 320
    _AGGRESSIVENESS = 3
    """0 to 3; 3 lets the least noise through."""
    _SMOOTHING_WINDOWS = 5

    def __init__(self) -> None:
        self.reset()

    def probability(self, window: Samples) -> float:
        """See `Vad.probability`."""
        voiced = self._vad.is_speech(to_int16(window).tobytes(), SPEECH_RATE)
        self._recent.append(voiced)
        return sum(self._recent) / self._SMOOTHING_WINDOWS

    def reset(self) -> None:
        """See `Vad.reset`."""
        self._vad = webrtcvad.Vad(self._AGGRESSIVENESS)
        self._recent: deque[bool] = deque(maxlen=self._SMOOTHING_WINDOWS)

"""Voice activity detectors: one window of audio in, the probability of speech out.

A detector has the state of one stream. All detectors share the model, which is large.
"""

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import webrtcvad

from rtc_server.audio import silero
from rtc_server.audio.silero import WINDOW_SAMPLES, SileroStream, SileroWeights
from rtc_server.errors import ConfigError
from rtc_server.pcm import SPEECH_RATE, Samples, to_int16
from rtc_server.resources import resource_folder


class Vad(Protocol):
    """A voice activity detector of one stream."""

    @property
    def window_samples(self) -> int:
        """Samples that `probability` takes at once."""

    def probability(self, window: Samples) -> float:
        """Return the probability in [0, 1] that the next window of the stream is speech.

        Args:
            window: float32 at `SPEECH_RATE`, shape (window_samples,).
        """

    def reset(self) -> None:
        """Forget the stream; the next window begins another one."""


VadFactory: TypeAlias = Callable[[], Vad]
"""Function that makes the detector of a new stream. It is fast: the model is already loaded."""


def make_vad_factory(name: str) -> VadFactory:
    """Load the model that all streams share, and return a factory of detectors.

    Args:
        name: ``silero`` or ``webrtc``.

    Raises:
        ConfigError: no detector has that name, or the installed weights are damaged.
    """
    if name == "webrtc":
        return WebRtcVad
    if name == "silero":
        weights = load_silero(resource_folder("models/silero_vad") / "weights.npz")
        return lambda: SileroVad(weights)
    raise ConfigError(f"There is no voice activity detector {name!r}; choose silero or webrtc.")


def load_silero(path: Path) -> SileroWeights:
    """Return the weights in the file `path`.

    Raises:
        ConfigError: the file is missing, damaged, or of another model.
    """
    try:
        return SileroWeights(path)
    except (OSError, ValueError) as exc:
        raise ConfigError(
            f"The Silero voice activity detector cannot use {path}: {exc} Install rtc-server "
            "again, or choose another detector with --vad webrtc."
        ) from exc


def probabilities(vads: Sequence[Vad], windows: Sequence[Samples]) -> list[float]:
    """Return `Vad.probability` of the next window of each stream, by Silero in a single call.

    Args:
        vads: detectors of one factory, each once.
        windows: one window for each detector.
    """
    together = [vad for vad in vads if isinstance(vad, SileroVad)]
    if together and len(together) == len(vads):
        return SileroVad.probabilities(together, windows)
    return [vad.probability(window) for vad, window in zip(vads, windows, strict=True)]


class SileroVad:
    """Silero VAD 6 on 32 ms windows."""

    window_samples = WINDOW_SAMPLES
    _SILENT_ENERGY = WINDOW_SAMPLES * 1e-8
    """Energy (−80 dB) below which the microphone is muted, or its noise is suppressed."""
    _SETTLED_WINDOWS = 16
    """Windows of such silence, half a second, after which the model does not run. Otherwise its
    state would drift until it does not recognise the speech that follows; and it would take more
    time than all else of a silent session."""

    def __init__(self, weights: SileroWeights) -> None:
        self._weights = weights
        self._stream = SileroStream()
        self._silent_windows = 0
        self._probability = 0.0

    def probability(self, window: Samples) -> float:
        """See `Vad.probability`."""
        return self.probabilities([self], [window])[0]

    @staticmethod
    def probabilities(vads: "Sequence[SileroVad]", windows: Sequence[Samples]) -> list[float]:
        """Return the probability of the next window of each stream. The detectors share their
        weights; there is at least one, and each is given once.
        """
        asked = [
            (vad, window)
            for vad, window in zip(vads, windows, strict=True)
            if not vad._has_settled(window)
        ]
        if asked:
            heard = silero.probabilities(
                asked[0][0]._weights, [vad._stream for vad, _ in asked], [w for _, w in asked]
            )
            for (vad, _), probability in zip(asked, heard, strict=True):
                vad._probability = probability
        return [vad._probability for vad in vads]

    def reset(self) -> None:
        """See `Vad.reset`."""
        self._stream.reset()
        self._silent_windows = 0

    def _has_settled(self, window: Samples) -> bool:
        """Return whether silence, including this window, has lasted so long that the model need not
        run.
        """
        silent = window @ window < self._SILENT_ENERGY
        self._silent_windows = self._silent_windows + 1 if silent else 0
        return self._silent_windows > self._SETTLED_WINDOWS


class WebRtcVad:
    """Detector of the WebRTC project: much faster, and much more often wrong in noise.

    It only decides yes or no; the share of yes in the last few windows serves as a probability.
    """

    window_samples = 320
    _AGGRESSIVENESS = 3
    """Aggressiveness, 0 to 3: 3 lets the least noise through."""
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

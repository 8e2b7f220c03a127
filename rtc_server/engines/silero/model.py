"""One Silero model: its loading, and calls that work around its known faults.

A model is a ``torch.package`` file: a zip with Python code that runs when it is loaded. So its hash
is checked first, through the handle from which it is then loaded. ``torch.hub`` and the ``silero``
package are not used, because both use the network.
"""

import inspect
import logging
import sys
import warnings
from typing import Any, BinaryIO

import numpy as np
import torch

from rtc_server.errors import EngineError, EngineUnavailable
from rtc_server.pcm import Samples

SAMPLE_RATE = 48_000
"""Highest sample rate of the models, and that of the playout: nothing is resampled."""

_KEYWORDS = {
    "put_accent": True,
    "put_yo": True,
    "put_stress_homo": True,
    "put_yo_homo": True,
    "stress_single_vowel": True,
}
"""Options of the models. Each generation knows some of these."""
_NAMED_RATES = {0.5: "x-slow", 0.8: "slow", 1.0: "medium", 1.2: "fast", 1.5: "x-fast"}
"""SSML's names of rates, for models that take no percentage."""

_log = logging.getLogger(__name__)


class SileroModel:
    """A loaded model on a device. Not thread-safe: it has state between calls."""

    def __init__(self, name: str, handle: BinaryIO, device: str) -> None:
        """Load the package, which runs its code.

        Args:
            name: for messages.
            handle: the package, already checked; closed here.
            device: ``cpu`` or ``cuda``.

        Raises:
            EngineUnavailable: it is not a Silero package, or PyTorch cannot load it.
        """
        self.name = name
        self.device = device
        # With profiling the first two calls on a GPU take up to minutes (silero-models #183, #223).
        torch._C._jit_set_profiling_mode(False)
        try:
            with handle, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the packages' TorchScript is deprecated
                importer = torch.package.PackageImporter(handle)
                self._model: Any = importer.load_pickle("tts_models", "model")
            self._model.to(torch.device(device))  # returns None
            self.speakers: tuple[str, ...] = tuple(self._model.speakers)
        except Exception as exc:  # whatever the package's code raises
            raise EngineUnavailable(
                f"{name} cannot be loaded as a Silero model ({type(exc).__name__}: {exc}). Fetch "
                f"it again with `rtc-server models fetch {name}`, or check the PyTorch version."
            ) from exc
        known = inspect.signature(self._model.apply_tts).parameters
        self._keywords = {key: value for key, value in _KEYWORDS.items() if key in known}
        self._takes_percent = True
        self.alphabet = _alphabet(self._model)
        """Characters that the model reads, in lower case; None if it does not list them."""

    def warm_up(self, speaker: str, text: str) -> None:
        """Make two calls, in which PyTorch unpacks weights and chooses kernels; and one with a
        rate, to find out whether the model takes a percentage.

        Raises:
            EngineError: the model fails.
        """
        for _ in range(2):
            self.speak(text, speaker)
        try:
            self._apply(text, speaker, 1.1)
        except Exception as exc:
            _log.info("%s takes no rate in percent (%s): names are used", self.name, type(exc))
            self._takes_percent = False

    def speak(self, text: str, speaker: str, rate: float = 1.0) -> Samples:
        """Return speech of one clause: mono float32 at 48 kHz, shape (n,); n may be 0.

        A failed call is repeated twice. On a GPU, where every fault is reported as "probably it's
        too long" (silero-models #222), the last try is on the CPU, where the model stays.

        Args:
            text: in the model's alphabet, at most 200 characters.
            speaker: one of `speakers`.
            rate: 0.5 to 2.

        Raises:
            EngineError: the last try failed, too.
        """
        return self._speak(text, speaker, rate, retries=2)

    def _speak(self, text: str, speaker: str, rate: float, retries: int) -> Samples:
        try:
            return self._apply(text, speaker, rate)
        except ValueError:
            _log.warning("%s found nothing to say in %d characters", self.name, len(text))
            return np.empty(0, np.float32)
        except Exception as exc:  # the packages raise bare Exception
            kind = type(exc).__name__
            if not retries:
                raise EngineError(
                    f"Silero's model {self.name} failed on a text of {len(text)} characters "
                    f"({kind})."
                ) from None
            _log.warning("%s failed on %s (%s); trying again", self.name, self.device, kind)
        if retries == 1 and self.device != "cpu":
            self._move_to_cpu()
        return self._speak(text, speaker, rate, retries - 1)

    def _apply(self, text: str, speaker: str, rate: float) -> Samples:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # about text that is long, or SSML
            wave = self._model.apply_tts(
                **({"text": text} if rate == 1.0 else {"ssml_text": self._ssml(text, rate)}),
                speaker=speaker,
                sample_rate=SAMPLE_RATE,
                **self._keywords,
            )
        samples: Samples = np.ascontiguousarray(wave.cpu().numpy(), np.float32)
        return samples

    def _ssml(self, text: str, rate: float) -> str:
        """Return `text` as SSML. Characters with a meaning in XML are in no alphabet."""
        if self._takes_percent:
            named = f"{round(rate * 100)}%"
        else:
            named = _NAMED_RATES[min(_NAMED_RATES, key=lambda known: abs(known - rate))]
        return f'<speak><prosody rate="{named}">{text}</prosody></speak>'

    def _move_to_cpu(self) -> None:
        """Move the model from the GPU.

        Raises:
            SystemExit: the model cannot be moved in this process; the server starts another one.
        """
        _log.warning("%s continues on the CPU, because the GPU failed twice", self.name)
        try:
            self._model.to(torch.device("cpu"))
        except Exception as exc:
            sys.exit(
                f"CUDA failed, and the model cannot be moved to the CPU ({type(exc).__name__})"
            )
        self.device = "cpu"


def _alphabet(model: Any) -> frozenset[str] | None:
    """Return the symbols that a model, or the first part of a newer one, lists; else None."""
    part = next(iter(getattr(model, "packages", ())), model)
    symbols = getattr(part, "symbols", None)
    if not isinstance(symbols, str | list | tuple):
        return None
    return frozenset("".join(symbols).lower()) or None

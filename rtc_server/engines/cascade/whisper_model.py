"""Whisper's network on CTranslate2: audio features to token numbers, and where each token lies.

CTranslate2 is a C++ library (MIT) that needs no torch, reads the weights as Systran publishes them,
computes in 8 bits and holds the decoder's loop. Everything that judges what comes out is in
`whisper`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Protocol

from rtc_server.engines.cascade.features import Floats
from rtc_server.engines.extras import install_command
from rtc_server.errors import EngineUnavailable


@dataclass(frozen=True, slots=True)
class DecodedWindow:
    """Tokens that the decoder chose, and how sure it was."""

    tokens: tuple[int, ...]
    """Numbers of the text's tokens, without the end's."""
    mean_log_probability: float
    """Of these tokens."""
    no_speech_probability: float
    """Of the token that stands for audio without speech."""


class WhisperModel(Protocol):
    """Interface of the network to `whisper.WhisperRecognizer`."""

    def encode(self, features: Floats) -> Any:
        """Return what the encoder makes of features, shape (1, 80, frames <= 3000)."""

    def decode(self, encoded: Any, prompt: Sequence[int], most_tokens: int) -> DecodedWindow:
        """Return the likeliest token at each step, after `prompt`, at most `most_tokens`."""

    def align(
        self, encoded: Any, prompt: Sequence[int], tokens: Sequence[int], frames: int
    ) -> list[tuple[int, int]]:
        """Return (place in `tokens`, encoder step) pairs, neither ever falling.

        The place behind the last token stands for the end. `frames` of the features hold audio.
        """


class Ctranslate2Model:
    """See `WhisperModel`."""

    def __init__(self, model: Any) -> None:
        """`model` is a ``ctranslate2.models.Whisper``."""
        self._model = model

    def encode(self, features: Floats) -> Any:
        """See `WhisperModel`."""
        import ctranslate2  # noqa: PLC0415 (in the engine's process)

        return self._model.encode(ctranslate2.StorageView.from_array(features))

    def decode(self, encoded: Any, prompt: Sequence[int], most_tokens: int) -> DecodedWindow:
        """See `WhisperModel`."""
        (result,) = self._model.generate(
            encoded,
            [list(prompt)],
            beam_size=1,
            max_length=2 * most_tokens,  # CTranslate2 keeps one half for the prompt
            return_scores=True,
            return_no_speech_prob=True,
        )
        return DecodedWindow(
            tuple(result.sequences_ids[0]), result.scores[0], result.no_speech_prob
        )

    def align(
        self, encoded: Any, prompt: Sequence[int], tokens: Sequence[int], frames: int
    ) -> list[tuple[int, int]]:
        """See `WhisperModel`."""
        (result,) = self._model.align(encoded, list(prompt), [list(tokens)], frames)
        return list(result.alignments)


def open_model(files: Mapping[str, bytes], name: str, threads: int, advice: str) -> WhisperModel:
    """Return the network that these files make, computing in 8 bits.

    Args:
        files: what its files hold, by their names.
        name: what people know the model by.
        threads: most threads of one call.
        advice: sentence with the next step, for when it cannot be loaded.

    Raises:
        EngineUnavailable: they make none, or the library is not installed.
    """
    if find_spec("ctranslate2") is None:
        raise EngineUnavailable(
            f"{name} needs ctranslate2, not installed here. Run: {install_command('whisper')}"
        )
    # libgomp's threads spin between calls unless told before it is loaded (see `onnx_session`).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import ctranslate2  # noqa: PLC0415 (in the engine's process)

    try:
        model = ctranslate2.models.Whisper(
            name, compute_type="int8", intra_threads=threads, files=dict(files)
        )
    except (RuntimeError, ValueError) as exc:
        raise EngineUnavailable(
            f"{name} cannot be loaded ({type(exc).__name__}). {advice}"
        ) from exc
    return Ctranslate2Model(model)

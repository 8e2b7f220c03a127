"""Recognisers with a CTC head: GigaAM v3 in the layout of its ONNX export.

One graph: ``features`` float32 (1, bins, frames) and ``feature_lengths`` int64 (1,) give
``log_probs`` float32 (1, frames / 4, tokens).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from rtc_server.engines.cascade.features import HOP_MS, Floats, Mel
from rtc_server.engines.cascade.recognizer import Transcript
from rtc_server.engines.cascade.vocabulary import Token, Vocabulary
from rtc_server.pcm import Samples

INPUTS = ("features", "feature_lengths")
_FRAMES_A_STEP = 4
_STEP_MS = _FRAMES_A_STEP * HOP_MS


class CtcRecognizer:
    """See `rtc_server.engines.cascade.recognizer.Recognizer`. Hears one language."""

    def __init__(self, session: Any, vocabulary: Vocabulary, mel: Mel, language: str) -> None:
        """`session` is an ``onnxruntime.InferenceSession`` of the graph above."""
        self._session = session
        self._vocabulary = vocabulary
        self._mel = mel
        self.languages = (language,)

    def transcribe(self, samples: Samples, language: str, *, partial: bool = False) -> Transcript:
        """See `Recognizer`. It takes the same time for any audio of one length."""
        features = self._mel(samples)
        lengths = np.array([features.shape[2]], np.int64)
        inputs = {"features": features, "feature_lengths": lengths}
        (log_probs,) = self._session.run(["log_probs"], inputs)
        steps = (features.shape[2] - 1) // _FRAMES_A_STEP + 1
        return self._vocabulary.transcript(greedy(log_probs[0, :steps], self._vocabulary.blank))


def greedy(log_probs: Floats, blank: int) -> list[Token]:
    """Return the likeliest token of each step, repeats joined and blanks left out.

    Args:
        log_probs: scores, shape (steps, tokens).
        blank: number of the blank.
    """
    best: npt.NDArray[np.int64] = log_probs.argmax(axis=1)
    last_of_run = np.flatnonzero(np.diff(best, append=-1))
    return [
        Token(int(best[step]), int(step + 1) * _STEP_MS)
        for step in last_of_run
        if best[step] != blank
    ]

"""Token-and-duration transducers: Parakeet TDT in the layout of its ONNX export.

Two graphs. The encoder takes ``audio_signal`` float32 (1, bins, frames) and ``length`` int64 (1,)
and gives ``outputs`` (1, width, steps) and ``encoded_lengths`` (1,). ``decoder_joint`` takes one
step of that, the last token and two states, and scores every token and, behind these, every
duration (steps to go on by). (Xu et al., "Efficient Sequence Transduction by Jointly Predicting
Tokens and Durations", 2023.)

The model guesses the language by itself and cannot be told it: Polish has come out in Cyrillic.
Tokens with letters of another script than the language's are therefore never chosen.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from rtc_server.engines.cascade.features import HOP_MS, Mel
from rtc_server.engines.cascade.recognizer import Transcript
from rtc_server.engines.cascade.vocabulary import Token, Vocabulary
from rtc_server.pcm import Samples

ENCODER_INPUTS = ("audio_signal", "length")
_STATES = ("input_states_1", "input_states_2")
JOINT_INPUTS = ("encoder_outputs", "targets", "target_length", *_STATES)
_FRAMES_A_STEP = 8
_STEP_MS = _FRAMES_A_STEP * HOP_MS
_MOST_TOKENS_A_STEP = 10
"""After so many without moving on, as NeMo's greedy decoding does, one step is skipped."""
_INTEGERS = {"tensor(int32)": np.int32, "tensor(int64)": np.int64}


class TdtRecognizer:
    """See `rtc_server.engines.cascade.recognizer.Recognizer`."""

    def __init__(
        self,
        encoder: Any,
        decoder_joint: Any,
        vocabulary: Vocabulary,
        mel: Mel,
        languages: Sequence[str],
    ) -> None:
        """The first two are ``onnxruntime.InferenceSession`` of the graphs above."""
        self._encoder = encoder
        self._decoder_joint = decoder_joint
        self._vocabulary = vocabulary
        self._mel = mel
        self.languages = tuple(languages)
        inputs = {each.name: each for each in decoder_joint.get_inputs()}
        self._states = tuple(
            np.zeros((inputs[name].shape[0], 1, inputs[name].shape[2]), np.float32)
            for name in _STATES
        )
        self._integer = _INTEGERS[inputs["targets"].type]
        self._penalty = cache(self._penalty_of)

    def transcribe(self, samples: Samples, language: str, *, partial: bool = False) -> Transcript:
        """See `Recognizer`. It takes the same time for any audio of one length."""
        features = self._mel(samples)
        lengths = np.array([features.shape[2]], np.int64)
        inputs = {"audio_signal": features, "length": lengths}
        encoded, steps = self._encoder.run(["outputs", "encoded_lengths"], inputs)
        return self._vocabulary.transcript(self._decode(encoded, int(steps[0]), language))

    def _decode(self, encoded: Any, steps: int, language: str) -> list[Token]:
        vocabulary, penalty = self._vocabulary, self._penalty(language)
        one = np.array([1], self._integer)
        last, states = vocabulary.blank, self._states
        tokens: list[Token] = []
        step, emitted = 0, 0
        while step < steps:
            scores, *following = self._decoder_joint.run(
                ["outputs", "output_states_1", "output_states_2"],
                {
                    "encoder_outputs": encoded[:, :, step : step + 1],
                    "targets": np.array([[last]], self._integer),
                    "target_length": one,
                    "input_states_1": states[0],
                    "input_states_2": states[1],
                },
            )
            scores = scores.reshape(-1)
            token = int((scores[: len(vocabulary)] + penalty).argmax())
            duration = int(scores[len(vocabulary) :].argmax())
            if token != vocabulary.blank:
                last, states = token, tuple(following)
                emitted += 1
                tokens.append(Token(token, (step + max(duration, 1)) * _STEP_MS))
            if duration == 0 and (token == vocabulary.blank or emitted == _MOST_TOKENS_A_STEP):
                duration = 1
            if duration:
                step, emitted = step + duration, 0
        return tokens

    def _penalty_of(self, language: str) -> Any:
        """Return the amount added to the scores of all tokens: minus infinity where the script is
        another.
        """
        foreign = self._vocabulary.foreign(language)
        return np.where(foreign, np.float32(-np.inf), np.float32(0.0))

"""CTC and TDT decoding over graphs that answer from a script."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtc_server.engines.cascade.ctc import CtcRecognizer, greedy
from rtc_server.engines.cascade.features import Floats
from rtc_server.engines.cascade.tdt import TdtRecognizer
from rtc_server.engines.cascade.vocabulary import Vocabulary
from rtc_server.pcm import Samples

PIECES = ("▁так", "▁tak", "▁yes", "<blk>")
SOUND = np.zeros(16_000, np.float32)


def scores(*best: int) -> Floats:
    """Return a step for each number; that number scores highest there, and the next one second."""
    rows = np.zeros((len(best), len(PIECES)), np.float32)
    for row, number in zip(rows, best, strict=True):
        row[number] = 2.0
        row[(number + 1) % len(PIECES)] = 1.0
    return rows


def hundred_frames(samples: Samples, /) -> Floats:
    return np.zeros((1, 2, 100), np.float32)


def test_ctc_joins_repeats_keeps_what_a_blank_parts_and_ends_a_token_with_its_last_step() -> None:
    tokens = greedy(scores(3, 0, 0, 3, 0, 1, 1, 3), blank=3)
    assert [token.number for token in tokens] == [0, 0, 1]
    assert [token.end_ms for token in tokens] == [120, 200, 280]
    assert greedy(scores(3, 3), blank=3) == []
    assert greedy(scores(), blank=3) == []


class CtcGraph:
    """Graph whose last steps lie after the end of the audio, as with padding."""

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Any]) -> list[Any]:
        assert outputs == ["log_probs"]
        assert inputs["feature_lengths"].tolist() == [100]
        return [scores(*[3] * 24, 2, *[0] * 5)[None]]


def test_ctc_reads_no_further_than_the_audio() -> None:
    recognizer = CtcRecognizer(CtcGraph(), Vocabulary(PIECES), hundred_frames, "en")
    assert recognizer.transcribe(SOUND, "en").text == "yes"


@dataclass
class Input:
    name: str
    shape: list[Any]
    type: str = "tensor(float)"


class TdtEncoder:
    """Encoder that returns 13 steps, each of which holds its own number."""

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Any]) -> list[Any]:
        assert outputs == ["outputs", "encoded_lengths"]
        steps = np.arange(13, dtype=np.float32)
        return [steps[None, None], np.array([13])]


class TdtJoint:
    """Graph that answers (token, duration) by the step and the number of the call there."""

    def __init__(self, script: Mapping[int, Sequence[tuple[int, int]]]) -> None:
        self.script = script
        self.calls: list[tuple[int, int, float]] = []
        """(step, last token, first state)"""

    def get_inputs(self) -> list[Input]:
        return [
            Input("targets", [1, 1], "tensor(int32)"),
            Input("input_states_1", [1, 1, 1]),
            Input("input_states_2", [1, 1, 1]),
        ]

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Any]) -> list[Any]:
        step = int(inputs["encoder_outputs"][0, 0, 0])
        state = inputs["input_states_1"]
        assert inputs["targets"].dtype == np.int32
        before = sum(call[0] == step for call in self.calls)
        self.calls.append((step, int(inputs["targets"][0, 0]), float(state[0, 0, 0])))
        answers = self.script.get(step, [(3, 1)])
        token, duration = answers[min(before, len(answers) - 1)]
        durations = np.zeros(5, np.float32)
        durations[duration] = 1.0
        row = np.concatenate([scores(token)[0], durations])[None, None, None]
        return [row, state + 1, inputs["input_states_2"]]


def decoded(
    script: Mapping[int, Sequence[tuple[int, int]]], language: str
) -> tuple[list[tuple[str, int]], TdtJoint]:
    joint = TdtJoint(script)
    recognizer = TdtRecognizer(
        TdtEncoder(), joint, Vocabulary(PIECES), hundred_frames, ("ru", "pl")
    )
    words = recognizer.transcribe(SOUND, language).words
    return [(word.text, word.end_ms) for word in words], joint


def test_tdt_goes_on_by_durations_and_its_state_changes_with_tokens_only() -> None:
    words, joint = decoded({0: [(3, 2)], 2: [(1, 0), (2, 3)], 5: [(3, 4)]}, "pl")
    assert words == [("tak", 240), ("yes", 400)]
    assert joint.calls[:4] == [(0, 3, 0.0), (2, 3, 0.0), (2, 1, 1.0), (5, 2, 2.0)]
    assert [step for step, *_ in joint.calls[4:]] == [9, 10, 11, 12]


def test_tdt_always_moves_on() -> None:
    words, joint = decoded({0: [(1, 0)], 1: [(3, 0)]}, "pl")
    assert [text for text, _ in words] == ["tak"] * 10
    assert [step for step, *_ in joint.calls].count(1) == 1


def test_tdt_writes_in_the_script_of_the_language() -> None:
    """The model writes Cyrillic, then Latin; a reader of Polish or Russian gets one script."""
    script = {0: [(0, 1)], 4: [(2, 1)]}
    assert [text for text, _ in decoded(script, "pl")[0]] == ["tak", "yes"]
    assert [text for text, _ in decoded(script, "ru")[0]] == ["так"]

"""Our features and decoders against those of onnx-asr, an independent implementation."""

from pathlib import Path

import numpy as np
import onnx
import onnx_asr
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_asr.preprocessors.numpy_preprocessor import (
    GigaamPreprocessorNumpy,
    NemoPreprocessorNumpy,
    WhisperPreprocessorNumpy,
)

from rtc_server.engines.cascade.features import GigaamMel, Mel, NemoMel, WhisperMel
from rtc_server.engines.cascade.tdt import TdtRecognizer
from rtc_server.engines.cascade.vocabulary import Vocabulary
from rtc_server.engines.onnx_session import open_session
from rtc_server.pcm import Samples

RANDOM = np.random.default_rng(0)
WORDS = [f"▁w{number}" for number in range(9)]


def noise(samples: int) -> Samples:
    return (0.1 * RANDOM.standard_normal(samples)).astype(np.float32)


@pytest.mark.parametrize("samples", [1600, 8001, 48_123])
@pytest.mark.parametrize(
    ("mel", "oracle"),
    [
        (GigaamMel(), GigaamPreprocessorNumpy("gigaam_v3")),
        (NemoMel(), NemoPreprocessorNumpy("nemo128")),
    ],
    ids=["gigaam", "nemo"],
)
def test_features_are_those_the_models_were_trained_on(
    mel: Mel, oracle: GigaamPreprocessorNumpy | NemoPreprocessorNumpy, samples: int
) -> None:
    sound = noise(samples)
    theirs, counts = oracle(sound[None], np.array([samples]))
    np.testing.assert_allclose(mel(sound), theirs[:, :, : counts[0]], atol=1e-4)


def test_features_of_whisper_are_those_of_a_window_filled_with_silence() -> None:
    sound = noise(48_123)
    theirs, _ = WhisperPreprocessorNumpy("whisper80")(sound[None], np.array([48_123]))
    ours = WhisperMel()(np.pad(sound, (0, 480_000 - 48_123)))
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def write_random_tdt(folder: Path) -> None:
    """A transducer with Parakeet's tensors whose answers depend on step, token and state alike."""

    def weights(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array(RANDOM.standard_normal(shape).astype(np.float32), name)

    def floats(name: str, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    def save(name: str, graph: onnx.GraphProto) -> None:
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, str(folder / name))

    answers = len(WORDS) + 1 + 5
    save(
        "encoder-model.onnx",
        helper.make_graph(
            [
                helper.make_node("Slice", ["audio_signal", "zero", "end", "axis", "eight"], ["x"]),
                helper.make_node("MatMul", ["mix", "x"], ["outputs"]),
                helper.make_node("Sub", ["length", "one"], ["before"]),
                helper.make_node("Div", ["before", "eight"], ["whole"]),
                helper.make_node("Add", ["whole", "one"], ["encoded_lengths"]),
            ],
            "encoder",
            [
                floats("audio_signal", 1, 128, "frames"),
                helper.make_tensor_value_info("length", TensorProto.INT64, [1]),
            ],
            [
                floats("outputs", 1, 16, "steps"),
                helper.make_tensor_value_info("encoded_lengths", TensorProto.INT64, [1]),
            ],
            [
                weights("mix", 16, 128),
                *(
                    numpy_helper.from_array(np.array([value], np.int64), name)
                    for name, value in (
                        *(("zero", 0), ("one", 1), ("end", 10**6), ("axis", 2), ("eight", 8)),
                    )
                ),
            ],
        ),
    )
    save(
        "decoder_joint-model.onnx",
        helper.make_graph(
            [
                helper.make_node("Transpose", ["encoder_outputs"], ["step"], perm=[0, 2, 1]),
                helper.make_node("MatMul", ["step", "of_step"], ["a"]),
                helper.make_node("Gather", ["of_token", "targets"], ["b"]),
                helper.make_node("MatMul", ["input_states_1", "of_state"], ["c"]),
                helper.make_node("Sum", ["a", "b", "c"], ["sum"]),
                helper.make_node("Unsqueeze", ["sum", "axis"], ["outputs"]),
                helper.make_node("MatMul", ["b", "to_state"], ["d"]),
                helper.make_node("Add", ["input_states_1", "d"], ["e"]),
                helper.make_node("Tanh", ["e"], ["output_states_1"]),
                helper.make_node("Identity", ["input_states_2"], ["output_states_2"]),
                helper.make_node("Identity", ["target_length"], ["prednet_lengths"]),
            ],
            "joint",
            [
                floats("encoder_outputs", 1, 16, 1),
                helper.make_tensor_value_info("targets", TensorProto.INT32, [1, 1]),
                helper.make_tensor_value_info("target_length", TensorProto.INT32, [1]),
                floats("input_states_1", 1, 1, 4),
                floats("input_states_2", 1, 1, 4),
            ],
            [
                floats("outputs", 1, 1, 1, answers),
                helper.make_tensor_value_info("prednet_lengths", TensorProto.INT32, [1]),
                floats("output_states_1", 1, 1, 4),
                floats("output_states_2", 1, 1, 4),
            ],
            [
                weights("of_step", 16, answers),
                weights("of_token", len(WORDS) + 1, answers),
                weights("of_state", 4, answers),
                weights("to_state", answers, 4),
                numpy_helper.from_array(np.array([1], np.int64), "axis"),
            ],
        ),
    )
    lines = [f"{piece} {number}\n" for number, piece in enumerate([*WORDS, "<blk>"])]
    (folder / "vocab.txt").write_text("".join(lines), "utf-8")
    (folder / "config.json").write_text('{"features_size": 128, "subsampling_factor": 8}')


def test_a_transducer_of_random_weights_says_the_same_to_both(tmp_path: Path) -> None:
    write_random_tdt(tmp_path)
    theirs = onnx_asr.load_model("nemo-conformer-tdt", tmp_path, providers=["CPUExecutionProvider"])
    sessions = []
    for name in ("encoder", "decoder_joint"):
        with (tmp_path / f"{name}-model.onnx").open("rb") as handle:
            sessions.append(open_session(handle, name, 1, ""))
    vocabulary = Vocabulary.parse((tmp_path / "vocab.txt").read_text("utf-8"))
    ours = TdtRecognizer(sessions[0], sessions[1], vocabulary, NemoMel(), ("en",))
    for seconds in (1, 2, 3):
        sound = noise(16_000 * seconds)
        text = ours.transcribe(sound, "en").text
        assert len(text.split()) > 2 * seconds, "else nothing is compared"
        assert text == theirs.recognize(sound, sample_rate=16_000)

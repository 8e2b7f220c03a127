"""Piper voices for tests: the tensors of a real one around a tone for each phoneme.

A voice takes ``input`` int64 (1, t) phoneme ids, ``input_lengths`` int64 (1,), ``scales`` float32
(3,) (noise, length, noise width), for several speakers ``sid`` int64 (1,), and gives float32
(1, 1, 1, n).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

FRAMES, HOP = 5, 256


def write_voice(
    path: Path,
    language: dict[str, str] | None,
    espeak_voice: str,
    sample_rate: int = 22_050,
    speakers: tuple[str, ...] = (),
) -> Path:
    """A voice at `path`, an ``.onnx`` file, and its configuration beside it."""
    onnx.save(_model(sample_rate, bool(speakers)), str(path))
    config: dict[str, Any] = {
        "audio": {"sample_rate": sample_rate, "quality": "medium"},
        "espeak": {"voice": espeak_voice},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_map": {},
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "num_symbols": _symbols(),
        "num_speakers": max(1, len(speakers)),
        "speaker_id_map": {name: number for number, name in enumerate(speakers)},
    }
    if language is not None:
        config["language"] = language
    path.with_name(path.name + ".json").write_text(json.dumps(config), "utf-8")
    return path


def _symbols() -> int:
    return 1 + max(int(symbol) for ids in DEFAULT_PHONEME_ID_MAP.values() for symbol in ids)


def _model(sample_rate: int, several: bool) -> Any:
    random = np.random.default_rng(1)
    step = (2 * np.pi * random.uniform(120, 400, _symbols()) / sample_rate).astype(np.float32)
    step[:3] = 0.0  # pad, begin and end are silent

    def constant(name: str, value: Any, kind: Any) -> Any:
        return numpy_helper.from_array(np.array(value, kind), name)

    def node(kind: str, inputs: str, output: str, **more: Any) -> Any:
        return helper.make_node(kind, inputs.split(), [output], **more)

    constants = [
        numpy_helper.from_array(step, "step"),
        constant("minus_one", [-1], np.int64),
        constant("zero", [0], np.int64),
        constant("one", 1, np.int64),
        constant("two", [2], np.int64),
        constant("first_axes", [0, 1], np.int64),
        constant("axis", 0, np.int64),
        constant("base", float(FRAMES * HOP), np.float32),
        constant("loudness", 0.4, np.float32),
        constant("half", 0.5, np.float32),
    ]
    nodes = [
        node("Gather", "step input", "pitch"),
        node("Unsqueeze", "pitch two", "pitch_column"),
        node("Gather", "scales one", "length_scale"),
        node("Mul", "length_scale base", "samples_float"),
        node("Cast", "samples_float", "samples", to=TensorProto.INT64),
        node("Unsqueeze", "samples zero", "samples_row"),
        node("Shape", "input", "input_shape"),
        node("Concat", "input_shape samples_row", "shape", axis=0),
        node("Expand", "pitch_column shape", "expanded"),
        node("Reshape", "expanded minus_one", "flat"),
        node("CumSum", "flat axis", "phase"),
        node("Sin", "phase", "tone"),
        node("Sign", "flat", "voiced"),
        node("Mul", "tone voiced", "gated"),
        node("Mul", "gated loudness", "loud"),
    ]
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, "t"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    last = "loud"
    if several:  # each further speaker has half the level
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, [1]))
        nodes += [
            node("Cast", "sid", "speaker", to=TensorProto.FLOAT),
            node("Pow", "half speaker", "softness"),
            node("Mul", "loud softness", "softened"),
        ]
        last = "softened"
    nodes.append(node("Unsqueeze", f"{last} first_axes", "output_row"))
    nodes.append(node("Unsqueeze", "output_row zero", "output"))
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, "n"])
    graph = helper.make_graph(nodes, "tiny_piper", inputs, [output], constants)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    onnx.checker.check_model(model)
    return model

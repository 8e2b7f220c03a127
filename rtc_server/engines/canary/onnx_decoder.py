"""Canary's decoder on ONNX Runtime, its graph cut in two.

The published graph makes keys and values of the audio anew for each token. They depend on the audio
alone, so all that does is cut out into a graph of its own, which runs once a segment; the other one
takes its results as inputs.
"""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from rtc_server.engines.cascade.features import Floats
from rtc_server.errors import EngineUnavailable

AUDIO = "encoder_embeddings"
"""Input with the states of the audio."""

Integers = npt.NDArray[np.int64]
OpenSession = Callable[[BinaryIO, str], Any]
"""Opens a model from its file; the text names the part."""


class OnnxDecoder:
    """Both graphs of one decoder. Owned by one thread."""

    def __init__(self, once: Any, step: Any) -> None:
        """`once` and `step`: ONNX Runtime's sessions of the two graphs."""
        self._once, self._step = once, step
        self._once_names = [each.name for each in once.get_outputs()]
        self._step_names = {each.name for each in step.get_inputs()}
        mems = next(each for each in step.get_inputs() if each.name == "decoder_mems")
        self._layers, self._width = int(mems.shape[0]), int(mems.shape[3])

    @classmethod
    def load(cls, model: BinaryIO, title: str, open_session: OpenSession) -> "OnnxDecoder":
        """Load the graph in `model` and cut it.

        Raises:
            EngineUnavailable: it is no decoder of this kind; `title` names the model.
        """
        import onnx  # noqa: PLC0415 (in the engine's process)

        try:
            halves = cut(onnx.load(model))
        except Exception as exc:  # protobuf's errors share no base with ours
            raise EngineUnavailable(
                f"{title}: its decoder cannot be read ({type(exc).__name__})."
            ) from exc
        sessions = []
        for half, part in zip(halves, ("decoder's audio", "decoder"), strict=True):
            with tempfile.TemporaryFile() as file:  # bytes would be kept, see `open_session`
                file.write(half.SerializeToString())
                file.seek(0)
                sessions.append(open_session(file, part))
        return cls(*sessions)

    def begin(self, states: Floats, mask: Integers) -> "TextsUnderWay":
        """Begin texts over encoder states (texts, frames, width); `mask` is 1 where one is real."""
        audio = dict(zip(self._once_names, self._once.run(None, {AUDIO: states}), strict=True))
        if AUDIO in self._step_names:  # for its shape
            audio[AUDIO] = states
        memory = np.zeros((self._layers, len(states), 0, self._width), np.float32)
        return TextsUnderWay(self._step, audio | {"encoder_mask": mask}, memory)


@dataclass(slots=True)
class TextsUnderWay:
    """Texts that are being written, one for each row."""

    _step: Any
    _audio: dict[str, Any]
    _memory: Floats

    def next(self, tokens: Integers) -> Floats:
        """Return the scores (texts, vocabulary) of what follows `tokens` (texts, new tokens)."""
        inputs = {"input_ids": tokens, "decoder_mems": self._memory}
        scores, self._memory = self._step.run(None, inputs | self._audio)
        return np.asarray(scores[:, -1])

    def keep(self, rows: npt.NDArray[np.bool_]) -> None:
        """Drop all texts but those that go on."""
        if not rows.all():
            self._memory = self._memory[:, rows]
            self._audio = {name: each[rows] for name, each in self._audio.items()}


def cut(model: Any) -> tuple[Any, Any]:
    """Return the part of a decoder's graph that depends on the audio alone, and the rest.

    Args:
        model: an ``onnx.ModelProto`` with the input `AUDIO`.

    Raises:
        ValueError: no part of it depends on the audio alone.
    """
    import onnx  # noqa: PLC0415

    graph = model.graph
    kinds = {
        each.name: each.type.tensor_type.elem_type
        for each in onnx.shape_inference.infer_shapes(model).graph.value_info
    }
    constants = {each.name for each in graph.initializer}
    known, heard = constants | {AUDIO}, {AUDIO}
    maker: dict[str, Any] = {}
    later = []
    for node in graph.node:  # each comes after those that it needs
        if all(name in known for name in node.input if name):
            known.update(node.output)
            maker.update((name, node) for name in node.output)
            if heard.intersection(node.input):
                heard.update(node.output)
        else:
            later.append(node)
    crossing: list[str] = []

    def step_makes(name: str) -> bool:
        """Return whether the rest makes that for itself: constants, and lengths, which change as
        texts end. Only what is computed from the audio crosses over."""
        if name not in maker:
            return False
        if name in heard and kinds.get(name) == onnx.TensorProto.FLOAT:
            if name not in crossing:
                crossing.append(name)
            return False
        return True

    step = _with_needed(later, maker, step_makes)
    once = _with_needed([], maker, lambda name: name in maker, crossing)
    if not crossing:
        raise ValueError("nothing depends on the audio alone")
    values = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in crossing
    ]
    in_order = {id(node): place for place, node in enumerate(graph.node)}
    once.sort(key=lambda node: in_order[id(node)])
    step.sort(key=lambda node: in_order[id(node)])
    asked = {name for node in step for name in node.input}
    inputs = [each for each in graph.input if each.name != AUDIO or AUDIO in asked]
    audio = [each for each in graph.input if each.name == AUDIO]
    return (
        _model(model, once, audio, values),
        _model(model, step, inputs + values, list(graph.output)),
    )


def _with_needed(
    nodes: Sequence[Any],
    maker: dict[str, Any],
    wanted: Callable[[str], bool],
    names: Iterable[str] = (),
) -> list[Any]:
    """Return nodes, and those that make what they (and `names`) need and is `wanted`."""
    taken = {id(node): node for node in nodes}
    open_names = [*names, *(name for node in nodes for name in node.input)]
    while open_names:
        name = open_names.pop()
        if wanted(name) and id(maker[name]) not in taken:
            taken[id(maker[name])] = maker[name]
            open_names.extend(maker[name].input)
    return list(taken.values())


def _model(whole: Any, nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """Return a model of some nodes of another one."""
    import onnx  # noqa: PLC0415

    used = {name for node in nodes for name in node.input}
    weights = [each for each in whole.graph.initializer if each.name in used]
    graph = onnx.helper.make_graph(nodes, whole.graph.name, inputs, outputs, weights)
    model = onnx.helper.make_model(graph, opset_imports=whole.opset_import)
    model.ir_version = whole.ir_version
    return model

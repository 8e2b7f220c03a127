"""The weights in an ONNX file, without the runtime that would run it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

# Field numbers of ONNX's protobuf messages (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
_MODEL_GRAPH = 7
_GRAPH_INITIALIZER = 5
_TENSOR_DIMS, _TENSOR_NAME, _TENSOR_RAW_DATA = 1, 8, 9
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def onnx_weights(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """The float32 initializers of the model's graph, by name. Read-only.

    Raises:
        ValueError: the file is no ONNX model, or has an initializer of another kind.
        OSError: it cannot be read.
    """
    weights = {}
    for graph in _all(memoryview(path.read_bytes()), _MODEL_GRAPH):
        for tensor in _all(graph, _GRAPH_INITIALIZER):
            dims, name, data = [], b"", memoryview(b"")
            for number, value in _fields(tensor):
                if number == _TENSOR_DIMS and isinstance(value, int):
                    dims.append(value)
                elif number == _TENSOR_NAME and not isinstance(value, int):
                    name = bytes(value)
                elif number == _TENSOR_RAW_DATA and not isinstance(value, int):
                    data = value
            weights[name.decode()] = np.frombuffer(data, "<f4").reshape(dims)
    if not weights:
        raise ValueError(f"{path} has no weights.")
    return weights


def _all(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """Each sub-message of that number."""
    for number, value in _fields(message):
        if number == wanted and not isinstance(value, int):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Each field's number and value: an int if it is a varint, else its bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            number, at = _varint(message, at)
            yield key >> 3, number
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError("This is no protobuf message.")
        if at + size > len(message):
            raise ValueError("The message is cut off.")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number that begins there, and where the next field begins."""
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError("This is no protobuf message.")

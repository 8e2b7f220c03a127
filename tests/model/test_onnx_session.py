"""ONNX Runtime sessions from open files: of what was opened, and without a second copy of it."""

import sys
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from rtc_server.engines.heap import return_memory
from rtc_server.engines.onnx_session import open_session

WIDTH = 4096
WEIGHTS_BYTES = WIDTH * WIDTH * 4


def write_model(path: Path) -> None:
    """Write a model that adds 64 MB of weights to what it is given."""
    weights = np.ones((WIDTH, WIDTH), np.float32)
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, WIDTH])]
        for name in ("given", "sum")
    )
    stored = [numpy_helper.from_array(weights, "weights")]
    node = helper.make_node("MatMul", ["given", "weights"], ["sum"])
    graph = helper.make_graph([node], "sum", inputs, outputs, stored)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is not given back")
def test_weights_lie_in_memory_once(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_model(path)
    return_memory()
    before = psutil.Process().memory_info().rss
    with path.open("rb") as handle:
        session = open_session(handle, "model", 1, "Fetch it again.", ["given"])
    return_memory()
    taken = psutil.Process().memory_info().rss - before
    (total,) = session.run(["sum"], {"given": np.ones((1, WIDTH), np.float32)})
    assert total[0, 0] == WIDTH
    assert taken < 1.6 * WEIGHTS_BYTES


def test_what_was_opened_is_loaded_whatever_its_name_means_now(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_model(path)
    with path.open("rb") as handle:
        path.unlink()
        path.write_bytes(b"no model")
        session = open_session(handle, "model", 1, "Fetch it again.")
    assert session.run(["sum"], {"given": np.zeros((1, WIDTH), np.float32)})[0].shape == (1, WIDTH)

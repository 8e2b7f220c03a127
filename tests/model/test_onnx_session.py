"""ONNX Runtime sessions from open files: they use the opened file, without a second copy of it."""

import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from rtc_server.engines import onnx_session
from rtc_server.engines.heap import return_memory
from rtc_server.engines.onnx_session import open_session
from rtc_server.errors import EngineUnavailable

WIDTH = 4096
WEIGHTS_BYTES = WIDTH * WIDTH * 4


def write_model(path: Path, result: str = "sum") -> None:
    """Write a model that adds 64 MB of weights to its input."""
    weights = np.ones((WIDTH, WIDTH), np.float32)
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, WIDTH])]
        for name in ("given", result)
    )
    stored = [numpy_helper.from_array(weights, "weights")]
    node = helper.make_node("MatMul", ["given", "weights"], [result])
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


@pytest.mark.parametrize("vnni", [True, False])
def test_weights_are_signed_only_where_the_processor_has_vnni(
    vnni: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, other = tmp_path / "given.onnx", tmp_path / "other.onnx"
    write_model(given)
    write_model(other, result="signed")
    copies: list[BinaryIO] = []

    def copied(model: BinaryIO) -> BinaryIO:
        assert model.name == str(given)
        copies.append(other.open("rb"))
        return copies[-1]

    monkeypatch.setattr(onnx_session, "has_vnni", lambda: vnni)
    monkeypatch.setattr(onnx_session, "with_signed_weights", copied)
    with given.open("rb") as handle:
        session = open_session(handle, "model", 1, "Fetch it again.")
    assert [each.name for each in session.get_outputs()] == ["signed" if vnni else "sum"]
    assert [copy.closed for copy in copies] == [True] * vnni


def test_a_copy_that_cannot_be_loaded_leaves_the_model_to_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path, broken = tmp_path / "model.onnx", tmp_path / "broken.onnx"
    write_model(path)
    broken.write_bytes(b"no model")
    copies: list[BinaryIO] = []

    def copied(model: BinaryIO) -> BinaryIO:
        copies.append(broken.open("rb"))
        return copies[-1]

    monkeypatch.setattr(onnx_session, "has_vnni", lambda: True)
    monkeypatch.setattr(onnx_session, "with_signed_weights", copied)
    with path.open("rb") as handle:
        session = open_session(handle, "model", 1, "Fetch it again.", ["given"])
    assert [each.name for each in session.get_outputs()] == ["sum"]
    assert copies[0].closed
    assert "stay unsigned" in caplog.text
    with broken.open("rb") as handle, pytest.raises(EngineUnavailable, match=r"Fetch it again\."):
        open_session(handle, "model", 1, "Fetch it again.")

"""8-bit weights of an ONNX file from unsigned to signed: the same products, and nothing else."""

import errno
import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from rtc_server.engines import disk_copy
from rtc_server.engines.onnx_session import open_session
from rtc_server.engines.signed_weights import has_vnni, with_signed_weights

ROWS, COLUMNS = 40, 64
RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty list of mounts: on some machines temporary files are in memory."""
    monkeypatch.setattr(disk_copy, "_MOUNTS", tmp_path / "mountinfo")
    return tmp_path / "mountinfo"


def value(name: str, *shape: int | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def saved(
    path: Path, nodes: list[onnx.NodeProto], weights: dict[str, npt.NDArray[Any]], **more: Any
) -> Path:
    """Write a model from "given" to "result"."""
    stored = [numpy_helper.from_array(each, name) for name, each in weights.items()]
    inputs = [value("given", None, ROWS), *more.pop("inputs", [])]
    outputs = [value("result"), *more.pop("outputs", [])]
    graph = helper.make_graph(nodes, "g", inputs, outputs, [*stored, *more.pop("stored", [])])
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def floats(*shape: int) -> npt.NDArray[np.float32]:
    return RANDOM.standard_normal(shape).astype(np.float32)


def published(folder: Path) -> Path:
    """Write a model as such files are made: two products, and a convolution between them."""
    nodes = [
        helper.make_node("MatMul", ["given", "first"], ["a"]),
        helper.make_node("Unsqueeze", ["a", "axis"], ["b"]),
        helper.make_node("Conv", ["b", "filter"], ["c"]),
        helper.make_node("Squeeze", ["c", "axis"], ["d"]),
        helper.make_node("MatMul", ["d", "second"], ["result"]),
    ]
    weights: dict[str, npt.NDArray[Any]] = {
        "first": floats(ROWS, COLUMNS) + 1,  # a zero point below 128, and one above
        "axis": np.array([1], np.int64),
        "filter": floats(1, 1, 1),
        "second": floats(COLUMNS, COLUMNS) - 1,
    }
    plain, small = saved(folder / "plain.onnx", nodes, weights), folder / "small.onnx"
    kinds = ["MatMul", "Conv"]
    quantize_dynamic(plain, small, weight_type=QuantType.QUInt8, op_types_to_quantize=kinds)
    return small


def contents(model: onnx.ModelProto) -> dict[str, npt.NDArray[Any]]:
    return {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}


def rewritten(path: Path) -> onnx.ModelProto:
    """Return what the rewritten file holds."""
    with path.open("rb") as file, with_signed_weights(file) as copy:
        return onnx.load_from_string(copy.read())


def test_weights_less_their_zero_points_stay_what_they_were(tmp_path: Path) -> None:
    path = published(tmp_path)
    model = rewritten(path)
    onnx.checker.check_model(model)
    before, after = contents(onnx.load(path)), contents(model)
    assert before.keys() == after.keys()
    products = [node for node in model.graph.node if node.op_type == "MatMulInteger"]
    assert len(products) == 2
    for _, weight, _, zero in (node.input for node in products):
        assert after[weight].dtype == after[zero].dtype == np.int8
        assert np.array_equal(
            after[weight].astype(int) - after[zero].astype(int),
            before[weight].astype(int) - before[zero].astype(int),
        )
    others = before.keys() - {name for node in products for name in node.input}
    assert all(np.array_equal(before[name], after[name]) for name in others)
    assert any(before[name].dtype == np.uint8 for name in others), "the convolution's stay"


@pytest.mark.skipif(not has_vnni(), reason="pairs of products overflow on this processor")
def test_every_product_is_the_same_to_the_bit(tmp_path: Path) -> None:
    path = published(tmp_path)
    given = {"given": floats(7, ROWS)}
    before = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    with path.open("rb") as file:
        after = open_session(file, "model", 1, "")
    assert np.array_equal(before.run(None, given)[0], after.run(None, given)[0])


def product(**names: str) -> list[onnx.NodeProto]:
    """A product of "weight" with "zero", and others in their places."""
    inputs = [names.get(name, name) for name in ("quantized", "weight", "given_zero", "zero")]
    return [
        helper.make_node(
            "DynamicQuantizeLinear", ["given"], ["quantized", "given_scale", "given_zero"]
        ),
        helper.make_node("MatMulInteger", inputs, ["whole"]),
        helper.make_node("Cast", ["whole"], ["result"], to=TensorProto.FLOAT),
    ]


BYTES = RANDOM.integers(0, 256, (ROWS, COLUMNS)).astype(np.uint8)
ZERO = np.array(100, np.uint8)


def signed_names(path: Path) -> set[str]:
    """Return the tensors that were rewritten."""
    return {name for name, each in contents(rewritten(path)).items() if each.dtype == np.int8}


def test_a_zero_point_in_bytes_is_rewritten_in_its_place(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.onnx", product(), {"weight": BYTES, "zero": ZERO})
    assert signed_names(path) == {"weight", "zero"}


def test_what_something_else_reads_stays(tmp_path: Path) -> None:
    weights = {"weight": BYTES, "zero": ZERO}
    also = helper.make_node("Cast", ["weight"], ["read"], to=TensorProto.FLOAT)
    inner = helper.make_graph([helper.make_node("Identity", ["zero"], ["z"])], "i", [], [])
    nested = helper.make_node("If", ["true"], ["z"], then_branch=inner, else_branch=inner)
    second = helper.make_node("MatMulInteger", ["quantized", "weight"], ["read"])
    for more in (also, nested, second):  # the last is a product without a zero point
        path = saved(tmp_path / "m.onnx", [*product(), more], weights)
        assert signed_names(path) == set()
    listed = [helper.make_tensor_value_info("weight", TensorProto.UINT8, BYTES.shape)]
    for place in ("inputs", "outputs"):
        path = saved(tmp_path / "m.onnx", product(), weights, **{place: listed})
        assert signed_names(path) == set()


@pytest.mark.parametrize(
    ("given_zero", "signed"), [("constant", {"weight", "zero"}), ("zero", set())]
)
def test_a_constant_zero_point_of_what_is_given_stays(
    given_zero: str, signed: set[str], tmp_path: Path
) -> None:
    weights = {"weight": BYTES, "zero": ZERO, "constant": np.array(90, np.uint8)}
    path = saved(tmp_path / "m.onnx", product(given_zero=given_zero), weights)
    assert signed_names(path) == signed
    content = rewritten(path).SerializeToString()
    onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def test_a_zero_point_for_each_column_stays_and_is_not_read_through(tmp_path: Path) -> None:
    columns = helper.make_tensor("zero", TensorProto.UINT8, [COLUMNS], [100] * COLUMNS)
    path = saved(tmp_path / "m.onnx", product(), {"weight": BYTES}, stored=[columns])
    assert signed_names(path) == set()
    table = helper.make_tensor("table", TensorProto.INT32, [20_000], range(20_000))
    weights = {"weight": BYTES, "zero": ZERO}
    path = saved(tmp_path / "m.onnx", product(), weights, stored=[table])

    class Counting(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1) -> bytes:
            self.reads += 1
            return super().read(size)

    file = Counting(path.read_bytes())
    with with_signed_weights(file) as copy:
        assert copy is not file
    assert file.reads < 1000


def test_what_is_signed_or_plain_stays(tmp_path: Path) -> None:
    signed = {"weight": BYTES.view(np.int8), "zero": ZERO.view(np.int8)}
    path = saved(tmp_path / "signed.onnx", product(), signed)
    plain = saved(
        tmp_path / "plain.onnx",
        [helper.make_node("MatMul", ["given", "weight"], ["result"])],
        {"weight": floats(ROWS, COLUMNS)},
    )
    for each in (path, plain):
        with each.open("rb") as file:
            assert with_signed_weights(file) is file
            assert file.tell() == 0


def test_what_is_damaged_is_left_to_who_loads_it(tmp_path: Path) -> None:
    whole = published(tmp_path).read_bytes()
    for content in (b"", b"no model", b"\xff" * 40, whole[:-100], whole[: len(whole) // 2]):
        file = io.BytesIO(content)
        assert with_signed_weights(file) is file
        assert file.read() == content


@pytest.mark.parametrize("failing", ["disk_usage", "copyfileobj"])
def test_without_room_for_a_copy_the_file_serves(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, failing, full)
    with published(tmp_path).open("rb") as file:
        assert with_signed_weights(file) is file
        assert file.tell() == 0


class Full(io.BytesIO):
    """Temporary file that takes that many bytes, and reports the error as late as a full disk."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, content: Any) -> int:
        if self.tell() + len(content) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(content)

    def close(self) -> None:
        super().close()
        raise OSError(errno.ENOSPC, "No space left on device")


class FullWhenFlushed(Full):
    """Temporary file whose buffer cannot be written."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("kind", "more"),
    [(Full, -10), (Full, 0), (FullWhenFlushed, 1 << 20)],
    ids=["in the copy", "where it is rewritten", "at last"],
)
def test_a_disk_that_becomes_full_leaves_the_file_to_serve(
    kind: type[Full], more: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = published(tmp_path)
    made: list[Full] = []

    def temporary(**_: object) -> Full:
        made.append(kind(path.stat().st_size + more))
        return made[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", temporary)
    with path.open("rb") as file, with_signed_weights(file) as served:
        assert served is file
        assert file.tell() == 0
    assert made
    assert all(each.closed for each in made)


def test_no_copy_is_made_in_memory(tmp_path: Path, mounts: Path) -> None:
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    path = published(tmp_path)
    for kind, is_file in (("ext4", False), ("tmpfs", True), ("ramfs", True)):
        mounts.write_text(f"29 1 {number} / /tmp rw,nosuid shared:9 - {kind} none rw\n")
        with path.open("rb") as file, with_signed_weights(file) as served:
            assert (served is file) is is_file


def test_a_processor_says_whether_it_has_vnni(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    for flags, has in (("avx2 avx512f", False), ("avx2 avx512_vnni", True), ("avx_vnni", True)):
        cpuinfo.write_text(f"processor : 0\nflags\t\t: fpu {flags} sse2\n")
        assert has_vnni(cpuinfo) is has
    assert not has_vnni(tmp_path / "none")

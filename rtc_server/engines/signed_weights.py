"""8-bit weights of an ONNX file from unsigned to signed, for processors that multiply those faster.

ONNX Runtime multiplies unsigned activations by signed weights with the instructions named VNNI;
for unsigned weights it has no such kernel and takes 2.5 times as long. Subtracting 128 from both a
weight and its zero point keeps their difference, so every product is the same to the bit.
Without VNNI the kernel for signed weights adds pairs of products in 16 bits, which may overflow:
files must then be left as they are.

A copy on disk is rewritten piece by piece, so a model of 650 MB need not fit into memory. The
layout is that of ``onnx.proto``: `_Field` has the numbers of its fields.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from rtc_server.engines.disk_copy import CHUNK_BYTES, disk_copy

_PRODUCT = "MatMulInteger"
_GIVEN, _WEIGHT, _GIVEN_ZERO_POINT, _ZERO_POINT = range(4)
"""Positions among the inputs of a product node."""
_UINT8, _INT8 = 2, 3
"""``TensorProto.DataType``."""
_HALF = 128
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types of protobuf."""


class _Field(IntEnum):
    GRAPH = 7  # of a model
    NODE = 1  # of a graph
    INITIALIZER = 5
    OBSOLETE = 6
    INPUT = 11
    OUTPUT = 12
    NODE_INPUT = 1  # of a node
    NODE_OPERATOR = 4
    NODE_ATTRIBUTE = 5
    ATTRIBUTE_GRAPH = 6  # of an attribute
    ATTRIBUTE_GRAPHS = 11
    TENSOR_TYPE = 2  # of a tensor
    TENSOR_INTEGERS = 5
    TENSOR_NAME = 8
    TENSOR_RAW = 9
    PORT_NAME = 1  # of an input or output


class _Part(NamedTuple):
    """One field of a message."""

    number: int
    tag_at: int
    begin: int
    """Offset of its content in the file; for a number, of the number."""
    end: int
    value: int
    """Value of a number; 0 for other fields."""


@dataclass(slots=True)
class _Tensor:
    name: str
    tag_at: int
    type_at: int = 0
    type: int = 0
    raw: tuple[int, int] | None = None
    integers: tuple[int, ...] = ()


class _Use(NamedTuple):
    operator: str
    inputs: tuple[str, ...]


VNNI = frozenset({"avx512_vnni", "avx_vnni"})
"""Flags of Linux's ``cpuinfo``, each of which means that the processor has VNNI."""


def has_vnni(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Return True if Linux lists VNNI among this processor's flags; False when not known."""
    try:
        flags = cpuinfo.read_text("ascii", "replace").split()
    except OSError:
        return False
    return not VNNI.isdisjoint(flags)


def with_signed_weights(model: BinaryIO) -> BinaryIO:
    """Return a temporary copy of an ONNX file with signed weights, or the file itself.

    The file itself is returned if it has no weights to sign, if it cannot be parsed (loading it
    reports that), and if the disk has no room for the copy. Both are at their beginning.
    """
    copy = None
    try:
        if tensors := _tensors_to_sign(model):
            copy = disk_copy(model)
        if copy is not None:
            for tensor in tensors:
                _sign(copy, tensor)
            copy.flush()
            copy.seek(0)
    except (ValueError, EOFError, OSError):  # the last when its disk becomes full
        if copy is not None:
            with suppress(OSError):  # closing writes what is buffered, too
                copy.close()
        copy = None
    model.seek(0)
    return model if copy is None else copy


def _tensors_to_sign(model: BinaryIO) -> list[_Tensor]:
    """Return the weights of products and their zero points, if no other node reads them."""
    tensors: dict[str, _Tensor] = {}
    uses: list[_Use] = []
    fixed: set[str] = set()
    model.seek(0, os.SEEK_END)
    for graph in _parts(model, 0, model.tell()):
        if graph.number != _Field.GRAPH:
            continue
        uses += _uses(model, graph)
        for part in _parts(model, graph.begin, graph.end):
            if part.number == _Field.INITIALIZER:
                tensor = _tensor(model, part)
                tensors[tensor.name] = tensor
            elif part.number in (_Field.INPUT, _Field.OUTPUT):
                fixed |= {
                    _text(model, name)
                    for name in _parts(model, part.begin, part.end)
                    if name.number == _Field.PORT_NAME
                }
    chosen = {name for name, each in tensors.items() if each.type == _UINT8} - fixed
    while True:  # until chosen tensors are read only by products whose tensors are all chosen
        read_otherwise = set()
        for use in uses:
            pair = use.inputs[_WEIGHT : _ZERO_POINT + 1 : 2]
            if use.operator == _PRODUCT and len(pair) == 2 and chosen.issuperset(pair):
                read_otherwise |= {use.inputs[_GIVEN], use.inputs[_GIVEN_ZERO_POINT]}
            else:
                read_otherwise |= set(use.inputs)
        if not chosen & read_otherwise:
            break
        chosen -= read_otherwise
    read = {name for use in uses for name in use.inputs}
    return [tensors[name] for name in chosen & read]


def _uses(file: BinaryIO, graph: _Part) -> Iterator[_Use]:
    """Yield operator and inputs of each node, nodes of subgraphs included."""
    for node in _parts(file, graph.begin, graph.end):
        if node.number != _Field.NODE:
            continue
        operator, inputs = "", []
        for part in _parts(file, node.begin, node.end):
            if part.number == _Field.NODE_INPUT:
                inputs.append(_text(file, part))
            elif part.number == _Field.NODE_OPERATOR:
                operator = _text(file, part)
            elif part.number == _Field.NODE_ATTRIBUTE:
                for inner in _parts(file, part.begin, part.end):
                    if inner.number in (_Field.ATTRIBUTE_GRAPH, _Field.ATTRIBUTE_GRAPHS):
                        yield from _uses(file, inner)
        yield _Use(operator, tuple(inputs))


def _tensor(file: BinaryIO, place: _Part) -> _Tensor:
    found = _Tensor("", place.tag_at)
    for part in _parts(file, place.begin, place.end):
        if part.number == _Field.TENSOR_NAME:
            found.name = _text(file, part)
        elif part.number == _Field.TENSOR_TYPE:
            found.type_at, found.type = part.begin, part.value
        elif part.number == _Field.TENSOR_RAW:
            found.raw = (part.begin, part.end)
        elif part.number == _Field.TENSOR_INTEGERS:
            file.seek(part.begin)
            while file.tell() < part.end and len(found.integers) < 2:  # more are not used
                found.integers += (_varint(file),)
    if found.raw is None and len(found.integers) != 1:
        found.type = 0  # neither bytes nor one number: nothing that is understood here
    return found


def _sign(file: BinaryIO, tensor: _Tensor) -> None:
    """Rewrite a tensor as signed."""
    if tensor.raw is None:
        # A negative number takes more bytes than a small positive one, so there is no room for it
        # in place. The old tensor's field gets a number that no program reads, and the new tensor
        # is appended in another piece of the graph: readers of protobuf join the two.
        _write(file, tensor.tag_at, bytes([_Field.OBSOLETE << 3 | _BYTES]))
        (number,) = tensor.integers
        kept = _message(_Field.TENSOR_NAME, tensor.name.encode())
        kept += bytes([_Field.TENSOR_TYPE << 3, _INT8])
        kept += _message(_Field.TENSOR_RAW, bytes([number ^ _HALF]))
        graph = _message(_Field.INITIALIZER, kept)
        _write(file, file.seek(0, os.SEEK_END), _message(_Field.GRAPH, graph))
        return
    _write(file, tensor.type_at, bytes([_INT8]))
    for begin in range(*tensor.raw, CHUNK_BYTES):
        file.seek(begin)
        weights = np.frombuffer(file.read(min(CHUNK_BYTES, tensor.raw[1] - begin)), np.uint8)
        _write(file, begin, (weights ^ _HALF).tobytes())  # less by 128, in two's complement


def _write(file: BinaryIO, place: int, content: bytes) -> None:
    file.seek(place)
    file.write(content)


def _parts(file: BinaryIO, begin: int, end: int) -> Iterator[_Part]:
    """Yield the fields of a message. Raises `ValueError` or `EOFError` if it is malformed."""
    place = begin
    while place < end:
        file.seek(place)
        tag = _varint(file)
        number, wire = tag >> 3, tag & 7
        content, value = file.tell(), 0
        if wire == _BYTES:
            length = _varint(file)
            content = file.tell()
            following = content + length
        elif wire == _VARINT:
            value = _varint(file)
            following = file.tell()
        elif wire in (_FIXED32, _FIXED64):
            following = content + (4 if wire == _FIXED32 else 8)
        else:
            raise ValueError("no message of protobuf")
        if following > end:
            raise EOFError("the message is cut short")
        yield _Part(number, place, content, following, value)
        place = following


def _varint(file: BinaryIO) -> int:
    value = shift = 0
    while byte := file.read(1):
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < _HALF:
            return value
        shift += 7
    raise EOFError("the number is cut short")


def _message(field: int, content: bytes) -> bytes:
    """Return a field that holds bytes, of a number below 16."""
    length, coded = len(content), b""
    while length >= _HALF:
        coded += bytes([length & 0x7F | _HALF])
        length >>= 7
    return bytes([field << 3 | _BYTES]) + coded + bytes([length]) + content


def _text(file: BinaryIO, part: _Part) -> str:
    file.seek(part.begin)
    return file.read(part.end - part.begin).decode("utf-8")

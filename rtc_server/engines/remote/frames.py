"""Frames of the messages between a media process and an engine server.

A frame is the size of its head (uint32), the head, and audio to the end of the frame. The head is a
JSON object: the message's name, its fields, and perhaps a trace or a newcomer. Audio is mono
int16, little-endian; in the head an array is its number of samples. Every field is checked against
its type and its bounds; the content of a frame cannot choose the class of an object.
"""

import dataclasses
import json
import math
import struct
from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Never, cast, get_args

import numpy as np
import numpy.typing as npt

from rtc_server.engines.remote.messages import (
    Ask,
    EnginePing,
    FromMedia,
    FromServer,
    KeptAudio,
    SpeakText,
    SpokenChunk,
)
from rtc_server.engines.typed import WrongType, from_plain, to_plain
from rtc_server.errors import EngineError
from rtc_server.pcm import Samples
from rtc_server.tracing import TRACE_CONTEXT

MOST_FRAME_BYTES = 4 * 1024 * 1024
"""Largest frame: two minutes of audio at 16 kHz; no engine takes half of that."""
MOST_HEAD_BYTES = 1024 * 1024
"""Largest head of a server's message: a hello holds every phrase of a phrasebook."""
MOST_ASKING_HEAD_BYTES = 64 * 1024
"""Largest head of a media process's message, which holds the texts of one sentence."""
_MOST_NAME = 200
_MOST_NUMBER = 1 << 53
_MOST_RATE = 4.0
_NUMBERS, _NAMES = {"n", "wait_ms", "of", "retry_after_s"}, {"session", "code", "newcomer"}
_HEAD = struct.Struct("!I")
_FULL_SCALE, _UNIT = np.float32(32768.0), np.float32(1 / 32768)
_LOWEST, _HIGHEST = np.float32(-32768.0), np.float32(32767.0)
_TRACED = (Ask, SpeakText)
_BESIDE = ("trace", "newcomer")
"""Names beside the fields of a message: servers of earlier versions ignore them there."""


def _no_constant(_name: str) -> Never:
    raise WrongType("a number that is not finite")


# Made once: `json.dumps` and `json.loads` with options make an encoder or decoder at each call.
_JSON_OUT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_JSON_IN = json.JSONDecoder(parse_constant=_no_constant)

_ASKING = {kind.__name__: kind for kind in get_args(FromMedia)}
_ANSWERING = {kind.__name__: kind for kind in get_args(FromServer)}


def encode(message: FromMedia | FromServer) -> bytes:
    """Return the frame of a message."""
    audio: list[bytes] = []

    def put_array(array: Samples) -> int:
        audio.append(as_int16(array).tobytes())
        return array.size

    fields = to_plain(message, put_array)
    named = {"message": type(message).__name__, "fields": fields}
    for name in _BESIDE:
        if each := fields.pop(name, ""):
            named[name] = each
    head_bytes = _JSON_OUT.encode(named).encode("utf-8", "surrogatepass")
    return b"".join([_HEAD.pack(len(head_bytes)), head_bytes, *audio])


def decode_asking(frame: bytes) -> FromMedia:
    """Return the message of a media process. Raises `EngineError` for anything else."""
    message: FromMedia = _decode(frame, _ASKING, MOST_ASKING_HEAD_BYTES)
    return message


def decode_answering(frame: bytes) -> FromServer:
    """Return the message of a server. Raises `EngineError` for anything else."""
    message: FromServer = _decode(frame, _ANSWERING, MOST_HEAD_BYTES)
    return message


def as_int16(samples: Samples) -> npt.NDArray[np.int16]:
    """Return float32 samples as int16, shape kept. Samples that were int16 before are exact."""
    # In place: fresh memory and numpy's wrappers cost more than the arithmetic.
    scaled = np.multiply(samples, _FULL_SCALE)
    np.rint(scaled, out=scaled)
    np.maximum(scaled, _LOWEST, out=scaled)
    np.minimum(scaled, _HIGHEST, out=scaled)
    sent: npt.NDArray[np.int16] = scaled.astype("<i2")
    return sent


def _decode(frame: bytes, kinds: Mapping[str, Any], most_head: int) -> Any:
    if len(frame) < _HEAD.size:
        raise EngineError("A frame ends before its head.")
    (size,) = _HEAD.unpack_from(frame)
    begin = _HEAD.size + size
    if size > most_head or begin > len(frame):
        raise EngineError("A frame has a head of a wrong size.")
    taken = begin

    def take_array(count: int) -> Samples:
        nonlocal taken
        if not 0 <= count <= (len(frame) - taken) // 2:
            raise WrongType("an array of more samples than there are")
        array = np.frombuffer(frame, "<i2", count, taken)
        taken += array.nbytes
        # One pass. Exact: the factor is a power of two.
        samples: Samples = np.multiply(array, _UNIT, dtype=np.float32)
        return samples

    try:
        named = _JSON_IN.decode(frame[_HEAD.size : begin].decode("utf-8", "surrogatepass"))
        message = from_plain(kinds[named["message"]], named["fields"], take_array)
        message = _with_newcomer(_with_trace(message, named.get("trace")), named)
        _check(message)
    except (ValueError, KeyError, TypeError, RecursionError, WrongType) as exc:
        # Without the error's text, which may quote what was said.
        raise EngineError(f"A frame cannot be read ({type(exc).__name__}).") from None
    if taken != len(frame):
        raise EngineError("A frame has audio that is in no message.")
    return message


def _with_trace(message: Any, trace: object) -> Any:
    """Return the message with its trace; without it if it is not valid: a trace is optional."""
    if not isinstance(message, _TRACED):
        return message
    if message.request.trace or message.trace:
        raise WrongType("a trace in the wrong place")
    if not (isinstance(trace, str) and TRACE_CONTEXT.fullmatch(trace)):
        return message
    return replace(message, trace=trace)


def _with_newcomer(message: Any, named: Mapping[str, Any]) -> Any:
    if not isinstance(message, EnginePing) or "newcomer" not in named:
        return message
    if not isinstance(named["newcomer"], str):
        raise WrongType("a newcomer without a name")
    return replace(message, newcomer=named["newcomer"])


@cache
def _bounded(kind: type[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the bounded fields of a message class: names of the numbers, and of the names."""
    fields = [each.name for each in dataclasses.fields(kind)]
    return tuple(filter(_NUMBERS.__contains__, fields)), tuple(filter(_NAMES.__contains__, fields))


def _check(message: Any) -> None:
    """Raise `WrongType` for numbers and names beyond their bounds."""
    numbers, names = _bounded(cast(Hashable, type(message)))
    for name in numbers:
        _check_number(getattr(message, name))
    for name in names:
        if len(getattr(message, name)) > _MOST_NAME:
            raise WrongType("a name that is too long")
    match message:
        case Ask(kept=KeptAudio() as kept):
            _check_number(kept.of)
            _check_number(kept.start)
            _check_number(kept.size)
        case SpokenChunk(samples=samples) if not samples.size:
            raise WrongType("a chunk of nothing")
        case SpeakText(request=request) if not (
            math.isfinite(request.rate) and 0 < request.rate <= _MOST_RATE
        ):
            raise WrongType("a rate out of bounds")


def _check_number(number: int) -> None:
    if not 0 <= number <= _MOST_NUMBER:
        raise WrongType("a number out of bounds")

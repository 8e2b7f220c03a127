"""Frames of the messages between a media process and an engine server.

A frame is the size of its head (uint32), the head, and audio to the end of the frame. The head is a
JSON object: the message's name, its fields, and perhaps the trace that it is part of. Audio is mono
int16, little-endian; in the head an array is its number of samples. Every field is checked against
its type and its bounds, and nothing that is read can choose what is made of it.
"""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Never, get_args

import numpy as np
import numpy.typing as npt

from rtc_server.engines.remote.messages import (
    Ask,
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
"""Two minutes of audio at 16 kHz; no engine takes half of that."""
MOST_HEAD_BYTES = 1024 * 1024
"""Head of a server's message: its hello holds every phrase of a phrasebook."""
MOST_ASKING_HEAD_BYTES = 64 * 1024
"""Head of a media process's message: the texts of one sentence."""
_MOST_NAME = 200
_MOST_NUMBER = 1 << 53
_MOST_RATE = 4.0
_HEAD = struct.Struct("!I")
_FULL_SCALE = np.float32(32768.0)

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
    # Beside the fields, where a server of an earlier version does not look.
    if trace := fields.pop("trace", ""):
        named["trace"] = trace
    head = json.dumps(named, ensure_ascii=False, separators=(",", ":"))
    head_bytes = head.encode("utf-8", "surrogatepass")
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
    """Return samples as they are sent. What was int16 before comes out the same."""
    scaled = np.clip(np.rint(samples * _FULL_SCALE), -32768.0, 32767.0)
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
        return array.astype(np.float32) / _FULL_SCALE

    try:
        named = json.loads(
            frame[_HEAD.size : begin].decode("utf-8", "surrogatepass"), parse_constant=_no_constant
        )
        message = from_plain(kinds[named["message"]], named["fields"], take_array)
        message = _with_trace(message, named.get("trace"))
        _check(message)
    except (ValueError, KeyError, TypeError, RecursionError, WrongType) as exc:
        # Not its text: that may quote what was said.
        raise EngineError(f"A frame cannot be read ({type(exc).__name__}).") from None
    if taken != len(frame):
        raise EngineError("A frame has audio that is in no message.")
    return message


def _with_trace(message: Any, trace: object) -> Any:
    """Return the message with its trace; without one when it is none, which harms nobody."""
    if not isinstance(message, Ask | SpeakText):
        return message
    if message.request.trace or message.trace:
        raise WrongType("a trace in the wrong place")
    if not (isinstance(trace, str) and TRACE_CONTEXT.fullmatch(trace)):
        return message
    return replace(message, trace=trace)


def _no_constant(_name: str) -> Never:
    raise WrongType("a number that is none")


def _check(message: Any) -> None:
    """Raise `WrongType` for numbers and names beyond their bounds."""
    numbers = [getattr(message, name, 0) for name in ("n", "wait_ms", "of", "retry_after_s")]
    match message:
        case Ask(kept=KeptAudio(_, of, start, size)):
            numbers += [of, start, size]
        case SpokenChunk(samples=samples) if not samples.size:
            raise WrongType("a chunk of nothing")
        case SpeakText(request=request) if not (
            math.isfinite(request.rate) and 0 < request.rate <= _MOST_RATE
        ):
            raise WrongType("a rate out of bounds")
    if not all(0 <= each <= _MOST_NUMBER for each in numbers):
        raise WrongType("a number out of bounds")
    if any(len(getattr(message, name, "")) > _MOST_NAME for name in ("session", "code")):
        raise WrongType("a name that is too long")

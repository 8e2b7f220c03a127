"""Messages between the server and an engine's process, and their framing.

A frame is the size of its body and of its audio (uint32 each), then the two: a JSON object, the
message's name beside its fields, and the raw float32 samples of all arrays in it. In the body an
array is its number of samples. Every field is checked against its type; anything else, or more than
a message can hold, is an `EngineError`: nothing that an engine sends can run code here.

Only one call is open at a time, so messages need no numbers::

    server                         engine process
    Load ───────────────────────▶
         ◀─────────────────────── AstReady | TtsReady | StartRefused
    Translate ──────────────────▶
         ◀─────────────────────── Working … then Translated | Raised
    Synthesize ─────────────────▶
         ◀─────────────────────── Chunk, Working … then Done | Raised
    Abort (any time) ───────────▶ the running synthesis ends with Done; else ignored

The end of the stream means to either side that the other is gone.
"""

import asyncio
import json
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import FileIO
from typing import TypeAlias, get_args

import numpy as np

from rtc_server.engines.base import (
    AstCapabilities,
    AstRequest,
    AstResult,
    EngineOptions,
    TtsCapabilities,
    TtsRequest,
)
from rtc_server.engines.typed import WrongType, from_plain, to_plain
from rtc_server.errors import EngineError
from rtc_server.pcm import Samples

_PIECE_BYTES = 256 * 1024
"""Most bytes handed to the event loop at once, so that a long batch does not delay media."""
_HEAD = struct.Struct("!II")
_SAMPLE_BYTES = 4
_MOST_BODY_BYTES = 4 * 1024 * 1024
"""Largest body; texts, languages and voices take far less."""
_MOST_AUDIO_BYTES = 256 * 1024 * 1024
"""Most bytes of audio: more than 64 segments of 40 s."""


@dataclass(frozen=True, slots=True)
class Load:
    """First message: the engine to load."""

    factory: str
    """``module:function`` of the engine's factory."""
    options: EngineOptions
    """Options for the factory."""


@dataclass(frozen=True, slots=True)
class AstReady:
    """Notice that a translation engine is loaded and warm."""

    capabilities: AstCapabilities
    """Capabilities of the engine."""


@dataclass(frozen=True, slots=True)
class TtsReady:
    """Notice that a synthesis engine is loaded and warm."""

    capabilities: TtsCapabilities
    """Capabilities of the engine."""


@dataclass(frozen=True, slots=True)
class StartRefused:
    """Notice that the engine cannot be started; the process ends."""

    reason: str
    """Sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Translate:
    """Request to translate one batch."""

    batch: tuple[AstRequest, ...]
    """At most `AstCapabilities.max_batch` requests."""


@dataclass(frozen=True, slots=True)
class Translated:
    """Answers to a batch."""

    results: tuple[AstResult, ...]
    """One per request, in order."""


@dataclass(frozen=True, slots=True)
class Synthesize:
    """Request to speak one text."""

    request: TtsRequest
    """Request to speak."""


@dataclass(frozen=True, slots=True)
class Abort:
    """Request to stop the running synthesis."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Chunk of the speech, as it is made."""

    samples: Samples
    """Mono float32 at `TtsCapabilities.sample_rate`, shape (n,), n >= 1."""


@dataclass(frozen=True, slots=True)
class Working:
    """Sign of work on the call: see `rtc_server.engines.heartbeat`."""


@dataclass(frozen=True, slots=True)
class Done:
    """End of a synthesis, complete or aborted."""


@dataclass(frozen=True, slots=True)
class Raised:
    """Failure of one call; the engine goes on."""

    reason: str
    """Sentence for the user, without anything of what was said."""
    detail: str = ""
    """Place of the failure, for the log."""


Message: TypeAlias = (
    Load
    | AstReady
    | TtsReady
    | StartRefused
    | Translate
    | Translated
    | Synthesize
    | Abort
    | Chunk
    | Working
    | Done
    | Raised
)


_KINDS = {kind.__name__: kind for kind in get_args(Message)}


def encode(message: Message) -> list[memoryview]:
    """Return the frame of a message, as pieces to write in order.

    Raises:
        WrongType: something in it is of a type that no message holds.
    """
    arrays: list[memoryview] = []

    def put_array(array: Samples) -> int:
        arrays.append(np.ascontiguousarray(array).view(np.uint8).data)
        return array.size

    named = {"message": type(message).__name__, "fields": to_plain(message, put_array)}
    body = json.dumps(named, ensure_ascii=False).encode("utf-8", "surrogatepass")
    audio_bytes = sum(array.nbytes for array in arrays)
    # Head and body in one piece: the other side would wake for each.
    return [memoryview(_HEAD.pack(len(body), audio_bytes) + body), *arrays]


def decode(body: bytes | bytearray, audio: bytearray) -> Message:
    """Return the message of a frame. Arrays are views of `audio`, which may be changed in place.

    Raises:
        EngineError: the body is not a message.
    """
    taken = 0

    def take_array(size: int) -> Samples:
        nonlocal taken
        if not 0 <= size <= (len(audio) - taken) // _SAMPLE_BYTES:
            raise WrongType("an array of more samples than there are")
        array = np.frombuffer(audio, np.float32, size, taken)
        taken += array.nbytes
        return array

    try:
        named = json.loads(body.decode("utf-8", "surrogatepass"))
        message: Message = from_plain(_KINDS[named["message"]], named["fields"], take_array)
    except (ValueError, KeyError, TypeError, RecursionError, WrongType) as exc:
        # Without the error's text, which may quote what was said.
        raise EngineError(f"A frame cannot be read ({type(exc).__name__}).") from None
    if taken != len(audio):
        raise EngineError("A frame has audio that is in no message.")
    return message


def _sizes(head: bytes | bytearray) -> tuple[int, int]:
    body_bytes, audio_bytes = _HEAD.unpack(head)
    if body_bytes > _MOST_BODY_BYTES or audio_bytes > _MOST_AUDIO_BYTES:
        raise EngineError(f"A frame of {body_bytes + audio_bytes} bytes is too large.")
    return body_bytes, audio_bytes


async def send(writer: asyncio.StreamWriter, message: Message) -> None:
    """Write a message, waiting whenever the other side is slow to read.

    Raises:
        OSError: the other side is gone.
    """
    for part in encode(message):
        for piece in _pieces(part):
            writer.write(piece)
            await writer.drain()


async def receive(
    reader: asyncio.StreamReader, progress: Callable[[], None] = lambda: None
) -> Message:
    """Return the next message; call `progress` for every piece of it that comes.

    Raises:
        EOFError: the other side is gone.
        EngineError: what came is no message.
    """
    body_bytes, audio_bytes = _sizes(await _read(reader, _HEAD.size, progress))
    body = await _read(reader, body_bytes, progress)
    return decode(body, await _read(reader, audio_bytes, progress))


async def _read(reader: asyncio.StreamReader, size: int, progress: Callable[[], None]) -> bytearray:
    data = bytearray()
    while len(data) < size:
        piece = await reader.read(min(size - len(data), _PIECE_BYTES))
        if not piece:
            raise EOFError
        data += piece
        progress()
    return data


def send_blocking(pipe: FileIO, message: Message) -> None:
    """Write a message from the engine's process, waiting while the server is slow to read."""
    write_blocking(pipe, encode(message))


def write_blocking(pipe: FileIO, frame: Iterable[memoryview]) -> None:
    """Write the pieces of a frame that `encode` made."""
    for part in frame:
        left = part
        while left:
            left = left[pipe.write(left) :]


def receive_blocking(pipe: FileIO) -> Message:
    """Return the next message, in the engine's process. Raises as `receive`."""
    body_bytes, audio_bytes = _sizes(_read_exactly(pipe, _HEAD.size))
    body = _read_exactly(pipe, body_bytes)
    return decode(body, _read_exactly(pipe, audio_bytes))


def _read_exactly(pipe: FileIO, size: int) -> bytearray:
    data = bytearray(size)
    left = memoryview(data)
    while left:
        got = pipe.readinto(left)
        if not got:
            raise EOFError
        left = left[got:]
    return data


def _pieces(part: memoryview) -> Iterator[memoryview]:
    for start in range(0, part.nbytes, _PIECE_BYTES):
        yield part[start : start + _PIECE_BYTES]

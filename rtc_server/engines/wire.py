"""What the server and an engine's process say to each other, and how it is framed.

A frame is the number of parts (uint32), the size of each (uint64), then the parts: a pickle
(protocol 5) and the raw memory of each array in it. Arrays are never pickled element by element
and never copied into the pickle. Both ends are ours and run as the same user, so pickle is safe.

The talk is strictly one call at a time, so that messages need no numbers::

    server                         engine process
    Load ───────────────────────▶
         ◀─────────────────────── Ready | Refused
    Translate ──────────────────▶
         ◀─────────────────────── Working … then Translated | Raised
    Synthesize ─────────────────▶
         ◀─────────────────────── Chunk, Working … then Done | Raised
    Abort (any time) ───────────▶ the running synthesis ends with Done; else ignored

The end of the stream tells either side that the other is gone.
"""

import asyncio
import pickle
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from typing import TypeAlias

from rtc_server.engines.base import (
    AstCapabilities,
    AstRequest,
    AstResult,
    EngineOptions,
    TtsCapabilities,
    TtsRequest,
)
from rtc_server.pcm import Samples

_PIECE_BYTES = 256 * 1024
"""Most bytes handed to the event loop at once: a long batch never holds up the media."""


@dataclass(frozen=True, slots=True)
class Load:
    """The first message: which engine to be."""

    factory: str
    """``module:function`` of the engine's factory."""
    options: EngineOptions
    """Handed to the factory."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine is loaded and warm."""

    capabilities: AstCapabilities | TtsCapabilities
    """What it can do."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The engine cannot be started; the process ends."""

    reason: str
    """A sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Translate:
    """Translate one batch."""

    batch: tuple[AstRequest, ...]
    """At most `AstCapabilities.max_batch` requests."""


@dataclass(frozen=True, slots=True)
class Translated:
    """The batch's answers."""

    results: tuple[AstResult, ...]
    """One per request, in order."""


@dataclass(frozen=True, slots=True)
class Synthesize:
    """Speak one text."""

    request: TtsRequest
    """What to speak."""


@dataclass(frozen=True, slots=True)
class Abort:
    """Nobody listens to the running synthesis any more."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Speech as it is made."""

    samples: Samples
    """Mono float32 at `TtsCapabilities.sample_rate`, shape (n,), n >= 1."""


@dataclass(frozen=True, slots=True)
class Working:
    """The engine is at work on the call: see `rtc_server.engines.heartbeat`."""


@dataclass(frozen=True, slots=True)
class Done:
    """The synthesis is over, complete or aborted."""


@dataclass(frozen=True, slots=True)
class Raised:
    """The engine could not do this call; it lives on."""

    reason: str
    """A sentence for the user, without anything of what was said."""
    detail: str = ""
    """Where it failed, for the log."""


Message: TypeAlias = (
    Load
    | Ready
    | Refused
    | Translate
    | Translated
    | Synthesize
    | Abort
    | Chunk
    | Working
    | Done
    | Raised
)


def encode(message: Message) -> list[memoryview]:
    """The frame of a message, as pieces to write one after the other."""
    arrays: list[pickle.PickleBuffer] = []
    body = pickle.dumps(message, protocol=5, buffer_callback=arrays.append)
    parts = [memoryview(body), *(array.raw() for array in arrays)]
    head = struct.pack(f"!I{len(parts)}Q", len(parts), *(part.nbytes for part in parts))
    return [memoryview(head), *parts]


def _decode(parts: list[bytearray]) -> Message:
    message: Message = pickle.loads(parts[0], buffers=parts[1:])
    return message


async def send(writer: asyncio.StreamWriter, message: Message) -> None:
    """Write a message, waiting whenever the other side is slow to read.

    Raises:
        OSError: the other side is gone.
    """
    for part in encode(message):
        for piece in _pieces(part):
            writer.write(piece)
            await writer.drain()


async def receive(reader: asyncio.StreamReader) -> Message:
    """The next message.

    Raises:
        EOFError: the other side is gone.
    """
    (count,) = struct.unpack("!I", await reader.readexactly(4))
    sizes = struct.unpack(f"!{count}Q", await reader.readexactly(8 * count))
    # bytearray: what is decoded from it may be changed in place by whoever receives it
    return _decode([bytearray(await reader.readexactly(size)) for size in sizes])


def send_blocking(pipe: FileIO, message: Message) -> None:
    """`send` for the engine's process: waits while the server is slow to read."""
    for part in encode(message):
        left = part
        while left:
            left = left[pipe.write(left) :]


def receive_blocking(pipe: FileIO) -> Message:
    """`receive` for the engine's process."""
    (count,) = struct.unpack("!I", _read_exactly(pipe, 4))
    sizes = struct.unpack(f"!{count}Q", _read_exactly(pipe, 8 * count))
    return _decode([_read_exactly(pipe, size) for size in sizes])


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

"""WebRTC clients in other languages, each a process that speaks Opus and prints what it meets.

It reads Opus packets of 20 ms from its standard input, one a line in base64, and sends them in real
time, over and over. It prints ``connected`` when it is, ``event TYPE`` for each message on its data
channel, ``audio PAYLOAD`` for each RTP packet it receives, and ``error`` when it is refused.
"""

import asyncio
import contextlib
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np

from rtc_server.pcm import Samples
from tests.support.opus_codec import decode, encode

PAUSE_BYTES = 20
"""Packets of silence are no longer."""
PATIENCE_S = 60.0


class OpusPeer:
    """Output of a peer."""

    def __init__(self, lines: asyncio.StreamReader) -> None:
        self._lines = lines
        self._opus: list[bytes] = []

    async def printed(self, wanted: str) -> None:
        """Wait for a line."""
        async with asyncio.timeout(PATIENCE_S):
            while await self._next() != wanted:
                pass

    async def heard(self) -> None:
        """Wait for some speech."""
        async with asyncio.timeout(PATIENCE_S):
            while sum(len(packet) > PAUSE_BYTES for packet in self._opus) < 20:
                await self._next()
        assert np.abs(decode(self._opus)).max() > 0.05

    async def _next(self) -> str:
        line = (await self._lines.readline()).decode().strip()
        assert line and not line.startswith("error"), line or "the peer has ended"
        kind, _, rest = line.partition(" ")
        if kind == "audio":
            self._opus.append(b64decode(rest))
        return line


@contextlib.asynccontextmanager
async def opus_peer(
    *command: str, folder: Path, speech: Samples | None = None
) -> AsyncIterator[OpusPeer]:
    """Run a peer in `folder` that says `speech`, 48 kHz, or listens only."""
    packets: Sequence[bytes] = [] if speech is None else encode(speech)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin and process.stdout
    try:
        process.stdin.write(b"".join(b64encode(packet) + b"\n" for packet in packets))
        process.stdin.close()
        yield OpusPeer(process.stdout)
    finally:
        process.kill()
        # The rest of its output is read, or its pipe would stay open.
        await process.communicate()

"""A client of the server's WebSockets."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np
from aiohttp import WSMsgType

from rtc_server.app.server import RunningServer
from rtc_server.pcm import Samples, from_int16, to_int16

PLAIN = "/ws/audio"


@dataclass
class Client:
    """WebSocket client that keeps the messages that it gets."""

    ws: aiohttp.ClientWebSocketResponse
    events: list[dict[str, Any]] = field(default_factory=list)
    audio: list[bytes] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        async for message in self.ws:
            if message.type is WSMsgType.BINARY:
                self.audio.append(message.data)
            else:
                self.events.append(json.loads(message.data))
            self._changed.set()
        self.events.append({"type": "(closed)"})
        self._changed.set()

    def of(self, kind: str, **fields: object) -> list[dict[str, Any]]:
        return [
            e
            for e in self.events
            if e["type"] == kind and all(e.get(key) == value for key, value in fields.items())
        ]

    async def event(self, kind: str, **fields: object) -> dict[str, Any]:
        await self.until(lambda: bool(self.of(kind, **fields)))
        return self.of(kind, **fields)[0]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Looked at whenever something comes."""
        async with asyncio.timeout(60):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def say(self, samples: Samples) -> None:
        """Send audio in real time, 20 ms each."""
        pcm = to_int16(samples).astype("<i2").tobytes()
        origin_s = asyncio.get_running_loop().time()
        for number, at in enumerate(range(0, len(pcm), 640)):
            await self.ws.send_bytes(pcm[at : at + 640])
            due_s = origin_s + (number + 1) * 0.02
            await asyncio.sleep(due_s - asyncio.get_running_loop().time())

    async def append(self, samples: Samples) -> None:
        """Send audio as Realtime Translations does, 24 kHz, all at once."""
        pcm = to_int16(samples).astype("<i2").tobytes()
        await self.ws.send_json(
            {
                "type": "session.input_audio_buffer.append",
                "audio": base64.b64encode(pcm).decode(),
            }
        )

    @property
    def heard(self) -> Samples:
        return from_int16(np.frombuffer(b"".join(self.audio), "<i2").astype(np.int16))


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    """A client of that endpoint, which listens while the block runs."""
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as ws:
        made = Client(ws)
        listening = asyncio.create_task(made.listen())
        try:
            yield made
        finally:
            await ws.close()
            await listening


@asynccontextmanager
async def client(running_server: RunningServer, path: str) -> AsyncIterator[Client]:
    async with connected(running_server.url + path) as made:
        yield made

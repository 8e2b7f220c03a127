"""Tools of a visit that misbehaves: its victim, its random generator, requests that are counted.
The visits are in `bench.misbehaviour`.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiortc.exceptions import InvalidStateError

from tests.support.opus_codec import Floats

CALLS = "/v1/realtime/translations/calls"
PAIR = "?source=en&target=ru"
LEFT = (aiohttp.ClientError, EOFError, OSError, TimeoutError, InvalidStateError)
"""Exceptions of a client that is refused or cut off; none is a fault of the server."""


@dataclass(frozen=True, slots=True)
class Prey:
    """An honest call, as far as somebody else can know of it."""

    location: str
    """URL path of the call."""
    address: tuple[str, int]
    """UDP address of the server for that call."""


@dataclass(frozen=True, slots=True)
class Mischief:
    """Everything that a visit has at hand."""

    url: str
    http: aiohttp.ClientSession
    secrets: Sequence[str]
    """Client secrets of a key of its own."""
    prey: Prey
    speech: Floats
    """A sentence, 48 kHz."""
    pcm: bytes
    """The same as a WebSocket takes it: 16 bits, 16 kHz."""
    rng: random.Random
    answers: Counter[int]
    """Status codes of all answers to requests, shared by all visits."""

    def bearer(self) -> dict[str, str]:
        """Return the header of one of the secrets, or none at all now and then."""
        if self.rng.random() < 0.1:
            return {}
        return {"Authorization": f"Bearer {self.rng.choice(self.secrets)}"}

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], data: bytes | str = b""
    ) -> tuple[int, str]:
        """Send one request; return status and body of the answer."""
        async with self.http.request(
            method, self.url + path, headers=headers, data=data
        ) as response:
            self.answers[response.status] += 1
            return response.status, await response.text()

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A session on ``/ws/audio`` whose answers are read and dropped."""
        url = self.url + "/ws/audio" + PAIR
        async with self.http.ws_connect(url, headers=self.bearer()) as ws:
            reading = asyncio.create_task(_read_all(ws))
            try:
                yield ws
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)


async def _read_all(ws: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in ws:
        pass

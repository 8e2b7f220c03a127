"""Callers who do nothing wrong: one over WebRTC, one in a room, one with a new session for each
sentence.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp
import numpy as np

from bench.mischief import CALLS, LEFT, PAIR, Prey
from rtc_server.pcm import FRAME_MS, PLAYOUT_RATE, SPEECH_RATE, Samples, to_int16
from rtc_server.resample import resampled
from tests.support.rtc_client import RtcClient
from tests.support.server import EVENTS, of
from tests.support.ws_client import Client

ROOM = "hall"
ANSWER_S = 60.0
"""A sentence that is not answered by then is not."""
PAUSE_S = 2.0
SILENCE_S = 1.0
"""Silence after a sentence that is sent at once."""


@dataclass(slots=True)
class Sentences:
    """Sentences of one caller."""

    said: int = 0
    delays_s: list[float] = field(default_factory=list)
    """Time from the first sample to the final caption, for each sentence that was answered."""
    came_again: int = 0
    """Times that the caller was refused with ``Retry-After``, and waited."""


class Honest:
    """The callers. Use `calling`."""

    def __init__(self, url: str, key: str, speech: Samples) -> None:
        """`speech`: the sentence that all of them say, 48 kHz."""
        self._url, self._speech = url, speech
        self._headers = {"Authorization": f"Bearer {key}"}
        self._over = asyncio.Event()
        self.sentences = {name: Sentences() for name in ("WebRTC", "room", "WebSocket")}

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[Prey]:
        """Let all of them speak while the block runs; they finish their sentence after it."""
        async with (
            RtcClient(self._url + CALLS + PAIR, headers=self._headers, session=EVENTS) as caller,
            RtcClient(
                f"{self._url}/whip/{ROOM}?source=en", channel=None, headers=self._headers
            ) as guide,
            aiohttp.ClientSession(headers=self._headers) as http,
            asyncio.TaskGroup() as tasks,
        ):
            for speaking in (self._call(caller), self._room(guide, http), self._newcomer(http)):
                tasks.create_task(speaking)
            try:
                yield Prey(caller.location, caller.server_address)
            finally:
                self._over.set()

    async def _each(self, name: str, say: Callable[[], Awaitable[None]]) -> None:
        """Say one sentence after another. `say` returns when its final caption is there."""
        note = self.sentences[name]
        while not self._over.is_set():
            note.said += 1
            begun_s = time.monotonic()
            try:
                async with asyncio.timeout(ANSWER_S):
                    await say()
                note.delays_s.append(time.monotonic() - begun_s)
            except LEFT as error:
                print(f"{name}: not answered ({error!r})", file=sys.stderr)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), PAUSE_S)

    async def _call(self, caller: RtcClient) -> None:
        def finals() -> int:
            return len(of(caller, "x.segment", status="final", final=True))

        async def say() -> None:
            before = finals()
            caller.track.say(self._speech)
            await caller.until(lambda: finals() > before)

        await self._each("WebRTC", say)

    async def _room(self, guide: RtcClient, http: aiohttp.ClientSession) -> None:
        captions = f"{self._url}/v1/rooms/{ROOM}/captions?language=ru"
        patient = aiohttp.ClientTimeout(total=None)
        async with http.get(captions, timeout=patient, raise_for_status=True) as response:

            async def say() -> None:
                guide.track.say(self._speech)
                line = b""
                while not (b'"final"' in line and b'"x.segment"' in line):
                    line = await response.content.readline()
                    if not line:
                        raise ConnectionError("the room's captions have ended")

            await self._each("room", say)

    async def _newcomer(self, http: aiohttp.ClientSession) -> None:
        note = self.sentences["WebSocket"]
        spoken = np.concatenate([*resampled([self._speech], PLAYOUT_RATE, SPEECH_RATE)])
        silence = np.zeros(round(SILENCE_S * SPEECH_RATE), np.float32)
        pcm = to_int16(np.concatenate([spoken, silence])).tobytes()
        step = 2 * SPEECH_RATE * FRAME_MS // 1000

        async def admitted() -> aiohttp.ClientWebSocketResponse:
            while True:
                try:
                    return await http.ws_connect(f"{self._url}/ws/audio{PAIR}")
                except aiohttp.WSServerHandshakeError as refused:
                    if refused.headers is None or "Retry-After" not in refused.headers:
                        raise
                    note.came_again += 1
                    await asyncio.sleep(float(refused.headers["Retry-After"]))

        async def say() -> None:
            async with await admitted() as ws:
                client = Client(ws)
                listening = asyncio.create_task(client.listen())
                await ws.send_json({"type": "session.update", "session": EVENTS})
                for at in range(0, len(pcm), step):
                    await ws.send_bytes(pcm[at : at + step])
                await client.event("x.segment", status="final", final=True)
                await ws.close()
                await listening

        await self._each("WebSocket", say)

"""A client of ``/ws/audio`` that speaks in real time and notes when the answers come."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np

from bench.harness import VOICED_RMS, BenchServer
from rtc_server.pcm import FRAME_MS, PLAYOUT_RATE, SPEECH_RATE, Samples, to_int16
from rtc_server.resample import resampled

MODE = {"x": {"mode": "consecutive"}}
WANTED = {"type": "session.update", "session": MODE | {"x_events": ["metrics", "segment"]}}
FRAME_BYTES = 2 * SPEECH_RATE * FRAME_MS // 1000


@dataclass(frozen=True, slots=True)
class Spoken:
    """Record of a client. Times are `time.monotonic`."""

    sent_at_s: list[float] = field(default_factory=list)
    """Time at which each frame of 20 ms was sent."""
    voiced_arrivals_s: list[float] = field(default_factory=list)
    """Arrival of each frame that holds sound."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """Server events."""


async def speak_ws(bench: BenchServer, source: str, target: str, audio: Samples) -> Spoken:
    """Say it (48 kHz, as to WebRTC) in one session."""
    lowered = np.concatenate([*resampled([audio], PLAYOUT_RATE, SPEECH_RATE)])
    pcm = to_int16(lowered).tobytes()
    spoken = Spoken()
    url = f"{bench.url}/ws/audio?source={source}&target={target}"
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        await socket.send_json(WANTED)
        listening = asyncio.create_task(_listen(socket, spoken))
        began_s = time.monotonic()
        for number, at in enumerate(range(0, len(pcm), FRAME_BYTES)):
            await asyncio.sleep(began_s + number * FRAME_MS / 1000 - time.monotonic())
            spoken.sent_at_s.append(time.monotonic())
            await socket.send_bytes(pcm[at : at + FRAME_BYTES])
        await socket.close()
        await listening
    return spoken


async def _listen(socket: aiohttp.ClientWebSocketResponse, spoken: Spoken) -> None:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            spoken.events.append(json.loads(message.data))
            continue
        samples = np.frombuffer(message.data, "<i2") / 32768
        if np.sqrt(np.mean(samples**2)) > VOICED_RMS:
            spoken.voiced_arrivals_s.append(time.monotonic())

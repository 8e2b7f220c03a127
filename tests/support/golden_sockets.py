"""Scenes of the golden files on both forms of WebSocket."""

import asyncio
import base64
import json

import aiohttp

from rtc_server.pcm import to_int16
from tests.support import signals
from tests.support.fakes import FakeAst, joined, ok, silence, tone
from tests.support.golden_messages import APPENDS, PLAIN, WAV, append
from tests.support.golden_record import Record
from tests.support.golden_server import golden_server, shown

SENTENCE = joined([tone(1), silence(2)])


async def plain_socket(record: Record) -> None:
    """Session on ``/ws/audio``."""
    ast = FakeAst([ok("где вокзал", "Where is the station?")])
    async with (
        golden_server(record, ast=ast) as server,
        server.http.ws_connect("/ws/audio?source=ru&target=en&model=any") as ws,
    ):
        listening = asyncio.create_task(_listen(ws, record))
        for message in PLAIN:
            await _send(ws, record, message)
            await asyncio.sleep(0.05)
        pcm = to_int16(SENTENCE).astype("<i2").tobytes()
        for at in range(0, len(pcm), 640):
            await ws.send_bytes(pcm[at : at + 640])
            await asyncio.sleep(0.02)
        await _send(ws, record, WAV)
        await _send(ws, record, '{"type":"stop"}')
        await listening


async def translations_socket(record: Record) -> None:
    """Session on ``/v1/realtime/translations``."""
    ast = FakeAst([ok("где вокзал", "Where is the station?")])
    async with (
        golden_server(record, ast=ast) as server,
        server.http.ws_connect("/v1/realtime/translations?model=any") as ws,
    ):
        listening = asyncio.create_task(_listen(ws, record))
        for message in APPENDS:
            await _send(ws, record, message)
            await asyncio.sleep(0.05)
        voice = [signals.tone(hz, ms, sample_rate=24_000) for hz, ms in ((220, 1000), (0, 2000))]
        pcm = to_int16(joined(voice)).astype("<i2").tobytes()
        for at in range(0, len(pcm), 960):
            audio = base64.b64encode(pcm[at : at + 960]).decode()
            await ws.send_str(append(audio))
            await asyncio.sleep(0.02)
        await _send(ws, record, append(base64.b64encode(WAV).decode()))
        await _send(ws, record, '{"type":"session.close"}')
        await listening


async def _send(ws: aiohttp.ClientWebSocketResponse, record: Record, message: str | bytes) -> None:
    if isinstance(message, str):
        record.client(shown(message))
        await ws.send_str(message)
    else:
        record.client(f"{len(message)} bytes: {message[:12].hex()}…")
        await ws.send_bytes(message)


async def _listen(ws: aiohttp.ClientWebSocketResponse, record: Record) -> None:
    """Record the events; of audio, which depends on time, one message's form and that it came."""
    seen = set()
    async for message in ws:
        text = message.data
        kind = "binary" if isinstance(text, bytes) else json.loads(text)["type"]
        if kind in ("binary", "session.output_audio.delta", "stats"):
            if kind in seen:
                continue
            seen.add(kind)
        if kind == "binary":
            record.note(speech=f"{len(text)} bytes")
        elif kind == "session.output_audio.delta":
            delta = json.loads(text)["delta"]
            record.server(text.replace(delta, "…"))
        else:
            record.server(text)
    record.note(closed=ws.close_code)

"""Short sessions of every kind, one after the other: the server's process is as it was before."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping

import aiohttp
import psutil
import pytest

from tests.support.command import serving
from tests.support.rtc_client import RtcClient
from tests.support.server import CALLS
from tests.support.until import until

PCM = bytes(2 * 24_000 // 50)
"""20 ms of silence at 24 kHz."""
PAIR = "?source=en&target=de"
AT_ONCE = 5
WARM_UP = 60
"""Visits of each kind after which everything that is made once has been made."""
GROWTH_MB = 10.0

Visit = Callable[[str, int], Awaitable[None]]
"""Function that has one session with the server at this URL; the number decides how it ends, and is
part of its room's name.
"""


async def plain_socket(url: str, number: int) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(url + "/ws/audio" + PAIR) as ws:
        await ws.receive()
        await ws.send_bytes(PCM)
        if number % 2:
            await ws.send_json({"type": "stop"})
            while not ws.closed:
                await ws.receive()


async def realtime_socket(url: str, number: int) -> None:
    path = url + "/v1/realtime/translations" + PAIR
    async with aiohttp.ClientSession() as http, http.ws_connect(path) as ws:
        await ws.receive()
        audio = base64.b64encode(PCM).decode()
        await ws.send_json({"type": "session.input_audio_buffer.append", "audio": audio})
        await ws.send_json({"type": "x.ping" if number % 2 else "session.close"})
        while (await ws.receive_json())["type"] not in ("x.pong", "session.closed"):
            pass


async def webrtc_call(url: str, number: int) -> None:
    async with RtcClient(url + CALLS + PAIR) as client:
        await client.event("session.created")
        if number % 2:
            client.send({"type": "session.close"})
            await client.event("session.closed")


async def room(url: str, number: int) -> None:
    at = f"hall{number}"
    async with (
        RtcClient(f"{url}/whip/{at}?source=en", channel=None) as speaker,
        RtcClient(f"{url}/whep/{at}?language=de", listens_only=True) as listener,
    ):
        sent = len(speaker.track.sent_at_s)
        await listener.until(lambda: len(speaker.track.sent_at_s) > sent)


async def visits(url: str, first: int, counts: Mapping[Visit, int]) -> None:
    """Make that many visits of each kind, some at the same time."""
    for visit, count in counts.items():
        for number in range(first, first + count, AT_ONCE):
            await asyncio.gather(*(visit(url, number + n) for n in range(AT_ONCE)))


SOCKETS: Mapping[Visit, int] = {plain_socket: 100, realtime_socket: 100}
EVERY_KIND: Mapping[Visit, int] = {
    plain_socket: 850,
    realtime_socket: 850,
    webrtc_call: 200,
    room: 50,  # two sessions each
}


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param(SOCKETS, id="sockets"),
        pytest.param(EVERY_KIND, id="every-kind", marks=pytest.mark.slow),
    ],
)
async def test_nothing_is_left(counts: Mapping[Visit, int]) -> None:
    quiet = ("--log-level", "error", "--max-sessions", "50")
    rooms = ("--max-rooms", "1000", "--room-wait-s", "0", "--room-linger-s", "0")
    engines = ("--ast", "tests.support.server_engines:many", "--tts", "espeak")
    async with serving(*engines, *quiet, *rooms) as server:
        process = psutil.Process(server.process.pid)
        connections = len(process.net_connections("all"))

        async def look() -> tuple[int, float]:
            """Native threads and memory in MB, once all sessions are gone."""
            await until(lambda: len(process.net_connections("all")) == connections)
            return process.num_threads(), process.memory_info().rss / 2**20

        await visits(server.url, 0, dict.fromkeys(counts, WARM_UP))
        threads, memory_mb = await look()
        await visits(server.url, WARM_UP, counts)
        threads_after, memory_after_mb = await look()
        assert threads_after == threads
        assert memory_after_mb - memory_mb < GROWTH_MB

"""FastRTC's smallest echo server, for `bench.peers`. Runs in an environment with FastRTC."""

import asyncio
import socket

import aioice.ice
import numpy as np
import uvicorn
from fastapi import FastAPI
from fastrtc import AsyncStreamHandler, Stream

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]


class FastRtcEcho(AsyncStreamHandler):
    """Handler that returns each frame as it came."""

    def __init__(self) -> None:
        super().__init__(input_sample_rate=24_000, output_sample_rate=24_000)
        self._frames: asyncio.Queue[tuple[int, np.ndarray]] = asyncio.Queue()

    def copy(self) -> "FastRtcEcho":
        return FastRtcEcho()

    async def receive(self, frame: tuple[int, np.ndarray]) -> None:
        self._frames.put_nowait(frame)

    async def emit(self) -> tuple[int, np.ndarray]:
        return await self._frames.get()


stream = Stream(
    FastRtcEcho(),
    modality="audio",
    mode="send-receive",
    concurrency_limit=100,
    server_rtc_configuration={"iceServers": []},
)
app = FastAPI()
stream.mount(app)

with socket.socket() as listening:
    listening.bind(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])

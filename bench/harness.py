"""Common parts of the benches: a server in a process of its own, spoken test
phrases, percentiles.
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiohttp
import av
import numpy as np
import psutil
from av.packet import Packet

from rtc_phrasebook.listing import topics
from rtc_server.engines.base import EngineOptions, TtsRequest
from rtc_server.engines.espeak.engine import create as create_espeak
from rtc_server.pcm import PLAYOUT_RATE, Samples
from rtc_server.resample import Resampler
from tests.support.rtc_client import RtcClient

START_S = 60.0
VOICED_RMS = 0.01
"""A packet is voiced above this: −40 dBFS."""


@dataclass(frozen=True, slots=True)
class BenchServer:
    """A server under measurement."""

    url: str
    process: psutil.Process

    def call_url(self, source: str, target: str) -> str:
        """Return the URL to POST an offer to."""
        return f"{self.url}/v1/realtime/translations/calls?source={source}&target={target}"

    def cpu_s(self) -> float:
        """Processor seconds of the server so far, its engines included."""
        every = [self.process, *self.process.children(recursive=True)]
        return sum(sum(p.cpu_times()[:2]) for p in every)

    def media_cpu_s(self) -> float:
        """Processor seconds of the media process alone."""
        return sum(self.process.cpu_times()[:2])


@asynccontextmanager
async def server(*options: str, log: Path | None = None) -> AsyncIterator[BenchServer]:
    """``rtc-server serve`` on a free loopback port, ready. Warnings go to `log`, or are shown."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "rtc_server", "serve", "--port", str(port), *options]
    with log.open("wb") if log else nullcontext() as stderr:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=stderr,
            env={**os.environ, "RTC_LOG_LEVEL": "warning"},
        )
    try:
        url = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession() as http, asyncio.timeout(START_S):
            while not await _is_ready(http, url):
                if process.returncode is not None:
                    raise RuntimeError(f"the server ended with code {process.returncode}")
                await asyncio.sleep(0.05)
        yield BenchServer(url, psutil.Process(process.pid))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _is_ready(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url + "/readyz") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


def speaker() -> Callable[[str, str], Samples]:
    """A function (text, language) → 48 kHz speech, by the embedded voice."""
    voice = create_espeak(EngineOptions())

    def speak(text: str, language: str) -> Samples:
        resampler = Resampler(voice.capabilities.sample_rate, PLAYOUT_RATE)
        chunks = [resampler.push(c) for c in voice.synthesize(TtsRequest(text, language))]
        return trimmed(np.concatenate([*chunks, resampler.flush()]))

    return speak


def book_texts(source: str, target: str) -> list[str]:
    """Return every phrase of the phrasebook, its slots filled with examples."""
    return [e.source for topic in topics(source, target) for e in topic.examples]


def trimmed(samples: Samples, floor: float = 0.01) -> Samples:
    """Return the sound without the silence before the first and after the last voiced sample."""
    voiced = np.flatnonzero(np.abs(samples) > floor * np.abs(samples).max())
    return samples[voiced[0] : voiced[-1] + 1]


def voiced_arrivals(client: RtcClient) -> list[tuple[float, int]]:
    """(arrival in monotonic seconds, RTP timestamp) of each received packet that holds sound."""
    decoder = cast(Any, av.CodecContext.create("libopus", "r"))
    decoder.sample_rate, decoder.layout = PLAYOUT_RATE, "mono"
    found = []
    for heard in client.packets:
        for frame in decoder.decode(Packet(heard.payload)):
            samples = frame.to_ndarray().astype(np.float64)
            samples /= 32768.0 if frame.format.name.startswith("s16") else 1.0
            if np.sqrt(np.mean(samples**2)) > VOICED_RMS:
                found.append((heard.arrival_s, heard.timestamp))
    return found


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the arguments before the first ``--`` and those after it, which go to a server."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return list(arguments[:end]), list(arguments[end + 1 :])


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile by linear interpolation; NaN without values."""
    return float(np.percentile(values, percent)) if values else float("nan")

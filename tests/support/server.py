"""A whole server in this process with engines that answer at once, and calls to it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import psutil

from rtc_server.app.server import RunningServer, running
from rtc_server.config import HttpSettings, Settings, TransportSettings
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE, Samples
from rtc_server.resample import Resampler
from tests.support.patient import PATIENT
from tests.support.rtc_client import RtcClient
from tests.support.signals import english
from tests.support.until import until

CALLS = "/v1/realtime/translations/calls"
EVENTS = {"x_events": ["segment", "playout", "vad"]}
"""Settings of a session whose client gets all events of its speech."""


@asynccontextmanager
async def server(ast: str = "quick", **transport: float) -> AsyncIterator[RunningServer]:
    settings = Settings(
        http=HttpSettings(port=0, max_sessions=20),
        transport=TransportSettings(**transport),  # type: ignore[arg-type]
        engines=replace(PATIENT, ast=f"tests.support.server_engines:{ast}"),
    )
    async with running(settings) as running_server:
        yield running_server


def call(running_server: RunningServer, audio: Samples | None = None, query: str = "") -> RtcClient:
    return RtcClient(running_server.url + CALLS + query, audio=audio, session=EVENTS)


def said(*texts: str, pause_s: float = 1.0) -> Samples:
    """Sentences with pauses between them, 48 kHz."""
    up = Resampler(SPEECH_RATE, PLAYOUT_RATE)
    pause = np.zeros(round(pause_s * PLAYOUT_RATE), np.float32)
    parts = [pause[: PLAYOUT_RATE // 2]]
    for text in texts:
        parts += [up.push(english(text)), pause]
    return np.concatenate(parts)


def of(client: RtcClient, kind: str, **fields: object) -> list[dict[str, Any]]:
    return [
        e
        for e in client.events
        if e["type"] == kind and all(e.get(key) == value for key, value in fields.items())
    ]


async def freed(running_server: RunningServer) -> None:
    """Wait until no session is left."""
    await until(lambda: not running_server.manager.sessions)


def engine_processes() -> list[psutil.Process]:
    return psutil.Process(os.getpid()).children(recursive=True)

"""A server with rooms: a speaker, and listeners."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from rtc_server.app.server import RunningServer, running
from rtc_server.config import (
    AccessSettings,
    HttpSettings,
    RoomSettings,
    Settings,
    TransportSettings,
)
from tests.support.patient import PATIENT
from tests.support.rtc_client import RtcClient
from tests.support.server import of, said


@asynccontextmanager
async def server(
    *,
    api_key: str = "",
    access: AccessSettings | None = None,
    transport: TransportSettings | None = None,
    ast: str = "tests.support.server_engines:many",
    tts: str = "",
    **rooms: float,
) -> AsyncIterator[RunningServer]:
    settings = Settings(
        http=HttpSettings(port=0, api_key=api_key),
        access=access or AccessSettings(),
        transport=transport or TransportSettings(),
        engines=replace(PATIENT, ast=ast, tts=tts),
        rooms=RoomSettings(**rooms),  # type: ignore[arg-type]
    )
    async with running(settings) as running_server:
        yield running_server


def speaker(running_server: RunningServer, room: str = "hall") -> RtcClient:
    """Silent until `say`."""
    return RtcClient(f"{running_server.url}/whip/{room}?source=en", channel=None)


def say(client: RtcClient, *texts: str) -> None:
    """Speak from now on."""
    client.track.say(said(*texts))


def listener(running_server: RunningServer, language: str) -> RtcClient:
    return RtcClient(f"{running_server.url}/whep/hall?language={language}", listens_only=True)


def finals(client: RtcClient) -> list[dict[str, Any]]:
    return of(client, "x.segment", final=True)


async def told(client: RtcClient, count: int = 1) -> list[dict[str, Any]]:
    """Wait for that many final captions; return them."""
    await client.until(lambda: len(finals(client)) >= count)
    return finals(client)


async def heard(client: RtcClient, *, frames: int = 20) -> None:
    """Wait for some speech."""
    await client.until(lambda: sum(len(each.payload) > 20 for each in client.packets) >= frames)
    assert np.abs(client.heard()).max() > 0.05


def total(running_server: RunningServer, name: str, **labels: str) -> float:
    return running_server.metrics.registry.get_sample_value(f"rtc_{name}", labels) or 0.0

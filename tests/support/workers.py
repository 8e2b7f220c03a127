"""A server of several processes in this one's children, with engines that answer at once."""

import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp

from rtc_server.app.workers.serve import RunningWorkers, running_workers
from rtc_server.config import (
    HttpSettings,
    RoomSettings,
    Settings,
    WorkerSettings,
)
from tests.support.patient import PATIENT, TRANSPORT
from tests.support.rtc_client import RtcClient
from tests.support.server import CALLS, EVENTS, of, said

SENTENCE = "please call a taxi for tomorrow morning"


@asynccontextmanager
async def workers(
    count: int = 2, ast: str = "quick", tts: str = "", max_sessions: int = 20, **more: Any
) -> AsyncIterator[RunningWorkers]:
    """Run `count` workers; `more`: sections of the settings in place of the usual ones."""
    sections = {
        "http": HttpSettings(port=0, max_sessions=max_sessions, drain_s=1.0),
        "transport": TRANSPORT,
        "engines": replace(PATIENT, ast=f"tests.support.server_engines:{ast}", tts=tts),
        "rooms": RoomSettings(room_linger_s=1.0),
    }
    settings = Settings(**{**sections, **more}, workers=WorkerSettings(str(count)))
    async with running_workers(settings) as running:
        yield running


def worker_of(location: str) -> int:
    """Return the worker in the id of a session, or in its address."""
    found = re.search(r"sess_w(\d+)-", location)
    assert found, location
    return int(found[1])


async def sample(running: RunningWorkers, name: str) -> float:
    """Return a metric of the whole."""
    async with aiohttp.ClientSession() as http, http.get(f"{running.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    [value] = [line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")]
    return float(value)


async def kill(running: RunningWorkers, number: int) -> None:
    """Kill a worker, and wait until that is known."""
    process = running.supervisor.worker(number)
    os.kill(process.pid, signal.SIGKILL)
    await process.gone.wait()


def call(running: RunningWorkers, *texts: str) -> RtcClient:
    """Return a client that calls and says these sentences."""
    return RtcClient(running.url + CALLS, audio=said(*texts) if texts else None, session=EVENTS)


def segment_number(event: dict[str, Any]) -> int:
    """Return the number of a caption's segment."""
    return int(event["segment_id"].removeprefix("seg_"))


def said_after(client: RtcClient, segment: int) -> list[dict[str, Any]]:
    """Return the captions of the sentences after that segment that were understood."""
    captions = of(client, "x.segment", status="final")
    return [each for each in captions if segment_number(each) > segment]

"""A server of several processes in this one's children, with engines that answer at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rtc_server.app.workers.serve import RunningWorkers, running_workers
from rtc_server.config import (
    EngineSettings,
    HttpSettings,
    RoomSettings,
    Settings,
    TransportSettings,
    WorkerSettings,
)


@asynccontextmanager
async def workers(
    count: int = 2, ast: str = "quick", tts: str = "", max_sessions: int = 20, **more: Any
) -> AsyncIterator[RunningWorkers]:
    """Run `count` workers; `more`: sections of the settings in place of the usual ones."""
    sections = {
        "http": HttpSettings(port=0, max_sessions=max_sessions, drain_s=1.0),
        "transport": TransportSettings(),
        "engines": EngineSettings(
            ast=f"tests.support.server_engines:{ast}", tts=tts, engine_answer_s=0
        ),
        "rooms": RoomSettings(room_linger_s=1.0),
    }
    settings = Settings(**{**sections, **more}, workers=WorkerSettings(str(count)))
    async with running_workers(settings) as running:
        yield running

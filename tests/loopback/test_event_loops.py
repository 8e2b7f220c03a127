"""The server inside another application, on the event loops that such an application may run.

Everything here goes through `mountable`: a host chooses the loop, and must not have to know ours.
"""

import asyncio
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import aiohttp
import numpy as np
import pytest
import uvloop
from aiohttp import web

from rtc_server import MediaScheduler, Settings, mountable
from rtc_server.transport import datagram_reader
from tests.support.patient import PATIENT
from tests.support.rtc_client import RtcClient
from tests.support.server import CALLS, EVENTS, engine_processes, of, said
from tests.support.signals import english, join, silence
from tests.support.until import until
from tests.support.ws_client import connected

LoopFactory = Callable[[], asyncio.AbstractEventLoop]

on_each_loop = pytest.mark.parametrize(
    "loop_factory",
    [asyncio.new_event_loop, uvloop.new_event_loop],
    ids=["asyncio", "uvloop"],
)


def of_the_host() -> tuple[dict[str, str], dict[str, tuple[int, bool, bool]], Sequence[object]]:
    """Return what a guest has to leave as it is: environment, loggers, signal handlers."""
    loggers = {
        name: (logger.level, logger.disabled, logger.propagate)
        for name, logger in logging.root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]
    return dict(os.environ), loggers, handlers


@asynccontextmanager
async def mounted(
    ast: str = "quick", scheduler: MediaScheduler | None = None
) -> AsyncIterator[str]:
    """The URL of a server that a host application has below /interpreter."""
    before = of_the_host()
    app = web.Application()
    settings = Settings(engines=replace(PATIENT, ast=f"tests.support.server_engines:{ast}"))
    app.add_subapp("/interpreter/", mountable(settings, scheduler=scheduler))
    # A host may wait for its open requests as long as it likes: ours end before it begins to.
    runner = web.AppRunner(app, shutdown_timeout=3600)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/interpreter"
        environment, loggers, handlers = of_the_host()
        assert environment == before[0]
        assert {name: loggers[name] for name in before[1]} == before[1]
        assert {
            name: logger[0]
            for name, logger in loggers.items()
            if name not in before[1] and logger[0]
        } == {}
        assert handlers == before[2]
    finally:
        await runner.cleanup()
    assert not logging.getLogger("aiortc.rtcdtlstransport").filters


def loudest(client: RtcClient) -> float:
    return float(np.abs(client.heard()).max()) if client.packets else 0.0


@pytest.mark.parametrize("batched_reading", [True, False], ids=["batched", "as they come"])
@on_each_loop
async def test_a_call_is_translated_and_resumed(
    loop_factory: LoopFactory, monkeypatch: pytest.MonkeyPatch, *, batched_reading: bool
) -> None:
    monkeypatch.setattr(datagram_reader, "MANY_PER_S", 0.0)  # one call is enough to count as many
    scheduler = MediaScheduler(batched_reading=batched_reading)
    async with mounted(scheduler=scheduler) as url:
        query = "?source=en&target=ru"
        first = RtcClient(url + CALLS + query, audio=said("thank you"), session=EVENTS)
        async with first:
            await first.until(lambda: bool(of(first, "x.playout", state="finished")))
            [final] = of(first, "x.segment", final=True)
            assert (final["status"], final["target"]["text"]) == ("final", "one two three")
            assert loudest(first) > 0.05
            assert scheduler.reader.is_batching is batched_reading
            first.send({"type": "x.ping", "event_id": "there?"})
            await first.event("x.pong")
            resume = url + first.location.removeprefix("/interpreter") + "/resume"
            first.vanish()
            async with RtcClient(resume, audio=said("where is the train station")) as second:
                assert second.location == first.location
                await second.until(
                    lambda: bool(of(second, "x.playout", state="finished", segment_id="seg_2"))
                )
                [final] = of(second, "x.segment", final=True, segment_id="seg_2")
                assert final["status"] == "final"
                assert loudest(second) > 0.05


@on_each_loop
async def test_a_host_that_stops_is_not_kept_waiting_by_a_session(
    loop_factory: LoopFactory,
) -> None:
    async with AsyncExitStack() as clients:
        async with mounted() as url:
            socket = await clients.enter_async_context(connected(f"{url}/ws/audio"))
            await socket.event("session.created")
        await socket.event("session.closed")


@on_each_loop
async def test_both_websockets_translate(loop_factory: LoopFactory) -> None:
    audio = join(silence(300), english("thank you"), silence(800))
    async with mounted() as url:
        async with connected(f"{url}/ws/audio?source=en&target=ru") as plain:
            await plain.event("session.created")
            await plain.ws.send_json({"type": "session.update", "session": EVENTS})
            await plain.event("session.updated")
            await plain.say(audio)
            await plain.event("x.playout", state="finished")
            assert np.abs(plain.heard).max() > 0.05
        path = "/v1/realtime/translations?source=en&target=ru"
        async with connected(url + path) as translations:
            await translations.event("session.created")
            resampled = np.interp(
                np.arange(len(audio) * 3 // 2) / 1.5, np.arange(len(audio)), audio
            )
            await translations.append(resampled.astype(np.float32))
            await translations.event("session.output_audio.delta")


@on_each_loop
async def test_a_room_has_a_speaker_a_listener_and_a_reader(loop_factory: LoopFactory) -> None:
    async with (
        mounted("many") as url,
        RtcClient(f"{url}/whip/hall?source=en", channel=None) as speaker,
        RtcClient(f"{url}/whep/hall?language=ru", listens_only=True) as listener,
        aiohttp.ClientSession() as http,
        http.get(f"{url}/v1/rooms/hall/captions?language=ru") as reader,
    ):
        assert reader.status == 200
        speaker.track.say(said("where is the train station"))
        await listener.until(lambda: bool(of(listener, "x.segment", final=True)))
        await listener.until(lambda: loudest(listener) > 0.05)
        async with asyncio.timeout(60):
            async for line in reader.content:
                if line.startswith(b"data:") and json.loads(line[5:]).get("final"):
                    break


@on_each_loop
async def test_a_killed_engine_comes_back_and_a_vanished_client_is_freed(
    loop_factory: LoopFactory,
) -> None:
    async with mounted() as url, aiohttp.ClientSession() as http:

        async def ready() -> bool:
            async with http.get(f"{url}/readyz") as answer:
                return answer.status == 200

        async with RtcClient(url + CALLS) as client:
            await client.event("session.created")
            killed = engine_processes()
            for process in killed:
                process.kill()
            client.vanish()
        await until(lambda: not set(killed) & set(engine_processes()))
        await until(lambda: len(engine_processes()) == 2)
        async with asyncio.timeout(60):
            while not await ready():  # noqa: ASYNC110 - nothing tells when it is
                await asyncio.sleep(0.05)

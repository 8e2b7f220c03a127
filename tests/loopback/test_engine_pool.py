"""Calls over WebRTC whose engines are two engine servers, one of which is killed in mid-call."""

import contextlib
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from rtc_server.app.server import running
from rtc_server.config import EngineSettings, HttpSettings, Settings
from rtc_server.engines.remote.remote_ast import RemoteAst
from tests.support.engine_server import ServedEngines, serving_engines
from tests.support.patient import TRANSPORT
from tests.support.rtc_client import RtcClient
from tests.support.server import call, freed, of, said

SESSIONS = 4
PATIENT = (
    *("--ast-deadline-s", "60", "--tts-deadline-s", "60"),
    *("--engine-wait-s", "60", "--engine-answer-s", "0"),
)
WORDS = ("where is the train station", "thank you")


def finals(client: RtcClient) -> list[dict[str, Any]]:
    return list({e["segment_id"]: e for e in of(client, "x.segment", final=True)}.values())


def more_than(client: RtcClient, count: int) -> bool:
    return len(finals(client)) > count


async def test_no_segment_is_lost_with_an_engine_server(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        served: dict[str, ServedEngines] = {}
        for name in ("a", "b"):
            one = await stack.enter_async_context(
                serving_engines(f"unix:{tmp_path}/{name}", tmp_path / f"{name}.log", *PATIENT)
            )
            served[one.address] = one
        settings = Settings(
            http=HttpSettings(port=0, max_sessions=SESSIONS),
            transport=TRANSPORT,
            engines=EngineSettings(
                ast_servers=tuple(served), tts_servers=tuple(served), engine_wait_s=60
            ),
        )
        running_server = await stack.enter_async_context(running(settings))
        assert running_server.engines.engine_set == "embedded"
        assert running_server.engines.phrases("en")
        assert psutil.Process(os.getpid()).children() == [
            psutil.Process(each.process.pid) for each in served.values()
        ]
        talks = await stack.enter_async_context(contextlib.AsyncExitStack())
        clients = [
            await talks.enter_async_context(call(running_server, query="?source=en&target=ru"))
            for _ in range(SESSIONS)
        ]
        engines = [
            child
            for each in served.values()
            for child in psutil.Process(each.process.pid).children(recursive=True)
        ]
        for engine in engines:
            engine.suspend()  # so that all segments wait, however fast the machine is
        for client in clients:
            client.track.say(said(WORDS[0], pause_s=0.5))
        for client in clients:
            await client.event("x.vad", count=2)  # the sentence is over
        assert isinstance(running_server.engines.ast_service, RemoteAst)
        home = next(iter(running_server.engines.ast_service._pool._homes._homes.values()))
        served[home].process.kill()  # and its engines with it
        for engine in engines:
            with contextlib.suppress(psutil.NoSuchProcess):
                engine.send_signal(signal.SIGCONT)
        for number, words in enumerate(WORDS):
            if number:
                for client in clients:
                    client.track.say(said(words, pause_s=0.5))
            for client in clients:
                await client.until(partial(more_than, client, number), timeout_s=200)
        for client in clients:
            assert [each["status"] for each in finals(client)] == ["final"] * len(WORDS)
            assert client.pc.connectionState == "connected"
        moved = running_server.metrics.registry.get_sample_value(
            "rtc_engine_calls_moved_total", {"kind": "ast"}
        )
        assert moved
        await talks.aclose()
        await freed(running_server)

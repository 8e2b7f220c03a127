"""First calls of engines in other processes: admission knows the engine before it answered anybody.

The engine carries one session. One that was not called yet is taken for one that carries 15.
"""

import asyncio
from pathlib import Path

import aiohttp

from rtc_server.app.engines import Engines
from rtc_server.config import EngineSettings
from rtc_server.metrics import Metrics
from tests.support.engine_server import serving_engines
from tests.support.until import until
from tests.support.workers import call, workers

FOR_ONE = "tests.support.server_engines:for_one"
TONES = "tests.support.server_engines:tones"


async def test_a_separate_engine_server_carries_what_its_first_calls_say(tmp_path: Path) -> None:
    options = "--ast", FOR_ONE, "--only", "ast"
    async with serving_engines(f"unix:{tmp_path}/engines", tmp_path / "log", *options) as served:
        settings = EngineSettings(ast_servers=(served.address,), tts=TONES)
        async with Engines(settings, Metrics()).running() as engines:
            assert engines.retry_after_s == 0, "the only session is admitted, however slow it is"
            engines.ast_service.expect("one")
            await until(lambda: engines.retry_after_s > 0)
            engines.ast_service.forget("one")
            await until(lambda: engines.retry_after_s == 0)


async def test_workers_refuse_by_the_first_calls_of_the_engines_that_they_share() -> None:
    engines = EngineSettings(ast=FOR_ONE, tts=TONES)
    async with (
        workers(engines=engines) as running,
        call(running),
        aiohttp.ClientSession(running.url) as http,
    ):
        async with asyncio.timeout(60):
            # Of the other worker, which hears of the session by its next ping.
            while (answer := await http.get("/ws/audio")).status != 503:
                answer.release()
        assert (await answer.json())["error"]["code"] == "session_limit_reached"

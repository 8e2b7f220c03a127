"""The feeder outlives a bug in what it serves."""

import asyncio
import logging
from types import SimpleNamespace

import pytest

from rtc_server.engines.base import AstCapabilities, EngineOptions
from rtc_server.engines.host import EngineHost
from rtc_server.engines.process import EngineProcess
from rtc_server.metrics import Metrics
from tests.support.fakes import AST_CAPABILITIES


async def test_a_serve_that_raises_once_is_told_and_called_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def end() -> None:
        return None

    async def living(*_: object) -> object:
        return SimpleNamespace(
            alive=True, capabilities=AST_CAPABILITIES, close=end, on_exit=lambda _wake: None
        )

    monkeypatch.setattr(EngineProcess, "start", living)
    calls = 0
    served = asyncio.Event()

    async def serve(_process: EngineProcess) -> bool:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ValueError("words of a speaker")
        served.set()
        return False

    host = EngineHost(
        kind="ast",
        name="phrasebook",
        options=EngineOptions(),
        start_s=1.0,
        metrics=Metrics(),
        serve=serve,
    )
    with caplog.at_level(logging.ERROR):
        await host.start(AstCapabilities)
        host.wake()
        async with asyncio.timeout(5.0):
            await served.wait()
        assert host.ready
        await host.close()
    assert "ValueError" in caplog.text
    assert "words of a speaker" not in caplog.text

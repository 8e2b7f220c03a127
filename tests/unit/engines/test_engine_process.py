"""An engine's process as the server holds it: how it ends."""

import asyncio

import psutil
import pytest

from rtc_server.engines.base import EngineOptions, TtsRequest
from rtc_server.engines.hang import CallLimits
from rtc_server.engines.process import EngineProcess
from rtc_server.errors import EngineCrashed

pytestmark = pytest.mark.real_time

TTS = "tests.support.engine_fakes:tts"


@pytest.mark.parametrize("killed", [True, False])
async def test_it_ends_although_much_of_its_answer_was_never_read(killed: bool) -> None:
    process = await EngineProcess.start(TTS, TTS, EngineOptions(), 60.0)
    speech = process.synthesize(TtsRequest("speak 1000", "en"), CallLimits(60.0, 60.0, 0.0))
    await anext(speech)
    await asyncio.sleep(0.3)  # pipe and buffers are full
    if killed:
        process.retire("timeout")
    async with asyncio.timeout(60.0):
        await process.close()
    assert not psutil.pid_exists(process.pid)
    with pytest.raises(EngineCrashed):
        await speech.aclose()


async def test_an_engine_does_not_learn_the_servers_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RTC_API_KEY", "a key")
    monkeypatch.setenv("RTC_TURN_SECRET", "a secret")
    process = await EngineProcess.start(TTS, TTS, EngineOptions(), 60.0)
    seen = psutil.Process(process.pid).environ()
    await process.close()
    assert not [name for name in seen if name.startswith("RTC_")]


async def test_numeric_libraries_get_one_thread_and_report_to_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ORT_DISABLE_TELEMETRY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")  # an operator's choice wins
    process = await EngineProcess.start(TTS, TTS, EngineOptions(), 60.0)
    seen = psutil.Process(process.pid).environ()
    await process.close()
    assert seen["OMP_NUM_THREADS"] == seen["OPENBLAS_NUM_THREADS"] == "1"
    assert seen["MKL_NUM_THREADS"] == "3"
    assert seen["ORT_DISABLE_TELEMETRY"] == "1"

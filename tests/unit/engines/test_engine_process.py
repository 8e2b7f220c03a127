"""An engine's process as the server holds it: how it ends."""

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from rtc_server.engines.base import EngineOptions, TtsRequest
from rtc_server.engines.hang import CallLimits
from rtc_server.engines.process import EngineProcess
from rtc_server.errors import EngineCrashed, EngineUnavailable

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


@pytest.mark.skipif(sys.platform != "linux", reason="as Linux does it")
async def test_an_engine_gains_no_rights_and_goes_first_when_memory_is_short() -> None:
    process = await EngineProcess.start(TTS, TTS, EngineOptions(), 60.0, memory_mb=4096)
    folder = Path(f"/proc/{process.pid}")
    status = (folder / "status").read_text(encoding="utf-8")
    score = (folder / "oom_score_adj").read_text(encoding="utf-8")
    limits = psutil.Process(process.pid).rlimit(psutil.RLIMIT_AS)
    await process.close()
    assert "NoNewPrivs:\t1" in status
    assert int(score) == 500
    assert limits == (4096 << 20, 4096 << 20)


async def test_an_engine_that_does_not_fit_says_so() -> None:
    with pytest.raises(EngineUnavailable, match=r"MemoryError|starting|cannot be used"):
        await EngineProcess.start(
            "fake", "tests.support.engine_fakes:greedy", EngineOptions(), 60.0, 512
        )

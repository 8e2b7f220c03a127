"""An engine's process as the server holds it: how it ends."""

import asyncio

import psutil
import pytest

from rtc_server.engines.base import EngineOptions, TtsRequest
from rtc_server.engines.process import EngineProcess
from rtc_server.errors import EngineCrashed

pytestmark = pytest.mark.real_time

TTS = "tests.support.engine_fakes:tts"


@pytest.mark.parametrize("killed", [True, False])
async def test_it_ends_although_much_of_its_answer_was_never_read(killed: bool) -> None:
    process = await EngineProcess.start(TTS, TTS, EngineOptions(), 60.0)
    speech = process.synthesize(TtsRequest("speak 1000", "en"), 60.0)
    await anext(speech)
    await asyncio.sleep(0.3)  # pipe and buffers are full
    if killed:
        process.retire("timeout")
    async with asyncio.timeout(60.0):
        await process.close()
    assert not psutil.pid_exists(process.pid)
    with pytest.raises(EngineCrashed):
        await speech.aclose()

"""The TTS service over real engine processes: streaming, turns, aborts, crashes."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import psutil
import pytest

from rtc_server.config import EngineSettings
from rtc_server.engines.base import EngineOptions, TtsRequest
from rtc_server.engines.service import Speech, TtsService
from rtc_server.errors import (
    EngineCrashed,
    EngineError,
    EngineOverloaded,
    EngineTimeout,
    EngineUnavailable,
)
from rtc_server.metrics import Metrics
from tests.support.engine_fakes import TTS_CHUNK, TTS_RATE

pytestmark = pytest.mark.real_time


PATIENT = EngineSettings(engine_wait_s=60.0)
"""Long, because a restart takes a while on a busy machine."""


@asynccontextmanager
async def running(settings: EngineSettings = PATIENT) -> AsyncIterator[TtsService]:
    service = TtsService("tests.support.engine_fakes:tts", EngineOptions(), settings, Metrics())
    await service.start()
    try:
        yield service
    finally:
        await service.close()


def ask(service: TtsService, text: str, session: str = "a") -> Speech:
    return service.synthesize(TtsRequest(text, "en"), session_id=session)


async def chunks(speech: Speech) -> int:
    """Return the number of complete chunks that came."""
    count = 0
    async for chunk in speech:
        assert chunk.dtype == np.float32
        assert chunk.shape == (TTS_CHUNK,)
        count += 1
    return count


async def call_number(speech: Speech) -> int:
    """Return the number of this text's call to its engine's process."""
    return round(float((await anext(speech))[0]))


async def test_chunks_come_while_the_rest_is_still_being_made() -> None:
    async with running() as service:
        speech = ask(service, "slowly 100")
        await anext(speech)
        assert not speech.done()
        assert await chunks(speech) == 99
        assert await chunks(ask(service, "speak 0")) == 0


async def test_a_listener_who_does_not_listen_holds_up_nobody() -> None:
    async with running() as service:
        idle = ask(service, "speak 1000", "a")  # far more than pipe and stream buffers hold
        assert await chunks(ask(service, "speak 2", "b")) == 2
        assert await chunks(idle) == 1000


async def test_closing_early_stops_the_engine_and_the_next_text_is_whole() -> None:
    async with running() as service:
        endless = ask(service, "slowly 1000000")
        await anext(endless)
        await endless.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(endless)
        after = ask(service, "speak 3")
        assert await call_number(after) == 2
        assert await chunks(after) == 2


async def test_only_whole_texts_say_what_speaking_costs() -> None:
    async with running() as service:
        interrupted = ask(service, "slowly 100")
        await anext(interrupted)
        await interrupted.aclose()
        with pytest.raises(EngineError):
            await chunks(ask(service, "raise"))
        assert await chunks(ask(service, "speak 2")) == 2
        [(_, _, speech_s, _)] = service._headroom._costs._calls
        assert speech_s == len("speak 2") / 15


async def test_closed_before_its_turn_it_never_reaches_the_engine() -> None:
    async with running() as service:
        busy = ask(service, "slowly 10", "busy")
        await anext(busy)
        closed, stays = ask(service, "EXIT 0"), ask(service, "speak 1")
        await closed.aclose()
        assert await call_number(stays) == 2
        assert await chunks(busy) == 9


async def test_sessions_take_turns() -> None:
    async with running() as service:
        busy = ask(service, "slowly 10", "busy")
        await anext(busy)
        of_a = [ask(service, "speak 1", "a") for _ in range(3)]
        of_b = ask(service, "speak 1", "b")
        assert [await call_number(speech) for speech in of_a] == [2, 4, 5]
        assert await call_number(of_b) == 3


@pytest.mark.parametrize("verb", ["EXIT", "SEGFAULT"])
async def test_a_crash_fails_its_own_text_after_what_was_made(verb: str) -> None:
    async with running() as service:
        falls, waits = ask(service, f"{verb} 5", "a"), ask(service, "speak 2", "b")
        for _ in range(5):
            await anext(falls)
        with pytest.raises(EngineCrashed, match=r"exit code 3|SIGSEGV"):
            await anext(falls)
        assert await call_number(waits) == 1  # the first of a new process
        assert service.ready


async def test_kill_in_the_middle_of_a_text_is_told_and_mended() -> None:
    async with running() as service:
        speech = ask(service, "slowly 1000")
        await anext(speech)
        [child] = psutil.Process().children()
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(EngineCrashed, match="SIGKILL"):
            await chunks(speech)
        assert await chunks(ask(service, "speak 2")) == 2


@pytest.mark.parametrize("verb", ["HANG", "STOP"])
async def test_the_deadline_is_for_each_chunk(verb: str) -> None:
    async with running(replace(PATIENT, tts_deadline_s=2.0, engine_patience_s=1.0)) as service:
        assert await chunks(ask(service, "slowly 120")) == 120  # 2.4 s in all
        hung = ask(service, f"{verb} 1")
        await anext(hung)
        with pytest.raises(EngineTimeout):
            await anext(hung)
        assert await chunks(ask(service, "speak 2")) == 2


async def test_a_hung_abort_is_noticed_too() -> None:
    async with running(replace(PATIENT, tts_deadline_s=2.0, engine_patience_s=1.0)) as service:
        hung = ask(service, "HANG 2")
        await anext(hung)
        await hung.aclose()
        assert await call_number(ask(service, "speak 1")) == 1


async def test_an_engine_that_raises_lives_on() -> None:
    async with running() as service:
        failed = ask(service, "RAISE_ENGINE_ERROR 1")
        await anext(failed)
        with pytest.raises(EngineError, match="beyond me"):
            await anext(failed)
        with pytest.raises(StopAsyncIteration):
            await anext(failed)
        assert await call_number(ask(service, "speak 1")) == 2


async def test_speech_without_end_is_cut_off() -> None:
    async with running() as service:
        count = 0
        speech = ask(service, "speak 1000000")
        while not speech.done():  # noqa: ASYNC110 (it comes from another process)
            await asyncio.sleep(0.01)  # nobody listens, so all of it is buffered
        with pytest.raises(EngineError, match="120 s"):
            async for _ in speech:
                count += 1
        assert 120 * TTS_RATE <= count * TTS_CHUNK <= 121 * TTS_RATE
        assert await call_number(ask(service, "speak 1")) == 2


async def test_a_full_queue_refuses_and_waiting_ends() -> None:
    async with running(EngineSettings(tts_queue=1, engine_wait_s=0.5)) as service:
        busy = ask(service, "slowly 100")
        await anext(busy)
        late = ask(service, "speak 1")
        with pytest.raises(EngineOverloaded, match="cannot keep up"):
            ask(service, "speak 1")
        with pytest.raises(EngineTimeout, match="get to this text"):
            await anext(late)
        assert await chunks(busy) == 99


async def test_forget_and_close_end_what_waits() -> None:
    async with running() as service:
        busy = ask(service, "slowly 1000", "busy")
        await anext(busy)
        forgotten, stays = ask(service, "speak 1", "a"), ask(service, "speak 1", "b")
        service.forget("a")
        assert await chunks(forgotten) == 0
        await service.close()
        assert await chunks(stays) == 0
        assert await chunks(busy) == 0
    assert psutil.Process().children() == []


async def test_unknown_language_and_voice_are_refused_before_they_wait() -> None:
    async with running() as service:
        with pytest.raises(EngineError, match="does not speak ru"):
            service.synthesize(TtsRequest("speak 1", "ru"), session_id="a")
        with pytest.raises(EngineError, match="one, two"):
            service.synthesize(TtsRequest("speak 1", "en", "three"), session_id="a")
        speech = service.synthesize(TtsRequest("speak 1", "en", "two"), session_id="a")
        assert await chunks(speech) == 1


async def test_it_closes_in_the_middle_of_a_long_text() -> None:
    async with asyncio.timeout(60.0), running() as service:
        await anext(ask(service, "speak 100000"))


async def test_an_ast_engine_is_no_tts_engine() -> None:
    service = TtsService(
        "tests.support.engine_fakes:ast", EngineOptions(), EngineSettings(), Metrics()
    )
    with pytest.raises(EngineUnavailable, match="does not synthesize"):
        await service.start()
    assert psutil.Process().children() == []

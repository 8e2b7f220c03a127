"""The AST service over real engine processes that crash, hang, are slow and answer."""

import asyncio
import os
import re
import signal
import sys
from dataclasses import replace

import psutil
import pytest

from rtc_server.engines.base import AstRequest
from rtc_server.errors import (
    EngineCrashed,
    EngineError,
    EngineTimeout,
)
from tests.support.ast_service import PATIENT, running
from tests.support.engine_fakes import MAX_BATCH, ORPHAN_COMMAND, SECRET, Do, Seen, audio
from tests.support.until import until

pytestmark = pytest.mark.real_time

SERVER_WITH_A_HUNG_ENGINE = """
import asyncio
import psutil
from tests.support.engine_fakes import Do
from tests.support.ast_service import running

async def main():
    async with running() as bench:
        call = bench.submit(Do.HANG, seconds=35.0)
        await asyncio.sleep(0.2)
        [engine] = psutil.Process().children()
        print(engine.pid, flush=True)
        await call

asyncio.run(main())
"""


async def test_segments_of_many_sessions_share_batches() -> None:
    async with running() as bench:
        busy = await bench.keep_busy()
        futures = [bench.submit(session=f"s{i}", seconds=0.1 + i / 100) for i in range(6)]
        seen = [Seen(result) for result in await asyncio.gather(busy, *futures)]
        assert [s.batch for s in seen] == [1, 4, 4, 4, 4, 2, 2]
        assert [s.call for s in seen] == [1, 2, 2, 2, 2, 3, 3]
        assert [s.samples for s in seen[1:]] == [1600 + 160 * i for i in range(6)]


async def test_several_processes_share_what_waits() -> None:
    async with running(settings=replace(PATIENT, ast_processes=2)) as bench:
        slow = [bench.submit(Do.SLOW, f"s{n}") for n in range(2 * MAX_BATCH)]
        seen = [Seen(result) for result in await asyncio.gather(*slow)]
        assert len({each.pid for each in seen}) == 2
        assert {each.batch for each in seen} == {MAX_BATCH}
        killed = seen[0].pid
        os.kill(killed, signal.SIGKILL)
        await until(lambda: bench.restarts("crash") == 1)
        assert bench.service.ready  # the other one works on
        assert (await bench.seen()).pid != killed


async def test_thirty_five_seconds_of_audio_pass_whole() -> None:
    async with running() as bench:
        futures = [bench.submit(seconds=35.0) for _ in range(MAX_BATCH)]
        assert [Seen(await future).samples for future in futures] == [560_000] * MAX_BATCH


@pytest.mark.parametrize("do", [Do.EXIT, Do.SEGFAULT])
async def test_a_crash_fails_whoever_caused_it_and_nobody_else(do: Do) -> None:
    async with running() as bench:
        first = await bench.seen()
        busy = await bench.keep_busy()
        good, bad = bench.submit(session="s1"), bench.submit(do, "s2")
        waiting = bench.submit(session="s3")
        await busy
        with pytest.raises(EngineCrashed, match=r"exit code 3|SIGSEGV"):
            await bad
        for future in (good, waiting):
            answer = Seen(await future)
            assert (answer.pid != first.pid, answer.batch) == (True, 1)
        assert bench.service.ready
        assert bench.restarts("crash") == 2


async def test_an_answer_of_the_wrong_type_ends_the_talk_and_is_not_passed_on() -> None:
    async with running() as bench:
        with pytest.raises(EngineCrashed, match="broke"):
            await bench.submit(Do.LIE)
        await bench.seen()
        assert bench.restarts("crash") == 1


async def test_an_engine_whose_every_call_raises_is_replaced() -> None:
    async with running() as bench:
        pid = (await bench.seen()).pid
        for _ in range(3):
            with pytest.raises(EngineError, match="say it again"):
                await bench.submit(Do.RAISE_WITH_SECRET)
        assert (await bench.seen()).pid != pid
        assert bench.restarts("faults") == 1


async def test_kill_in_the_middle_of_a_call_is_told_and_mended() -> None:
    async with running() as bench:
        pid = (await bench.seen()).pid
        call = await bench.keep_busy()
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(EngineCrashed, match="SIGKILL"):
            await call
        assert (await bench.seen()).pid != pid


async def test_a_process_that_died_idle_is_replaced_before_anybody_asks() -> None:
    async with running() as bench:
        pid = (await bench.seen()).pid
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not bench.service.ready)
        await until(lambda: bench.service.ready)
        assert (await bench.seen()).pid != pid


@pytest.mark.parametrize("do", [Do.HANG, Do.STOP])
async def test_a_hang_is_told_and_mended(do: Do) -> None:
    async with running(
        settings=replace(PATIENT, ast_deadline_s=2.0, engine_patience_s=1.0)
    ) as bench:
        pid = (await bench.seen()).pid
        with pytest.raises(EngineTimeout):
            await bench.submit(do)
        assert (await bench.seen()).pid != pid
        assert not psutil.pid_exists(pid)
        assert bench.restarts("timeout") == 1


async def test_what_a_crashed_engine_had_started_goes_with_it() -> None:
    async with running() as bench:
        with pytest.raises(EngineCrashed):
            await bench.submit(Do.ORPHAN)
        await bench.seen()
        commands = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
        assert ORPHAN_COMMAND not in commands


async def test_the_process_dies_with_its_server_even_in_the_middle_of_a_call() -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER_WITH_A_HUNG_ENGINE, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    engine = psutil.Process(int(await server.stdout.readline()))
    server.kill()
    await server.wait()
    await until(lambda: not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE)


async def test_an_engine_that_raises_lives_on(caplog: pytest.LogCaptureFixture) -> None:
    async with running() as bench:
        pid = (await bench.seen()).pid
        with pytest.raises(EngineError, match="beyond me"):
            await bench.submit(Do.RAISE_ENGINE_ERROR)
        with pytest.raises(EngineError, match="say it again") as raised:
            await bench.submit(Do.RAISE_WITH_SECRET)
        assert "/" not in str(raised.value)
        assert re.search(r"ValueError at .*engine_fakes\.py:\d+", caplog.text)
        assert SECRET not in str(raised.value) + caplog.text
        with pytest.raises(EngineError, match="0 results for 1"):
            await bench.submit(Do.DROP_A_RESULT)
        assert (await bench.seen()).pid == pid


async def test_a_translation_of_open_speech_is_asked_only_of_engines_that_can() -> None:
    async with running() as bench:
        request = AstRequest(audio(), "ru", "en", partial=True, wants_target=True)
        with pytest.raises(EngineError, match="does not translate what is still being said"):
            bench.service.submit_partial(request, session_id="a")


async def test_what_is_not_understood_is_counted_by_its_reason_partials_aside() -> None:
    async with running() as bench:
        await bench.submit()
        await bench.submit(Do.DOUBT)
        partial = AstRequest(audio(Do.DOUBT), "ru", "en", partial=True)
        assert await bench.service.submit_partial(partial, session_id="a") is not None
        counted = bench.metrics.registry.get_sample_value
        assert counted("rtc_not_understood_total", {"reason": "repeated"}) == 1
        assert counted("rtc_not_understood_total", {"reason": "unstated"}) is None

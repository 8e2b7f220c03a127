"""Queue of the AST service over real engine processes: partials, speculation, limits and ends."""

import asyncio
import logging
import sys
from pathlib import Path

import psutil
import pytest

from rtc_server.config import EngineSettings
from rtc_server.engines.base import AstRequest, EngineOptions
from rtc_server.engines.service import AstService
from rtc_server.errors import (
    EngineCrashed,
    EngineError,
    EngineOverloaded,
    EngineTimeout,
    EngineUnavailable,
)
from rtc_server.metrics import Metrics
from tests.support.ast_service import running
from tests.support.engine_fakes import MAX_BATCH, REFUSAL, SECRET, Do, Seen, audio
from tests.support.until import until

pytestmark = pytest.mark.real_time


async def test_what_an_engine_prints_neither_blocks_it_nor_reaches_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running() as bench:
        await bench.submit(Do.CHATTER)
        with pytest.raises(EngineCrashed):
            await bench.submit(Do.SEGFAULT)
        await bench.seen()
    assert SECRET not in caplog.text
    assert "Fatal Python error: Segmentation fault" in caplog.text
    assert "engine_fakes.py" in caplog.text  # where it crashed


async def test_finals_go_first_and_stale_partials_never_reach_the_engine() -> None:
    async with running() as bench:
        busy = await bench.keep_busy()
        stale = [bench.submit_partial("a"), bench.submit_partial("a"), bench.submit_partial("b")]
        fresh = bench.submit_partial("c")
        finals = [bench.submit(session="a"), bench.submit(session="b")]
        assert [await partial for partial in stale] == [None, None, None]
        await busy
        seen = [Seen(await final) for final in finals]
        last = await fresh
        assert last is not None
        assert [s.call for s in seen] == [2, 2]
        assert (Seen(last).call, Seen(last).batch) == (3, 1)
        assert bench.drops("ast_partials") == 3


async def test_after_a_partial_the_next_one_waits_and_a_final_does_not() -> None:
    now = 0.0
    async with running(clock=lambda: now) as bench:
        first = bench.submit_partial("a")
        await bench.until_idle_queue()
        now = 1000.0  # the time that it took
        await first
        second = bench.submit_partial("b")
        await bench.until_idle_queue()
        assert Seen(await bench.submit(session="c")).call == 2
        assert not second.done()
        now = 2000.0
        assert Seen(await bench.submit(session="c")).call == 3
        answer = await second
        assert answer is not None
        assert Seen(answer).call == 4


def early_request(do: Do = Do.ANSWER) -> AstRequest:
    return AstRequest(audio(do), "ru", "en")


async def test_a_speculative_answer_is_the_answer_of_its_commit() -> None:
    async with running() as bench:
        request = early_request()
        speculative = bench.service.submit_speculative(request, session_id="a")
        guessed = await speculative
        assert guessed is not None
        answer = await bench.service.commit(request, speculative, session_id="a")
        assert answer is guessed
        assert (await bench.seen()).call == 2  # the engine saw it once


async def test_a_speculative_request_in_progress_is_the_answer_of_its_commit() -> None:
    async with running() as bench:
        request = early_request(Do.SLOW)
        speculative = bench.service.submit_speculative(request, session_id="a")
        await bench.until_idle_queue()
        answer = await bench.service.commit(request, speculative, session_id="a")
        assert Seen(answer).call == 1
        assert (await bench.seen()).call == 2


async def test_a_speculative_request_that_still_waits_is_committed_and_overtakes_partials() -> None:
    async with running() as bench:
        busy = await bench.keep_busy()
        partials = [bench.submit_partial(f"p{i}") for i in range(MAX_BATCH)]
        request = early_request()
        speculative = bench.service.submit_speculative(request, session_id="a")
        answer = bench.service.commit(request, speculative, session_id="a")
        await asyncio.gather(busy, *partials)
        first = partials[0].result()
        assert first is not None
        assert Seen(await answer).call < Seen(first).call
        assert speculative.cancelled()


async def test_a_speculative_request_delays_no_final_and_a_wrong_one_costs_nothing() -> None:
    async with running() as bench:
        busy = await bench.keep_busy()
        speculative = bench.service.submit_speculative(early_request(), session_id="a")
        final = bench.submit(session="b")
        speculative.cancel()
        await busy
        assert (Seen(await final).call, Seen(await final).batch) == (2, 1)
        assert (await bench.seen()).call == 3


async def test_a_speculative_request_whose_engine_crashed_is_sent_again() -> None:
    async with running() as bench:
        speculative = bench.service.submit_speculative(early_request(Do.EXIT), session_id="a")
        with pytest.raises(EngineCrashed):
            await speculative
        answer = bench.service.commit(early_request(), speculative, session_id="a")
        assert Seen(await answer).batch == 1


async def test_a_partial_of_a_failed_batch_is_none() -> None:
    async with running() as bench:
        request = AstRequest(audio(Do.EXIT), "ru", "en", partial=True)
        assert await bench.service.submit_partial(request, session_id="a") is None
        assert (await bench.seen()).call == 1


async def test_who_left_costs_nothing() -> None:
    async with running() as bench:
        busy = await bench.keep_busy()
        left = [bench.submit(Do.EXIT, "a") for _ in range(3)]
        partial = bench.submit_partial("b")
        stays = bench.submit(session="c")
        for future in left:
            future.cancel()
        partial.cancel()
        await busy
        seen = Seen(await stays)
        assert (seen.call, seen.batch) == (2, 1)


async def test_forget_cancels_what_a_session_has_waiting() -> None:
    async with running() as bench:
        busy = await bench.keep_busy()
        final, partial = bench.submit(session="a"), bench.submit_partial("a")
        stays = bench.submit(session="b")
        bench.service.forget("a")
        assert final.cancelled()
        assert partial.cancelled()
        await busy
        assert Seen(await stays).batch == 1


async def test_a_full_queue_refuses_at_once() -> None:
    async with running(settings=EngineSettings(ast_queue=2)) as bench:
        busy = await bench.keep_busy()
        waiting = [bench.submit(session="a"), bench.submit(session="b")]
        with pytest.raises(EngineOverloaded, match="cannot keep up"):
            bench.submit(session="c")
        assert bench.drops("ast") == 1
        await asyncio.gather(busy, *waiting)
        assert (await bench.seen("c")).batch == 1


async def test_waiting_ends_in_bounded_time() -> None:
    async with running(
        settings=EngineSettings(ast_deadline_s=6.0, engine_wait_s=0.5, engine_patience_s=0.0)
    ) as bench:
        hung = bench.submit(Do.STOP, "busy")
        await bench.until_idle_queue()
        late = bench.submit(session="a")
        with pytest.raises(EngineTimeout, match="get to this segment"):
            await late
        assert not hung.done()
        with pytest.raises(EngineTimeout, match="showed no sign of work"):
            await hung


async def test_an_engine_that_cannot_be_restarted_is_tried_again_and_callers_are_told(
    tmp_path: Path,
) -> None:
    options = EngineOptions(models_dir=tmp_path / "started")
    settings = EngineSettings(engine_wait_s=3.0, engine_patience_s=0.0)
    async with running("starts_once", settings, options) as bench:
        with pytest.raises(EngineCrashed):
            await bench.submit(Do.EXIT)
        assert not bench.service.ready
        with pytest.raises(EngineTimeout, match="get to this segment"):
            await bench.submit()
        (tmp_path / "started").unlink()
        await until(lambda: bench.service.ready)
        assert (await bench.seen()).call == 1


async def test_what_the_engine_cannot_do_is_refused_before_it_waits() -> None:
    async with running() as bench:
        request = AstRequest(audio(), "ru", "de")
        with pytest.raises(EngineError, match="ru to de"):
            bench.service.submit(request, session_id="a")
        with pytest.raises(EngineError, match="up to 40 s"):
            bench.submit(seconds=40.1)


@pytest.mark.parametrize(
    ("factory", "sentence"),
    [
        ("tests.support.engine_fakes:refuses", REFUSAL),
        ("tests.support.engine_fakes:fails_to_load", r"KeyError: 'encoder.weight'"),
        ("tests.support.engine_fakes:crashes_at_start", r"SIGABRT while it was starting"),
        ("tests.support.engine_fakes:boasts", "describes itself with dict"),
        ("tests.support.engine_fakes:no_such_factory", "no factory named no_such_factory"),
        ("no_such_module:create", "No module named 'no_such_module'"),
        ("tests.support.engine_fakes:never_ready", r"not ready after 1.5 s"),
        ("tests.support.engine_fakes:tts", "does not translate speech"),
        ("babelfish", "Choose phrasebook"),
    ],
)
async def test_a_failed_start_says_why_and_leaves_nothing(factory: str, sentence: str) -> None:
    children = psutil.Process().children()
    settings = EngineSettings(engine_start_s=1.5 if "never" in factory else 60.0)
    service = AstService(factory, EngineOptions(), settings, Metrics())
    with pytest.raises(EngineUnavailable, match=sentence):
        await service.start()
    assert not service.ready
    await service.close()
    assert psutil.Process().children() == children


async def test_close_ends_every_wait_and_leaves_nothing_behind() -> None:
    async with running() as bench:  # the first child process also starts asyncio's own helpers
        await bench.seen()
    me = psutil.Process()
    before = (me.num_fds(), me.children())
    async with running() as bench:
        pid = (await bench.seen()).pid
        running_call, final, partial = (
            await bench.keep_busy(),
            bench.submit(),
            bench.submit_partial(),
        )
        await bench.service.close()
        assert running_call.cancelled()
        assert final.cancelled()
        assert partial.cancelled()
        assert not bench.service.ready
        await bench.service.close()
    assert not psutil.pid_exists(pid)
    assert (me.num_fds(), me.children()) == before


async def test_cancelling_a_start_leaves_nothing_behind() -> None:
    children = psutil.Process().children()
    service = AstService(
        "tests.support.engine_fakes:never_ready", EngineOptions(), EngineSettings(), Metrics()
    )
    start = asyncio.create_task(service.start())
    await until(lambda: psutil.Process().children() != children)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert psutil.Process().children() == children


async def test_without_a_process_to_be_had_the_start_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    service = AstService(
        "tests.support.engine_fakes:ast", EngineOptions(), EngineSettings(), Metrics()
    )
    with pytest.raises(EngineUnavailable, match="cannot have a process: No such file"):
        await service.start()

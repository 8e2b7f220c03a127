"""Supervisor, without processes: workers that end, are replaced, or do not start."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rtc_server.app.workers.engine_host import SharedEngines
from rtc_server.app.workers.restarts import WorkerRestarts, start_again
from rtc_server.app.workers.silence import LOOKS_S, SILENT_S
from rtc_server.background import beside
from rtc_server.config import EngineSettings, HttpSettings
from tests.support.until import until
from tests.support.virtual_time import watched
from tests.support.worker_processes import SERVERS, Crew


@asynccontextmanager
async def crew(workers: int = 2) -> AsyncIterator[Crew]:
    """Run workers that accept calls."""
    crew = Crew(workers)
    context = crew.supervisor.running()
    entering = asyncio.create_task(context.__aenter__())
    await until(lambda: len(crew.made) == workers)
    for each in crew.made:
        each.announce()
    await entering
    try:
        yield crew
    finally:
        await context.__aexit__(None, None, None)


async def test_the_end_of_the_server_ends_a_replacement_whose_worker_never_starts() -> None:
    async with crew() as some:
        some.supervisor.replace_soon()
        await until(lambda: len(some.made) == 3)
    assert all(each.gone.is_set() for each in some.made)
    assert len(some.made) == 3  # no other was begun


async def test_a_worker_retired_before_it_was_warm_takes_no_calls() -> None:
    async with crew(workers=1) as some:
        some.supervisor.replace_soon()
        await until(lambda: len(some.made) == 2)
        await some.made[0].kill()  # and another one starts in its place
        await until(lambda: len(some.made) == 3)
        some.made[1].announce()  # retires that one, which was not asked for any more
        await until(lambda: some.supervisor.takes_calls == 1)
        some.made[2].announce()
        await asyncio.sleep(1.0)
        assert some.supervisor.takes_calls == 1


async def test_a_worker_that_the_system_cannot_start_is_tried_again() -> None:
    async with crew() as some:
        some.failures = 3
        await some.made[0].kill()
        await until(lambda: len(some.made) == 6)  # three failed starts
        some.made[5].announce()
        await until(lambda: some.supervisor.takes_calls == 2)


async def test_no_successor_is_started_once_nobody_wants_one() -> None:
    tries: list[bool] = []

    async def start() -> None:
        tries.append(True)
        raise OSError("Too many open files")

    await start_again("It", -9, WorkerRestarts(), start, lambda: len(tries) < 4)
    assert len(tries) == 4


async def test_a_stop_during_the_warm_up_ends_all_workers() -> None:
    some = Crew()

    async def run() -> None:
        async with some.supervisor.running():
            pytest.fail("nobody is warm")

    running = asyncio.create_task(run())
    await until(lambda: len(some.made) == 2)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert running.cancelled()
    assert all(each.gone.is_set() for each in some.made)
    assert not any(each.announcement.cancelled() for each in some.made)


@pytest.mark.parametrize("named", ["ast_servers", "tts_servers"])
def test_engines_of_the_server_run_beside_servers_that_are_named_for_the_other_kind(
    named: str,
) -> None:
    host = SharedEngines(EngineSettings(**{named: SERVERS}), HttpSettings(), {}, "/run/own")  # type: ignore[arg-type]
    own, theirs = host._order.engines, host.settings
    assert (own.ast_servers, own.tts_servers) == ((), ())
    assert getattr(theirs, named) == SERVERS
    other = {"ast_servers": "tts_servers", "tts_servers": "ast_servers"}[named]
    assert getattr(theirs, other) == ("unix:/run/own",)


async def test_a_worker_that_hangs_is_ended_and_one_that_reports_is_not() -> None:
    async with crew() as some:

        async def report() -> None:
            while True:
                some.made[0].handlers["state"]({"ready": True, "rooms": []})
                await asyncio.sleep(0.5)

        async with beside(report(), name="reports"):
            await asyncio.sleep(SILENT_S - LOOKS_S)
            assert some.supervisor.takes_calls == 2
            await until(lambda: len(some.made) == 3)
            assert (some.made[0].gone.is_set(), some.made[1].gone.is_set()) == (False, True)


async def test_a_worker_is_not_silent_while_the_supervisor_itself_stood_still() -> None:
    async with watched() as loop, crew() as some:
        loop.stand_still(10 * SILENT_S)
        await asyncio.sleep(2 * LOOKS_S)
        assert not any(each.gone.is_set() for each in some.made)

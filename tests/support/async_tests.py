"""Runner of ``async def`` tests, and the check that a test leaves nothing behind."""

import asyncio
import contextvars
import faulthandler
import gc
import inspect

import pytest


def is_async(item: pytest.Function) -> bool:
    """Return whether a test needs an event loop."""
    return inspect.iscoroutinefunction(item.obj)


def run_async(
    item: pytest.Function,
    runner: asyncio.Runner,
    *,
    hang_s: float,
    limit: bool = True,
    settle_s: float = 0.0,
    context: contextvars.Context | None = None,
) -> None:
    """Run a test in the loop of `runner`; the tasks that it began must end with it.

    `limit` ends a test after `hang_s`; a loop with a time of its own needs none. Tasks have
    `settle_s` to end, where what was just closed is another process.
    """
    arguments = {name: item.funcargs[name] for name in item._fixtureinfo.argnames}

    async def run() -> None:
        before = asyncio.all_tasks()
        async with asyncio.timeout(hang_s if limit else None):
            await item.obj(**arguments)
        for _ in range(3):  # callbacks of objects that were just closed may still be queued
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - before
        if left and settle_s:
            _, left = await asyncio.wait(left, timeout=settle_s)
        for task in left:
            task.cancel()
        assert not left, f"tasks left running: {left}"

    # A test that never yields leaves its loop no chance to time out.
    faulthandler.dump_traceback_later(2 * hang_s, exit=True)
    try:
        runner.run(run(), context=context)
    finally:
        faulthandler.cancel_dump_traceback_later()
    gc.collect()  # an object that was dropped unclosed warns now, inside the test that dropped it

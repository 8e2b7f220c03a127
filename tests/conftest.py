"""Runs async tests, and fails each one on what it leaves behind: tasks, sockets, warnings.

There are no async fixtures: a test opens what it needs with ``async with``, so that what it frees,
and when, stands in the test itself. Tests in ``tests/unit`` run in virtual time unless marked
``real_time`` (threads, subprocesses and sockets need the real clock).
"""

import asyncio
import faulthandler
import gc
import inspect

import pytest
from hypothesis import HealthCheck, settings

from tests.support.virtual_time import VirtualTimeLoop

# A busy machine is no fault of the code: no example is judged by its time. And the same examples
# each time: what a change breaks fails with that change.
settings.register_profile(
    "rtc", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("rtc")

FOLDERS = ("unit", "loopback", "browser", "model", "nemo")
REAL_TIME = ("loopback", "browser", "nemo")
"""Speech that plays in real time, to processes that share the machine with whatever else it does: a
failure there is looked at twice. The summary names each test that needed its second try, and what
fails both times has failed."""
HANG_S = 240.0
"""No test waits longer; a guard against hangs, not a measure of speed."""
NEMO_HANG_S = 480.0
"""Loading NeMo takes 10 s, and minutes where its files are not in memory and others compute."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test's folder is its marker."""
    for item in items:
        for folder in FOLDERS:
            if folder in item.path.parts:
                item.add_marker(getattr(pytest.mark, folder))
                if folder in REAL_TIME:
                    item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def`` test on a loop of its own."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    virtual = "unit" in pyfuncitem.path.parts and not pyfuncitem.get_closest_marker("real_time")
    hang_s = NEMO_HANG_S if "nemo" in pyfuncitem.path.parts else HANG_S

    async def run() -> None:
        async with asyncio.timeout(None if virtual else hang_s):
            await test(**arguments)
        for _ in range(3):  # callbacks of what was just closed may still be queued
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left running: {left}"

    # A test that spins never gives its loop the chance to time out.
    faulthandler.dump_traceback_later(2 * hang_s, exit=True)
    factory = VirtualTimeLoop if virtual else asyncio.new_event_loop
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(run())
    finally:
        faulthandler.cancel_dump_traceback_later()
    gc.collect()  # what was dropped unclosed warns now, inside the test that dropped it
    return True

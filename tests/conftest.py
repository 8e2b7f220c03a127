"""Runs async tests, and fails each one on what it leaves behind: tasks, sockets, warnings.

There are no async fixtures: a test opens what it needs with ``async with``, so that what it frees,
and when, stands in the test itself. Tests in ``tests/unit`` run in virtual time unless marked
``real_time`` (threads, subprocesses and sockets need the real clock).
"""

import asyncio
import contextlib
import gc
import itertools
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.async_tests import is_async, run_async
from tests.support.loop_time import untraced
from tests.support.virtual_time import VirtualTimeLoop
from tests.support.worker_order import dealt

# A busy machine is no fault of the code: no example is judged by its time. And the same examples
# each time: what a change breaks fails with that change.
settings.register_profile(
    "rtc", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("rtc"), max_examples=25)
"""Profile for a quick run while code is written; a full run tries 100 examples of each."""
settings.load_profile("rtc")

gc.disable()  # until tests are collected: importing what they need makes no garbage to speak of

FOLDERS = ("unit", "loopback", "browser", "model", "nemo", "cluster")
FIRST_WORKER = "gw0"
"""Name that pytest-xdist gives it."""
TESTS_BETWEEN = 20
"""Tests after which what lives is exempt from garbage collection, too."""
HANG_S = 600.0
"""Longest time of a test: a guard against hangs, not a measure of speed. NeMo takes minutes to load
if its files are not in memory and other tests compute.
"""


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, object, object]:
    """A test's folder is its marker, and of those that are chosen slow ones come first."""
    for item in items:
        for folder in FOLDERS:
            if folder in item.path.parts:
                item.add_marker(getattr(pytest.mark, folder))
    result = yield
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if not item.get_closest_marker("slow")]
    items[:] = dealt(slow, quick, getattr(config, "workerinput", {"workercount": 1})["workercount"])
    return result


def pytest_collection_finish() -> None:
    """Exempt what collecting made from garbage collection: modules and tests live to the end.

    Each async test ends with a collection, and 350,000 objects take 0.2 s of it every time.
    """
    _exempt_what_lives()
    gc.enable()


def _exempt_what_lives() -> None:
    gc.collect()
    gc.freeze()


_begun = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Exempt now and then what tests leave alive, too.

    aiohttp's cache of middlewares alone keeps the applications of the last 1024 handlers: after 300
    tests in ``tests/loopback`` each collection took 0.1 s of CPU.
    """
    if next(_begun) % TESTS_BETWEEN == 0:
        _exempt_what_lives()


@pytest.fixture(scope="session", autouse=True)
def _collect_what_was_exempt() -> Iterator[None]:
    """Collect all once more behind the last test, which fails for what had been exempt while it
    lived, and was dropped unclosed later.
    """
    yield
    gc.unfreeze()
    gc.collect()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Measure what importing runs in one worker: it is the same in each, at twice the cost."""
    worker = getattr(session.config, "workerinput", {"workerid": FIRST_WORKER})["workerid"]
    with contextlib.nullcontext() if worker == FIRST_WORKER else untraced():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Measure coverage by tests of single cases: these run the same code many times over.

    Measuring takes two thirds of the time of a loop of plain code.
    """
    is_generated = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    marked = any(item.get_closest_marker(name) for name in ("slow", "browser", "unmeasured"))
    with untraced() if is_generated or marked else contextlib.nullcontext():
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def`` test on a loop of its own."""
    if not is_async(pyfuncitem):
        return None
    virtual = "unit" in pyfuncitem.path.parts and not pyfuncitem.get_closest_marker("real_time")
    factory: Any = VirtualTimeLoop if virtual else asyncio.new_event_loop
    # A test that is parametrised by ``loop_factory`` says itself which event loop it runs on.
    factory = pyfuncitem.funcargs.get("loop_factory", factory)
    with asyncio.Runner(loop_factory=factory) as runner:
        run_async(pyfuncitem, runner, hang_s=HANG_S, limit=not virtual)
    return True

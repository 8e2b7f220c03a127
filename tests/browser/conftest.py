"""Browser tests share an event loop, a Playwright driver and Chromium; each has its own contexts.

The driver's connection belongs to the loop that made it, so one loop outlives the tests of a
process. A test still fails on the tasks, pages and contexts that it leaves.
"""

import asyncio
import contextvars
from collections.abc import Iterator

import pytest

from tests.conftest import HANG_S
from tests.support.async_tests import is_async, run_async
from tests.support.browser.browsers import SHARED, WHOLE, Browsers

SETTLE_S = 5.0
"""Time for the last events of pages whose context was closed."""


class SharedLoop:
    """The loop of all browser tests in this process, and their browsers."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.browsers = Browsers()

    def run(self, item: pytest.Function) -> None:
        """Run a test, which must close the contexts that it opens."""
        context = contextvars.copy_context()
        context.run(SHARED.set, self.browsers)
        # What is heard by a person is judged in the browser that people use.
        context.run(WHOLE.set, item.get_closest_marker("alone") is not None)
        self.runner.run(self.browsers.driver())  # it is not the test that must end it
        try:
            run_async(item, self.runner, hang_s=HANG_S, settle_s=SETTLE_S, context=context)
        finally:
            left = self.runner.run(self.browsers.close_contexts())
        assert not left, f"{left} browser contexts left open"

    def close(self) -> None:
        """End the browsers, then the loop."""
        self.runner.run(self.browsers.__aexit__())
        self.runner.close()


@pytest.fixture(scope="session", autouse=True)
def shared_loop() -> Iterator[SharedLoop]:
    loop = SharedLoop()
    yield loop
    loop.close()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def`` test on the loop of all."""
    if not is_async(pyfuncitem):
        return None
    loop: SharedLoop = pyfuncitem.funcargs["shared_loop"]  # type: ignore[assignment]
    loop.run(pyfuncitem)
    return True

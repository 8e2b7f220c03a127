"""Event loop with exact timers: epoll waits for whole milliseconds, so that its timers are late."""

import asyncio
import select
import selectors

from rtc_server.host_system import is_linux


class ExactSelector(selectors.DefaultSelector):
    """Selector of the system that waits as long as requested, to some microseconds."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; wait for it up to `timeout` seconds."""
        if timeout is not None and timeout > 0:
            # The selector is made first of all, so that its descriptor is one that select takes.
            select.select([self], [], [], timeout)
            timeout = 0
        return super().select(timeout)


def new_loop() -> asyncio.AbstractEventLoop:
    """Return asyncio's loop for a server's own process, with exact timers on Linux.

    A tick that comes up to a millisecond late, each time by another part of one, lets a packet
    that came at that moment wait for the next: an echo was heard 0.7 ms later (median of 20).
    """
    if not is_linux():
        return asyncio.new_event_loop()
    return asyncio.SelectorEventLoop(ExactSelector())

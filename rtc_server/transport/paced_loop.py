"""An event loop that a busy server wakes 200 times a second, not once for each packet.

Packets of many sessions come at as many moments. To wake up for one costs more than to handle it:
what the work needs has left the processor's caches by then. So while packets come close together,
the loop looks for more only every `PERIOD_S`; whatever came in between is handled in one go.
Timers run on time, the 20 ms beat too, and what arrived before it is read before it. Only datagrams
wait: what engines, threads and HTTP have to say is heard at once.
"""

import asyncio
import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from rtc_server.clock import Clock, monotonic

PERIOD_S: Final = 0.005
"""How long a datagram may wait, half of it on average, while much arrives."""
BUSY_S: Final = PERIOD_S / 2
"""Two arrivals closer than this, and it is busy."""


class Pacing:
    """When to look for what has arrived. Pure: the time is told."""

    def __init__(self) -> None:
        self._busy = False
        self._looked_s = float("-inf")
        """When something was found last."""

    def wait_s(self, now_s: float) -> float:
        """How long not to look yet."""
        return max(0.0, self._looked_s + PERIOD_S - now_s) if self._busy else 0.0

    def found(self, count: int, now_s: float) -> None:
        """A look found so many sockets ready. As long as it is more than one each time, it is
        busy; a lone one did not need to wait."""
        self._busy = count > 1 or now_s - self._looked_s < BUSY_S
        self._looked_s = now_s


class PacedSelector(selectors.DefaultSelector):
    """The system's selector, which does not look for datagrams as long as `Pacing` says."""

    def __init__(self, clock: Clock = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._pacing = Pacing()
        self._others = selectors.DefaultSelector()
        """All that is registered, but for the sockets of datagrams."""
        self.hurried = 0
        """So many want no waiting now."""

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch a file."""
        key = super().register(fileobj, events, data)
        if not _takes_datagrams(key.fd):
            self._others.register(fileobj, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Watch it no longer."""
        if fileobj in self._others.get_map():
            self._others.unregister(fileobj)
        return super().unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch it for something else."""
        if fileobj in self._others.get_map():
            self._others.modify(fileobj, events, data)
        return super().modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; waits for it up to `timeout` seconds, and longer than that never."""
        wait_s = 0.0 if self.hurried else self._pacing.wait_s(self._clock())
        if wait_s and (timeout is None or timeout > 0):
            if timeout is not None:
                wait_s = min(wait_s, timeout)
                timeout -= wait_s
            others = self._others.select(wait_s)
            if others:
                return others
        ready = super().select(timeout)
        if ready:
            self._pacing.found(len(ready), self._clock())
        return ready

    def close(self) -> None:
        """Free both."""
        self._others.close()
        super().close()


def _takes_datagrams(fd: int) -> bool:
    try:
        file = socket.socket(fileno=fd)
    except OSError:  # a pipe
        return False
    kind = file.type
    file.detach()
    return kind == socket.SOCK_DGRAM


class PacedLoop(asyncio.SelectorEventLoop):
    """For ``asyncio.Runner(loop_factory=PacedLoop)``."""

    def __init__(self) -> None:
        self.selector = PacedSelector()
        super().__init__(self.selector)


@contextmanager
def hurrying() -> Iterator[None]:
    """Meanwhile the running loop, if it is paced, waits for nothing: connecting takes many steps
    one after the other."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, PacedLoop):
        yield
        return
    loop.selector.hurried += 1
    try:
        yield
    finally:
        loop.selector.hurried -= 1

"""An event loop that a busy server wakes once in a tick of 20 ms, not once for each packet.

Packets of many sessions come at as many moments. To wake up for one costs more than to handle it:
what the work needs has left the processor's caches by then (0.3 to 0.5 ms for the first packet
after a sleep, 0.05 to 0.1 for those behind it). So while many come, they are read at the tick, in
one go: nothing is sent before it anyway. Timers run on time, and what arrived before one is read
before it. Only datagrams wait: what engines, threads and HTTP have to say is heard at once.

All that a crowd sends in a tick takes so long to read that the tick and everything else would be
late. Of a crowd, a few are read at a time, more often, and timers may go before the rest.
"""

import asyncio
import math
import select
import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any, Final, TypeVarTuple

from rtc_server.clock import Clock, monotonic
from rtc_server.host_system import is_linux
from rtc_server.transport.media.tick import PERIOD_S as TICK_S

PERIOD_S: Final = TICK_S
"""Longest wait of a datagram, half of it on average, while many come."""
MANY_PER_S: Final = 300.0
"""Packets of six calls. Below that each is read as it comes."""
CROWD_PER_S: Final = 1500.0
"""Packets of thirty calls."""
CROWD_PERIOD_S: Final = TICK_S / 5
"""As `PERIOD_S`, in a crowd."""
CROWD_AT_ONCE: Final = 10
"""Sockets of a crowd that are read before the timers are looked at again."""
SLACK_S: Final = 0.003
"""A timer that is so near is waited for, and what has arrived is read with it."""
AHEAD_S: Final = 0.0005
"""So long before it. To read takes longer than that, and what comes meanwhile is read before the
timer, too, instead of a tick later."""
COARSE_S: Final = 0.1
"""Timers that far ahead are set to a tick: most are watches, one of each for every session."""
BEHIND_S: Final = 1e-6
"""Just behind it: they share its wake-up, and it does not wait for them."""
_MEMORY_S = 0.1
_Arguments = TypeVarTuple("_Arguments")


class ReadPacing:
    """Schedule of reads for what has arrived. Pure: time is an argument."""

    def __init__(self) -> None:
        self._looked_s = 0.0
        """Time at which something was last found."""
        self._per_s = 0.0
        """Datagrams a second, in the last `_MEMORY_S`."""

    @property
    def is_crowded(self) -> bool:
        """True while so many come that they are not read all at once."""
        return self._per_s >= CROWD_PER_S

    def wait_s(self, now_s: float) -> float:
        """Return the seconds for which not to look yet."""
        if self._per_s < MANY_PER_S:
            return 0.0
        period_s = CROWD_PERIOD_S if self.is_crowded else PERIOD_S
        return max(0.0, self._looked_s + period_s - now_s)

    def found(self, count: int, now_s: float) -> None:
        """Count the sockets that a look found ready."""
        passed_s = max(now_s - self._looked_s, 1e-6)
        self._looked_s = now_s
        self._per_s += (count - self._per_s * passed_s) / (_MEMORY_S + passed_s)


class PacedSelector(selectors.DefaultSelector):
    """The system's selector, which does not look for datagrams as long as `ReadPacing` says."""

    def __init__(self, clock: Clock = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._pacing = ReadPacing()
        self._others = selectors.DefaultSelector()
        """All that is registered, but for the sockets of datagrams."""
        self._handed_out = 0
        """Number of sockets of this look that were handed out."""
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
        """Return what is ready; wait for it up to `timeout` seconds, and longer than that never."""
        wait_s = 0.0 if self.hurried else self._pacing.wait_s(self._clock())
        if wait_s and (timeout is None or timeout > 0):
            if timeout is not None and timeout < wait_s + SLACK_S:
                wait_s, timeout = timeout, 0.0
                if wait_s > AHEAD_S and not self._pacing.is_crowded:
                    wait_s -= AHEAD_S
            elif timeout is not None:
                timeout -= wait_s
            # epoll waits for whole milliseconds only, and would let the tick come late.
            if select.select([self._others], [], [], wait_s)[0]:
                return self._others.select(0)
        ready = super().select(timeout)
        if self._pacing.is_crowded and len(ready) > CROWD_AT_ONCE:
            self._handed_out += CROWD_AT_ONCE
            return ready[:CROWD_AT_ONCE]  # next time the system names those first that wait longest
        if ready:
            self._pacing.found(self._handed_out + len(ready), self._clock())
            self._handed_out = 0
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
    """Event loop for a server's own process; `new_loop` makes it where it can work."""

    def __init__(self) -> None:
        self.selector = PacedSelector()
        super().__init__(self.selector)

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Arguments], object],
        *args: *_Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule as asyncio does, but at a tick if it is far ahead."""
        if when - self.time() > COARSE_S:
            when = math.ceil(when / TICK_S) * TICK_S + BEHIND_S
        return super().call_at(when, callback, *args, context=context)


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a paced loop on Linux, elsewhere the one that asyncio chooses.

    A crowd's sockets are read some at a time, and only Linux's epoll then names first those that
    wait longest: with kqueue, or `select`, the same few would be read again and again.
    """
    return PacedLoop() if is_linux() else asyncio.new_event_loop()


@contextmanager
def hurrying() -> Iterator[None]:
    """Keep the running loop, if it is paced, from waiting: connecting takes many steps one after
    the other.
    """
    loop = asyncio.get_running_loop()
    if not isinstance(loop, PacedLoop):
        yield
        return
    loop.selector.hurried += 1
    try:
        yield
    finally:
        loop.selector.hurried -= 1

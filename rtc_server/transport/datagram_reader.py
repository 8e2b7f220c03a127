"""Reads of the UDP sockets of all sessions: as datagrams come, or once in a tick while many come.

Packets of many sessions come at as many moments. To wake up for one costs more than to handle it:
what the work needs has left the processor's caches by then (0.3 to 0.5 ms for the first packet
after a sleep, 0.05 to 0.1 for those behind it). So while many come, they are read at the tick, in
one go: nothing is sent before it anyway.

The sockets are in an epoll of our own, and the event loop, whichever it is, sees that one
descriptor: it watches it while few datagrams come, and a timer looks into it while many do.

All that a crowd sends in a tick takes so long to read that the tick and everything else would be
late. Of a crowd, a few sockets are read at a time, more often, and whatever else is due may go
before the rest.
"""

import asyncio
import logging
import math
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from rtc_server.host_system import is_linux
from rtc_server.pcm import FRAME_MS

logger = logging.getLogger(__name__)

PERIOD_S: Final = FRAME_MS / 1000
"""Longest wait of a datagram, half of it on average, while many come."""
MANY_PER_S: Final = 300.0
"""Datagrams of six calls. Below that each is read as it comes."""
CROWD_PER_S: Final = 1500.0
"""Datagrams of thirty calls."""
CROWD_PERIOD_S: Final = PERIOD_S / 5
"""As `PERIOD_S`, in a crowd."""
CROWD_AT_ONCE: Final = 10
"""Sockets of a crowd that are read before whatever else is due."""
AHEAD_S: Final = 0.001
"""Time before a tick at which to look. To read takes about as long, and what comes meanwhile is
read at the tick, too, instead of one later. asyncio's epoll counts whole milliseconds: a look comes
up to one later than it was asked for."""
MAX_DATAGRAMS: Final = 9
"""Datagrams of one socket that are read in one go. Where a path delivers several at once, all are:
with one at a time they would stay a tick behind for good. A flood must not hold up the others."""
LONGEST_DATAGRAM_BYTES: Final = 65_535
"""Size of a read's buffer. asyncio's 256 KiB cost three times as much as the read itself."""
_MEMORY_S = 0.1

OnDatagram: TypeAlias = Callable[[bytes, tuple[Any, ...]], None]
"""Called with a datagram and its source address; must not raise."""
OnError: TypeAlias = Callable[[Exception], None]


class ReadPacing:
    """Schedule of reads for what has arrived. Pure: time is an argument."""

    def __init__(self) -> None:
        self._looked_s = 0.0
        self._per_s = 0.0
        """Datagrams a second, in the last `_MEMORY_S`."""

    @property
    def is_crowded(self) -> bool:
        """True while so many come that they are not read all at once."""
        return self._per_s >= CROWD_PER_S

    def next_look_s(self, now_s: float) -> float | None:
        """Return the time at which to look next; None: whenever one comes."""
        if self._per_s < MANY_PER_S:
            return None
        period_s = CROWD_PERIOD_S if self.is_crowded else PERIOD_S
        # A loop that counts whole milliseconds (uvloop) may be early: that was this tick's look.
        passed = math.floor((now_s + 2 * AHEAD_S) / period_s)
        return (passed + 1) * period_s - AHEAD_S

    def found(self, count: int, now_s: float) -> None:
        """Count the sockets that a look found ready."""
        passed_s = max(now_s - self._looked_s, 1e-6)
        self._looked_s = now_s
        self._per_s += (count - self._per_s * passed_s) / (_MEMORY_S + passed_s)


class DatagramReader:
    """Gives each datagram to its socket's owner. Uses the event loop that runs when it is used, and
    holds nothing of it while there is no socket.
    """

    def __init__(self, *, batches: bool = True) -> None:
        """`batches`: read at the tick while many datagrams come, where the system allows it.

        A crowd's sockets are read some at a time, and only Linux's epoll then names first those
        that wait longest.
        """
        self._batches = batches and is_linux()
        self._owners: dict[int, tuple[socket.socket, OnDatagram, OnError]] = {}
        self._pacing = ReadPacing()
        self._epoll: select.epoll | None = None
        self._is_watched = False
        """True while the event loop says when a datagram comes."""
        self._timer: asyncio.TimerHandle | None = None
        """The next look, while it does not."""
        self._prompt = 0
        """Number of those who want no waiting now."""
        self._handed_out = 0
        """Sockets that this look has read so far."""

    @property
    def is_batching(self) -> bool:
        """True while datagrams wait for the next look."""
        return self._timer is not None

    def add(self, sock: socket.socket, on_datagram: OnDatagram, on_error: OnError) -> None:
        """Read a socket, which does not block, until `remove`."""
        fd = sock.fileno()
        self._owners[fd] = (sock, on_datagram, on_error)
        if not self._batches:
            asyncio.get_running_loop().add_reader(fd, self._read, fd)
            return
        if self._epoll is None:
            self._epoll = select.epoll()
        self._epoll.register(fd, select.EPOLLIN)
        self._arm()

    def remove(self, sock: socket.socket) -> None:
        """Read it no longer. Call it before the socket is closed. Idempotent."""
        fd = sock.fileno()
        if self._owners.pop(fd, None) is None:
            return
        if self._epoll is None:
            asyncio.get_running_loop().remove_reader(fd)
            return
        self._epoll.unregister(fd)
        if not self._owners:
            self._disarm()
            self._epoll.close()
            self._epoll = None

    @contextmanager
    def prompt(self) -> Iterator[None]:
        """Read whatever comes at once: connecting takes many steps one after the other."""
        self._prompt += 1
        self._arm()
        try:
            yield
        finally:
            self._prompt -= 1
            self._arm()

    def catch_up(self) -> None:
        """Read what has come since the last look, but for a crowd's.

        Also while the loop watches: where a call began to connect since the loop last looked for
        events, nothing has been read at this tick yet, and every session would miss a packet.
        """
        if self._epoll is not None and not self._pacing.is_crowded:
            self._read()

    def _read(self, only: int | None = None) -> None:
        """Read what is there, or of a crowd some of it: the rest after whatever else is due.

        `only`: the one descriptor that is ready, where there is no epoll.
        """
        if only is not None:
            crowded, ready = False, [(only, 0)]
        elif self._epoll is not None:
            crowded = self._pacing.is_crowded
            ready = self._epoll.poll(0, CROWD_AT_ONCE if crowded else -1)
        else:
            return  # the last socket was closed since this was asked for
        for fd, _ in ready:
            if fd not in self._owners:
                continue  # closed by one before it
            sock, on_datagram, on_error = self._owners[fd]
            try:
                for _ in range(MAX_DATAGRAMS):
                    data, source = sock.recvfrom(LONGEST_DATAGRAM_BYTES)
                    on_datagram(data, source)
            except (BlockingIOError, InterruptedError):
                pass
            except OSError as error:
                on_error(error)
            except Exception:  # a bug of ours must not silence the others
                logger.exception("A datagram was not handled")
        if self._epoll is None:
            return
        self._handed_out += len(ready)
        if crowded and len(ready) == CROWD_AT_ONCE:
            asyncio.get_running_loop().call_soon(self._read)
            return
        self._pacing.found(self._handed_out, asyncio.get_running_loop().time())
        self._handed_out = 0
        self._arm()

    def _look(self) -> None:
        self._timer = None
        self._read()

    def _arm(self) -> None:
        """Have the next read come, by the loop or by a timer."""
        if self._epoll is None:
            return
        loop = asyncio.get_running_loop()
        look_s = None if self._prompt else self._pacing.next_look_s(loop.time())
        if look_s is None:
            if not self._is_watched:
                self._disarm()
                loop.add_reader(self._epoll.fileno(), self._read)
                self._is_watched = True
        elif self._timer is None:
            self._disarm()
            self._timer = loop.call_at(look_s, self._look)

    def _disarm(self) -> None:
        """Let neither the loop nor a timer cause a read."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_watched and self._epoll is not None:
            asyncio.get_running_loop().remove_reader(self._epoll.fileno())
            self._is_watched = False

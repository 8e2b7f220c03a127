"""Reads of the UDP sockets of all sessions: as datagrams come, or once per tick while many come.

Each of many sessions sends at a moment of its own, and waking up for a packet costs more than
handling it, because the processor's caches are cold by then: 0.3 to 0.5 ms for the first packet
after a sleep, 0.05 to 0.1 ms for each packet that follows. So while many come, all are read
together at the tick; nothing is sent before it anyway.

The sockets are in an epoll of our own, so that the event loop, whichever it is, has a single
descriptor. The loop watches it while few datagrams come, and a timer polls it while many do.

With very many sessions, reading everything at once would take so long that the tick and all other
work would be late. Then a few sockets are read at a time, more often, and other work that is due
runs in between.
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
"""Interval between reads while many datagrams come: the longest wait of one, twice the average."""
MANY_PER_S: Final = 300.0
"""Datagrams of six calls. Below this rate, each is read as it comes."""
CROWD_PER_S: Final = 1500.0
"""Datagrams of thirty calls. From this rate on, a few sockets are read at a time."""
CROWD_PERIOD_S: Final = PERIOD_S / 5
"""Interval between reads from `CROWD_PER_S` on."""
CROWD_AT_ONCE: Final = 10
"""Sockets of a crowd that are read before other work has its turn."""
AHEAD_S: Final = 0.001
"""Time before a tick at which to read. Reading takes about as long, so what arrives during it is
still read for this tick. asyncio rounds timers up to whole milliseconds, so a read may also start
up to 1 ms late."""
MAX_DATAGRAMS: Final = 9
"""Datagrams of one socket that are read at once. More than one, because a path may deliver several
together, which would stay a tick late for good; not more, so that a flood holds up no others."""
LONGEST_DATAGRAM_BYTES: Final = 65_535
"""Size of a read's buffer. Allocating asyncio's 256 KiB cost three times as much as the read."""
_MEMORY_S = 0.1

OnDatagram: TypeAlias = Callable[[bytes, tuple[Any, ...]], None]
"""Called with a datagram and its source address; must not raise."""
OnError: TypeAlias = Callable[[Exception], None]


class ReadPacing:
    """Schedule of reads for what has arrived. Pure: time is an argument."""

    def __init__(self) -> None:
        self._looked_s = 0.0
        self._per_s = 0.0
        """Sockets found ready per second, averaged over about `_MEMORY_S`; most have a single
        datagram."""

    @property
    def is_crowded(self) -> bool:
        """True while so many come that only a few sockets are read at a time."""
        return self._per_s >= CROWD_PER_S

    def next_look_s(self, now_s: float) -> float | None:
        """Return the time of the next read; None to read each datagram as it comes."""
        if self._per_s < MANY_PER_S:
            return None
        period_s = CROWD_PERIOD_S if self.is_crowded else PERIOD_S
        # A loop that counts whole milliseconds (uvloop) may read early; that read was this tick's.
        passed = math.floor((now_s + 2 * AHEAD_S) / period_s)
        return (passed + 1) * period_s - AHEAD_S

    def found(self, count: int, now_s: float) -> None:
        """Count the sockets that a read found ready."""
        passed_s = max(now_s - self._looked_s, 1e-6)
        self._looked_s = now_s
        self._per_s += (count - self._per_s * passed_s) / (_MEMORY_S + passed_s)


class DatagramReader:
    """Reader of many UDP sockets, which passes each datagram to its socket's owner.

    Works on the running event loop, and has no handle on it while there is no socket.
    """

    def __init__(self, *, batches: bool = True) -> None:
        """`batches`: read at the tick while many datagrams come, where the system allows it.

        Only on Linux: its epoll returns the sockets that wait longest first, so that each has its
        turn when only a few are read at a time.
        """
        self._batches = batches and is_linux()
        self._owners: dict[int, tuple[socket.socket, OnDatagram, OnError]] = {}
        self._pacing = ReadPacing()
        self._epoll: select.epoll | None = None
        self._is_watched = False
        """True while the event loop watches the epoll."""
        self._timer: asyncio.TimerHandle | None = None
        """Timer of the next read, while the loop does not watch."""
        self._prompt = 0
        """Number of `prompt` blocks that are running."""
        self._handed_out = 0
        """Sockets that this round of reads has read so far."""

    @property
    def is_batching(self) -> bool:
        """True while datagrams wait for a timer."""
        return self._timer is not None

    def add(self, sock: socket.socket, on_datagram: OnDatagram, on_error: OnError) -> None:
        """Read a non-blocking socket until `remove`."""
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
        """Stop reading a socket. Call it before the socket is closed. Idempotent."""
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
        """Read every datagram as it comes while the block runs. For connecting, which takes many
        round trips.
        """
        self._prompt += 1
        self._arm()
        try:
            yield
        finally:
            self._prompt -= 1
            self._arm()

    def catch_up(self) -> None:
        """Read what has come since the last read, except in a crowd.

        Also while the loop watches: if a call has begun to connect since the loop's last poll,
        nothing has been read for this tick yet, and every session would miss a packet.
        """
        if self._epoll is not None and not self._pacing.is_crowded:
            self._read()

    def _read(self, only: int | None = None) -> None:
        """Read what is there; in a crowd a part of it, and the rest after other work that is due.

        `only`: the one descriptor that is ready, if there is no epoll.
        """
        if only is not None:
            crowded, ready = False, [(only, 0)]
        elif self._epoll is not None:
            crowded = self._pacing.is_crowded
            ready = self._epoll.poll(0, CROWD_AT_ONCE if crowded else -1)
        else:
            return  # the last socket was closed since this read was scheduled
        for fd, _ in ready:
            if fd not in self._owners:
                continue  # closed by the handler of an earlier datagram
            sock, on_datagram, on_error = self._owners[fd]
            try:
                for _ in range(MAX_DATAGRAMS):
                    data, source = sock.recvfrom(LONGEST_DATAGRAM_BYTES)
                    on_datagram(data, source)
            except (BlockingIOError, InterruptedError):
                pass
            except OSError as error:
                on_error(error)
            except Exception:  # a bug of ours must not stop the reads of other sockets
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
        """Schedule the next read, by the loop or by a timer."""
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
        """Cancel the timer, and stop the loop's watch."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_watched and self._epoll is not None:
            asyncio.get_running_loop().remove_reader(self._epoll.fileno())
            self._is_watched = False

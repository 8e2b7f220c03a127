"""Rules for TCP connections: how many in all and of one address, and which one makes room.

Pure but for closing: the accept loop (`rtc_server.app.listening`) asks, and says what has ended. A
connection that carries no request is idle: at a limit, or when file descriptors run out, the oldest
idle one of whoever holds most goes, so that connections kept open for nothing lock nobody out.
"""

import contextlib
import math
import resource
from collections.abc import Callable
from dataclasses import dataclass, field

from rtc_server.clock import Clock, monotonic
from rtc_server.errors import RtcServerError

MOST = 4096
"""Connections at once where nothing else is said and file descriptors allow."""
FRUITLESS_S = 0.05
"""Time for which idle connections are not looked for again after none was found."""


class ConnectionRefused(RtcServerError):
    """No room for another connection. Closed without an answer, which would cost one."""

    code = "connection_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"No room for another connection ({reason}).")
        self.reason = reason
        """``address``, ``full`` or ``descriptors``; a metric label."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Numbers of connections that may be open; 0 everywhere means no limit."""

    total: int = 0
    per_address: int = 0
    """Of one IPv4 address or IPv6 /64."""


@dataclass(eq=False, slots=True)
class Connection:
    """One TCP connection, from accept to its end."""

    source: str
    """Name under which it is counted; empty for those that are counted in all only."""
    is_idle: Callable[[], bool] = lambda: True
    """True while no request is under way; a TLS handshake is none."""
    close: Callable[[], None] = lambda: None


@dataclass(slots=True)
class ConnectionBook:
    """Connections that are open now, by source and age."""

    limits: ConnectionLimits
    clock: Clock = monotonic
    _by_source: dict[str, dict[Connection, None]] = field(default_factory=dict)
    _count: int = 0
    _fruitless_until_s: float = -math.inf
    """Time until which it is taken for granted that no connection is idle."""

    def __len__(self) -> int:
        return self._count

    def admit(self, source: str, *, is_short: bool = False) -> Connection:
        """Return the record of a connection that has just been accepted.

        Args:
            source: who is counted; empty for nobody in particular.
            is_short: file descriptors are short, so another connection has to go.

        Raises:
            ConnectionRefused: nothing idle could be closed for it.
        """
        limits, own = self.limits, self._by_source.get(source, {})
        if source and limits.per_address and len(own) >= limits.per_address:
            if not self._close_idle(own):
                raise ConnectionRefused("address")
        elif limits.total and self._count >= limits.total and not self.make_room():
            raise ConnectionRefused("full")
        elif is_short and not self.make_room():
            raise ConnectionRefused("descriptors")
        connection = Connection(source)
        self._by_source.setdefault(source, {})[connection] = None
        self._count += 1
        return connection

    def remove(self, connection: Connection) -> None:
        """Forget a connection that has ended. Harmless when said twice."""
        own = self._by_source.get(connection.source)
        if own is not None and connection in own:
            del own[connection]
            self._count -= 1
            if not own:
                del self._by_source[connection.source]

    def make_room(self) -> bool:
        """Close the oldest idle connection of whoever has most, of those who have an idle one;
        return whether there was one.

        An audience behind one address may have most of all, and every one of them at work. Then
        every connection was looked at, 2 ms of the media's loop for 4096, and a flood would have
        that done for each of its connections: `FRUITLESS_S` bounds it.
        """
        now_s = self.clock()
        if now_s < self._fruitless_until_s:
            return False
        heaviest_first = sorted(self._by_source.values(), key=len, reverse=True)
        is_room = any(self._close_idle(own) for own in heaviest_first)
        if not is_room:
            self._fruitless_until_s = now_s + FRUITLESS_S
        return is_room

    def _close_idle(self, among: dict[Connection, None]) -> bool:
        idle = next((each for each in among if each.is_idle()), None)
        if idle is None:
            return False
        self.remove(idle)
        idle.close()
        return True


def file_limit() -> int:
    """Return how many file descriptors this process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 20


def raise_file_limit() -> int:
    """Raise the soft limit of file descriptors to the hard one, and return it.

    For a process of our own only: a library has no business with its host's limits.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # macOS has a lower limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return file_limit()


def usual_total(descriptors: int) -> int:
    """Return how many connections a process with so many file descriptors takes.

    Half of them stay for calls, engines and files.
    """
    return min(MOST, max(descriptors // 2, 16))


def descriptor_reserve(descriptors: int) -> int:
    """Return how many descriptors connections leave free whatever else is open."""
    return min(256, descriptors // 4)

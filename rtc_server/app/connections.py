"""Rules for TCP connections: how many in all and of one address, and which one makes room.

The accept loop (`rtc_server.app.listening`) calls these rules, whose only effect is to close
connections. A connection without a request is idle. At a limit, or when file descriptors run out,
the oldest idle one of the source with most connections is closed, so that idle connections lock
nobody out.
"""

import contextlib
import math
import resource
from collections.abc import Callable
from dataclasses import dataclass, field

from rtc_server.clock import Clock, monotonic
from rtc_server.errors import RtcServerError

MOST = 4096
"""Most connections by default, if file descriptors allow as many."""
FRUITLESS_S = 0.05
"""Seconds without another search for idle connections after one that found none."""


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
    """Connections of one IPv4 address or IPv6 /64."""


@dataclass(eq=False, slots=True)
class Connection:
    """One TCP connection, from accept to its end."""

    source: str
    """Source under which it is counted; empty to count it only in the total."""
    is_idle: Callable[[], bool] = lambda: True
    """True while no request is being served; a TLS handshake is not a request."""
    close: Callable[[], None] = lambda: None


@dataclass(slots=True)
class ConnectionBook:
    """Connections that are open now, by source and age."""

    limits: ConnectionLimits
    clock: Clock = monotonic
    _by_source: dict[str, dict[Connection, None]] = field(default_factory=dict)
    _count: int = 0
    _fruitless_until_s: float = -math.inf
    """Time until which no search for idle connections is made."""

    def __len__(self) -> int:
        return self._count

    def admit(self, source: str, *, is_short: bool = False) -> Connection:
        """Return the record of a connection that has just been accepted.

        Args:
            source: source under which it is counted; empty for the total only.
            is_short: true if file descriptors are short, so that another connection must be closed.

        Raises:
            ConnectionRefused: the limit is reached and no connection is idle.
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
        """Forget a connection that has ended. Idempotent."""
        own = self._by_source.get(connection.source)
        if own is not None and connection in own:
            del own[connection]
            self._count -= 1
            if not own:
                del self._by_source[connection.source]

    def make_room(self) -> bool:
        """Close the oldest idle connection of the source with most connections among those with an
        idle one. Return True if there was one.

        An audience behind one address may have the most connections, all of them in use. Then a
        search looks at every connection, which takes 2 ms of the media's loop for 4096; a flood
        would cause one search for each of its connections. `FRUITLESS_S` bounds that.
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

    Only for a process of our own: a library does not change the limits of its host.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # macOS has a lower limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return file_limit()


def usual_total(descriptors: int) -> int:
    """Return the most connections of a process with so many file descriptors.

    Half of the descriptors are left for calls, engines and files.
    """
    return min(MOST, max(descriptors // 2, 16))


def descriptor_reserve(descriptors: int) -> int:
    """Return the number of descriptors that connections always leave free."""
    return min(256, descriptors // 4)

"""Several engine servers as one: each session has one, and calls of a lost one go to another."""

import asyncio
import contextlib

from rtc_server.engines.engine_settings import EngineSettings
from rtc_server.engines.registry import Kind
from rtc_server.engines.remote.calls import PooledCall
from rtc_server.engines.remote.choice import Homes
from rtc_server.engines.remote.connection import Connect, EngineConnection
from rtc_server.engines.remote.directory import Directory
from rtc_server.engines.remote.messages import ServerHello
from rtc_server.engines.remote.placed_call import PlacedCall
from rtc_server.engines.remote.pooled_server import PooledServer
from rtc_server.engines.remote.rendezvous import affinity
from rtc_server.engines.remote.roster import Roster
from rtc_server.engines.remote.same_engine import check_same_engine
from rtc_server.errors import (
    EngineCrashed,
    EngineError,
    EngineOverloaded,
    EngineTimeout,
    EngineUnavailable,
)
from rtc_server.metrics import Metrics

MOST_CALLS = 4096
"""Number of calls that may be open at once."""
MOST_LOSSES = 3
"""Servers that may be lost with the same call before it fails: the call may be the cause."""


class EnginePool:
    """Servers of one kind of engine, and the open calls to them."""

    def __init__(
        self,
        kind: Kind,
        directory: Directory,
        connect: Connect,
        settings: EngineSettings,
        metrics: Metrics,
    ) -> None:
        self._kind, self._settings, self._metrics = kind, settings, metrics
        self._seconds = metrics.engine_server_seconds.labels(kind)
        self._roster = Roster(kind, directory, connect, self, metrics)
        self._servers = self._roster.servers
        self._open: dict[PooledCall, PlacedCall] = {}
        self._homes = Homes[PooledServer]()
        self._first = asyncio.Event()
        self.hello: ServerHello | None = None
        """Hello of the first server, which all others have to match."""
        self.deadline_s = 0.0
        """Deadline of the engine's capabilities; set after `start`."""

    @property
    def ready(self) -> bool:
        """True while the engine of any connected server can work."""
        return any(server.is_ready for server in self._servers.values())

    @property
    def retry_after_s(self) -> int:
        """Seconds until the least busy server can carry another session; 0 for at once."""
        ready = [each.retry_after_s for each in self._servers.values() if each.is_ready]
        return min(ready, default=0)

    async def start(self) -> ServerHello:
        """Connect to the servers; return the hello of the first that can be used.

        Raises:
            EngineUnavailable: no server could be used within `engine_start_s`.
        """
        self._roster.start()
        try:
            async with asyncio.timeout(self._settings.engine_start_s):
                await self._first.wait()
        except TimeoutError:
            reasons = "; ".join(f"{n}: {each.reason}" for n, each in self._servers.items())
            await self.close()
            raise EngineUnavailable(
                f"No engine server of --{self._kind}-servers could be used ({reasons})."
            ) from None
        assert self.hello is not None
        return self.hello

    def submit(self, call: PooledCall) -> None:
        """Send a call to the session's server. Its answer or failure goes to the call itself.

        Raises:
            EngineOverloaded: too many calls are open; this one was not taken.
        """
        if len(self._open) >= MOST_CALLS:
            self._metrics.queue_drops.labels(queue=self._kind).inc()
            raise EngineOverloaded("The engines cannot keep up; this sentence was skipped.")
        loop = asyncio.get_running_loop()
        wait_s = self._settings.engine_wait_s + self._settings.engine_patience_s
        timer = loop.call_later(wait_s, self._late, call)
        self._open[call] = PlacedCall(loop.time(), timer)
        self._place(call)

    def ended(self, call: PooledCall) -> None:
        """Remove a call that is answered, has failed or was cancelled."""
        opened = self._open.pop(call, None)
        if opened is None:
            return
        opened.timer.cancel()
        server = opened.server
        if server is None:
            if not any(each.server is None for each in self._open.values()):
                self._roster.want.clear()
            self._count("none", "failed" if call.error else "unwanted")
            return
        name, connection = server.name, server.connection
        is_dropped = connection is not None and drop(connection, call)
        if call.error is None and is_dropped:
            self._count(name, "unwanted")
            return
        self._count(name, "failed" if call.error is not None else "answered")
        took_s = asyncio.get_running_loop().time() - opened.began_s
        self._seconds.observe(took_s)

    def expect(self, session_id: str) -> None:
        """Choose the server of a session that was just admitted, and announce the session to it."""
        home = self._homes.choose(affinity(session_id), list(self._servers.values()), set())
        if home is not None and home.connection is not None:
            with contextlib.suppress(EngineError):  # it does not read: pings will find it silent
                home.connection.ping(session_id)

    def forget(self, session_id: str) -> None:
        """Cancel the open calls of a session that is over, and notify its server."""
        for call in [each for each in self._open if each.session_id == session_id]:
            call.give_up()
        home = self._servers.get(self._homes.of(affinity(session_id)))
        if home is not None and home.connection is not None:
            with contextlib.suppress(EngineError):  # it does not read: pings will find it silent
                home.connection.forget(session_id)
        if affinity(session_id) == session_id:
            self._homes.forget(session_id)

    async def close(self) -> None:
        """Close every connection and cancel every call. Idempotent."""
        await self._roster.close()
        for call in list(self._open):
            call.give_up()

    def check(self, hello: ServerHello) -> None:
        """Raise `UnusableServer` unless the server has the same engine as the others."""
        check_same_engine(self._kind, self.hello, hello)
        self.hello = self.hello or hello

    def came(self, server: PooledServer) -> None:
        """Handle a server that takes calls now, or again.

        Calls that wait for a server are sent to it. Those of silent servers move, too: there may
        have been no other server for them until now.
        """
        self._show(server)
        self._first.set()
        self._roster.want.clear()
        for call, opened in list(self._open.items()):
            if opened.server is None:
                self._place(call)
        for each in list(self._servers.values()):
            if each.is_silent and each.has_calls:
                self.suspected(each)

    def suspected(self, server: PooledServer) -> None:
        """Move the calls of a silent server to others, if there are any."""
        self._show(server)
        if server.connection is None or not any(each.is_well for each in self._servers.values()):
            return
        server.complain("it is silent, and others are asked")
        calls = [call for call in server.connection.calls if not call.is_over]
        for call in calls:
            drop(server.connection, call)
        self.lost(server, calls)

    def lost(self, server: PooledServer, calls: list[PooledCall]) -> None:
        """Move the calls of a lost server to others; those that may not move fail."""
        self._show(server)
        self._roster.miss()
        for call in calls:
            opened = self._open.get(call)
            if opened is None or call.is_over:
                continue
            opened.losses += 1
            opened.lost_by.add(server.name)
            if not call.may_move or opened.losses >= MOST_LOSSES:
                call.fail(EngineCrashed("The engine server was lost during the call."))
            else:
                self._metrics.engine_calls_moved.labels(self._kind).inc()
                self._place(call)

    def again(self, call: PooledCall) -> None:
        """Send a call that one server refused to another."""
        opened = self._open.get(call)
        if opened is None or call.is_over:
            return
        if opened.server is not None:
            opened.lost_by.add(opened.server.name)
        if call.may_move:
            self._metrics.engine_calls_moved.labels(self._kind).inc()
            self._place(call)
        else:
            call.fail(EngineCrashed("The engine server is stopping."))

    def _place(self, call: PooledCall) -> None:
        opened = self._open[call]
        while (server := self._choose(call, opened)) is not None:
            opened.server = server
            assert server.connection is not None
            now_s = asyncio.get_running_loop().time()
            left_s = opened.began_s + self._most_s() - now_s
            try:
                server.connection.submit(call, max(1, round(left_s * 1000)))
            except EngineCrashed:  # it does not read: pings will find it silent
                if server.name in opened.lost_by:
                    break
                opened.lost_by.add(server.name)
                continue
            return
        opened.server = None
        if call.may_wait:
            self._roster.want.set()
        else:
            call.fail(EngineCrashed("No engine server is connected."))

    def _choose(self, call: PooledCall, opened: PlacedCall) -> PooledServer | None:
        key = affinity(call.session_id)
        return self._homes.choose(key, list(self._servers.values()), opened.lost_by)

    def _late(self, call: PooledCall) -> None:
        """Fail a call that no server answered in time."""
        opened = self._open.get(call)
        if opened is None or call.is_over:
            return
        if opened.server is not None and not call.may_move:
            return  # speech that has begun, or a partial that a newer one replaces
        loop = asyncio.get_running_loop()
        left_s = opened.began_s + self._most_s() - loop.time()
        if opened.server is not None and left_s > 0:
            opened.timer = loop.call_later(left_s, self._late, call)
            return
        waited_s = loop.time() - opened.began_s
        call.fail(EngineTimeout(f"No engine server answered within {waited_s:.0f} s."))

    def _most_s(self) -> float:
        settings = self._settings
        return settings.engine_wait_s + 2 * settings.engine_patience_s + self.deadline_s

    def _show(self, server: PooledServer) -> None:
        up = self._metrics.engine_server_up.labels(self._kind, server.name)
        up.set(1 if server.is_well else 0)

    def _count(self, server: str, outcome: str) -> None:
        self._metrics.engine_server_calls.labels(self._kind, server, outcome).inc()


def drop(connection: EngineConnection, call: PooledCall) -> bool:
    """Cancel a call at its server; return False if it was answered already."""
    with contextlib.suppress(EngineError):  # it does not read: the result is wasted
        return connection.drop(call)
    return True

"""One server of the pool: connected again and again, watched by pings."""

import asyncio
import contextlib
import logging
from typing import Protocol

from rtc_server.background import beside
from rtc_server.engines.host import Restarts
from rtc_server.engines.remote.calls import PooledCall
from rtc_server.engines.remote.connection import CONNECT_S, Connect, EngineConnection
from rtc_server.engines.remote.directory import ServerAddress
from rtc_server.engines.remote.messages import ServerHello
from rtc_server.engines.remote.unusable import FAILURES, unusable
from rtc_server.engines.remote.want import Want
from rtc_server.errors import EngineError
from rtc_server.limits import ReasonLimit, not_logged
from rtc_server.standstill import standstills

PING_S = 0.25
"""Interval of pings."""
SUSPECT_S = 1.0
"""Silence after which a server's calls move to another, if there is one."""
LOST_S = 5.0
"""Silence after which the connection is given up."""

_log = logging.getLogger(__name__)


class PoolView(Protocol):
    """Methods of the pool that its servers call."""

    def check(self, hello: ServerHello) -> None:
        """Raise `UnusableServer` unless the server has the pool's engine."""

    def came(self, server: "PooledServer") -> None:
        """Handle a server that takes calls now."""

    def suspected(self, server: "PooledServer") -> None:
        """Handle a server that is silent: its calls may move to others."""

    def lost(self, server: "PooledServer", calls: list[PooledCall]) -> None:
        """Take back the calls of a server that is gone."""

    def again(self, call: PooledCall) -> None:
        """Take back a call that a server refused."""


class PooledServer:
    """Engine server of a pool, connected or not."""

    def __init__(
        self,
        address: ServerAddress,
        connect: Connect,
        pool: PoolView,
        want: Want,
        complaints: ReasonLimit,
    ) -> None:
        """Shorten the rest between tries while `want` is set; log within the limit `complaints`."""
        self.address = address
        """Address of the server."""
        self.connection: EngineConnection | None = None
        """Connection once its hello has matched the pool's engine; None otherwise."""
        self.is_listed = True
        """False once the roster drops it: it gets no new calls."""
        self.reason = "not connected yet"
        """Reason for which it cannot be used or is silent; empty for none."""
        self._connect, self._pool, self._want = connect, pool, want
        self._is_silent = False
        self._complaints = complaints

    @property
    def name(self) -> str:
        """Name in logs, metrics and the choice by session."""
        return self.address.name

    @property
    def has_calls(self) -> bool:
        """True while it has open calls."""
        return self.connection is not None and bool(self.connection.calls)

    @property
    def takes_calls(self) -> bool:
        """True while calls may be sent to it, though it may be silent."""
        connection = self.connection
        return connection is not None and not connection.is_draining and self.is_listed

    @property
    def is_well(self) -> bool:
        """True while it takes calls and answers pings."""
        return self.takes_calls and not self._is_silent

    @property
    def is_silent(self) -> bool:
        """True while it is connected and does not answer pings."""
        return self.connection is not None and self._is_silent

    @property
    def is_gone(self) -> bool:
        """True while it is not connected, or takes no new calls before it stops."""
        return self.connection is None or self.connection.is_draining

    @property
    def is_ready(self) -> bool:
        """True while it is well and its engine is not being restarted."""
        return self.is_well and self.connection is not None and self.connection.pong.ready

    @property
    def retry_after_s(self) -> int:
        """Seconds until it can carry another session; 0 for at once, or while not connected."""
        return self.connection.pong.retry_after_s if self.connection is not None else 0

    async def run(self) -> None:
        """Connect to the server, and again whenever the connection is lost, until cancelled."""
        loop = asyncio.get_running_loop()
        failures = Restarts()
        while True:
            began_s = loop.time()
            try:
                await self._connected()
            except FAILURES as error:
                self.complain(str(unusable(error, CONNECT_S)))
            failures.failed(loop.time() - began_s)
            await self._want.rest(failures.wait_s)

    async def _connected(self) -> None:
        async with asyncio.timeout(CONNECT_S):
            channel = await self._connect(self.address)
        connection = EngineConnection(channel, self._pool.again)
        try:
            hello = await connection.hello()
            self._pool.check(hello)
            self._is_silent, self.connection = False, connection
            self.complain("")
            _log.info("Engine server %s is connected (%s).", self.name, hello.version)
            self._pool.came(self)
            async with beside(self._watch(connection), name="engine server pings"):
                await connection.run()
        finally:
            was, self.connection = self.connection, None
            try:
                await connection.close()
            finally:
                if was is not None:
                    self._pool.lost(self, connection.calls)

    async def _watch(self, connection: EngineConnection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(EngineError):  # it does not read: it will be found silent
                connection.ping()
            await asyncio.sleep(PING_S)
            seen_s = connection.last_seen_s
            silent_s = loop.time() - seen_s - standstills().since(seen_s)
            if silent_s > LOST_S:
                self.complain(f"it was silent for {silent_s:.0f} s")
                await connection.close()
                return
            was_silent, self._is_silent = self._is_silent, silent_s > SUSPECT_S
            if self._is_silent and not was_silent:
                self._pool.suspected(self)
            elif was_silent and not self._is_silent:
                self.complain("")
                self._pool.came(self)

    def complain(self, reason: str) -> None:
        """Set the `reason`, and log it within the limit; an empty one means that all is well."""
        self.reason = reason
        held_back = self._complaints.admit(reason, asyncio.get_running_loop().time())
        if held_back is not None:
            _log.warning("Engine server %s: %s%s", self.name, reason, not_logged(held_back))

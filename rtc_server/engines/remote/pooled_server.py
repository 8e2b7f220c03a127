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
"""Silence after which calls are asked of another server, if there is one."""
LOST_S = 5.0
"""Silence after which the connection is given up."""

_log = logging.getLogger(__name__)


class PoolView(Protocol):
    """Pool, as one of its servers sees it."""

    def check(self, hello: ServerHello) -> None:
        """Raise `EngineUnavailable` unless that engine is one of the pool's."""

    def came(self, server: "PooledServer") -> None:
        """Take note that the server takes calls."""

    def suspected(self, server: "PooledServer") -> None:
        """Take note that the server is silent: others may have its calls."""

    def lost(self, server: "PooledServer", calls: list[PooledCall]) -> None:
        """Take back the calls of a server that is gone."""

    def again(self, call: PooledCall) -> None:
        """Take back a call that the server does not want."""


class PooledServer:
    """A server, connected or not."""

    def __init__(
        self,
        address: ServerAddress,
        connect: Connect,
        pool: PoolView,
        want: Want,
        complaints: ReasonLimit,
    ) -> None:
        """`want` is set while calls wait for any server; `complaints` limits those in the log."""
        self.address = address
        """Address of the server."""
        self.connection: EngineConnection | None = None
        """Connection, while there is one and its engine is the pool's."""
        self.is_listed = True
        """False once the directory has not listed it for long: it gets no new calls."""
        self.reason = "not connected yet"
        """Present trouble with it; empty for none."""
        self._connect, self._pool, self._want = connect, pool, want
        self._is_silent = False
        self._complaints = complaints

    @property
    def name(self) -> str:
        """Name in logs, metrics and the choice by session."""
        return self.address.name

    @property
    def has_calls(self) -> bool:
        """True while it has calls to answer."""
        return self.connection is not None and bool(self.connection.calls)

    @property
    def takes_calls(self) -> bool:
        """True while it may be asked, if nobody better is there."""
        connection = self.connection
        return connection is not None and not connection.is_draining and self.is_listed

    @property
    def is_well(self) -> bool:
        """True while it takes calls and shows life."""
        return self.takes_calls and not self._is_silent

    @property
    def is_silent(self) -> bool:
        """True while it is connected and shows no life."""
        return self.connection is not None and self._is_silent

    @property
    def is_gone(self) -> bool:
        """True while it is not connected, or has said that it takes nothing more."""
        return self.connection is None or self.connection.is_draining

    @property
    def is_ready(self) -> bool:
        """True while it is well and its engine is not being restarted."""
        return self.is_well and self.connection is not None and self.connection.pong.ready

    @property
    def retry_after_s(self) -> int:
        """Seconds until it can carry another session."""
        return self.connection.pong.retry_after_s if self.connection is not None else 0

    async def run(self) -> None:
        """Keep a connection to the server, until cancelled."""
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
            with contextlib.suppress(EngineError):  # it reads nothing: silence will tell
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
        """Log what is wrong with it, each new reason as often as may be; empty for nothing."""
        self.reason = reason
        held_back = self._complaints.admit(reason, asyncio.get_running_loop().time())
        if held_back is not None:
            _log.warning("Engine server %s: %s%s", self.name, reason, not_logged(held_back))

"""Servers of a pool: those that its directory lists, and those off the list that still answer.

A list may be wrong: a cluster whose head was restarted lists its replicas one by one, and a list
may name servers that are gone. So pings decide. A server off the list that answers them stays in
use for `UNLISTED_S`, and then until a listed one answers.
"""

import asyncio
import logging
from collections.abc import Sequence

from rtc_server.engines.registry import Kind
from rtc_server.engines.remote.connection import Connect
from rtc_server.engines.remote.directory import Directory, ServerAddress
from rtc_server.engines.remote.pooled_server import PooledServer, PoolView
from rtc_server.engines.remote.want import URGENT_S, Want
from rtc_server.limits import ReasonLimit, not_logged
from rtc_server.metrics import Metrics

LOOK_S = 5.0
"""Interval at which the directory is asked; `URGENT_S` while a server is missed."""
MISSED_S = 30.0
"""Time for which a lost server counts as missed. Its successor should be listed within this time,
and could itself be lost between two looks at a longer interval.
"""
MOST_LIMITS = 256
"""Former servers for which the limit on log lines is kept."""
UNLISTED_S = 30.0
"""Time for which a server stays in use after its directory has left it out."""

_log = logging.getLogger(__name__)


class Roster:
    """Servers by name, and the task that follows the directory."""

    def __init__(
        self,
        kind: Kind,
        directory: Directory,
        connect: Connect,
        pool: PoolView,
        metrics: Metrics,
    ) -> None:
        self._kind, self._directory, self._connect = kind, directory, connect
        self._pool, self._metrics = pool, metrics
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._unlisted_since_s: dict[str, float] = {}
        self._missed_until_s = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._complaints = ReasonLimit()
        self._limits: dict[str, ReasonLimit] = {}
        """Limits on log lines about servers by name, with former ones, which may come back."""
        self.servers: dict[str, PooledServer] = {}
        """Servers by name, connected or not."""
        self.want = Want()
        """Set while calls wait for any of them."""

    def start(self) -> None:
        """Begin to follow the directory."""
        self._looking = asyncio.create_task(self._look(), name=f"{self._kind} servers")

    def miss(self) -> None:
        """Note that a server was lost: the directory may soon list another."""
        self._missed_until_s = asyncio.get_running_loop().time() + MISSED_S

    async def close(self) -> None:
        """Stop following the directory and close every connection. Idempotent."""
        tasks = [*self._tasks.values(), *([self._looking] if self._looking else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._tasks.clear()

    async def _look(self) -> None:
        while True:
            try:
                await self._follow(await self._directory.addresses())
                self._admit("")
            except OSError as error:
                reason = f"cannot be asked ({error.strerror})"
                if (held_back := self._admit(reason)) is not None:
                    _log.warning(
                        "The engine servers' directory %s.%s", reason, not_logged(held_back)
                    )
            except Exception as error:  # a fault of ours, which must not end the task
                if (held_back := self._admit(type(error).__name__)) is not None:
                    _log.exception(
                        "The engine servers' directory could not be followed.%s",
                        not_logged(held_back),
                    )
            is_missed = asyncio.get_running_loop().time() < self._missed_until_s
            await self.want.rest(URGENT_S if is_missed else LOOK_S)

    def _admit(self, reason: str) -> int | None:
        return self._complaints.admit(reason, asyncio.get_running_loop().time())

    async def _follow(self, found: Sequence[ServerAddress]) -> None:
        if not found:
            return  # not known: the servers stay
        for address in found:
            await self._listed(address)
        listed = {address.name for address in found}
        now_s = asyncio.get_running_loop().time()
        is_another_well = any(self.servers[name].is_well for name in listed & self.servers.keys())
        for name, server in [each for each in self.servers.items() if each[0] not in listed]:
            since_s = self._unlisted_since_s.setdefault(name, now_s)
            if server.is_gone or (is_another_well and now_s - since_s >= UNLISTED_S):
                await self._drop(name, server)

    async def _listed(self, address: ServerAddress) -> None:
        name = address.name
        self._unlisted_since_s.pop(name, None)
        former = self.servers.get(name)
        if former is not None and former.address != address:
            # The certificate's name or TLS has changed: no call uses the former settings.
            await self._drop(name, former)
            if former.has_calls:
                return
        if name not in self.servers:
            limit = self._limits.pop(name, None) or ReasonLimit()
            server = PooledServer(address, self._connect, self._pool, self.want, limit)
            self.servers[name], self._limits[name] = server, limit
            self._metrics.engine_server_up.labels(self._kind, name).set(0)  # down until connected
            self._tasks[name] = asyncio.create_task(server.run(), name=f"engine server {name}")
        self.servers[name].is_listed = True

    async def _drop(self, name: str, server: PooledServer) -> None:
        """Send a server no new calls; close its connection if no call is open."""
        server.is_listed = False
        if server.has_calls:
            return
        task = self._tasks.pop(name)
        task.cancel()
        await asyncio.wait([task])
        del self.servers[name]
        off_list = [each for each in self._limits if each not in self.servers]
        for each in off_list[:-MOST_LIMITS]:
            del self._limits[each]
        self._unlisted_since_s.pop(name, None)
        self._metrics.engine_server_up.remove(self._kind, name)
        for outcome in ("answered", "failed", "unwanted"):
            self._metrics.engine_server_calls.remove(self._kind, name, outcome)

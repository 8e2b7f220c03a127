"""Servers of a pool: those that its directory lists, and those that answer though it does not.

What a directory leaves out is no proof: a cluster whose head came back lists its replicas one by
one, and a list may be of servers that are gone. So pings decide. A server that answers them stays
in use for `UNLISTED_S`, and then until one that is listed shows life.
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
"""Interval at which the directory is asked; `URGENT_S` where a server is missed."""
MISSED_S = 30.0
"""Time for which a server that is lost is missed: whoever replaces it does so within that time, and
may be lost next, before another look.
"""
MOST_LIMITS = 256
"""Servers that are off the list and whose complaints are still counted."""
UNLISTED_S = 30.0
"""Time for which a server stays in use that its directory does not list."""

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
        """Limits on complaints of servers by name, also of those that may be listed again."""
        self.servers: dict[str, PooledServer] = {}
        """Servers, connected or not."""
        self.want = Want()
        """Set while calls wait for any of them."""

    def start(self) -> None:
        """Begin to follow the directory."""
        self._looking = asyncio.create_task(self._look(), name=f"{self._kind} servers")

    def miss(self) -> None:
        """Note that a server was lost: the directory may soon list another."""
        self._missed_until_s = asyncio.get_running_loop().time() + MISSED_S

    async def close(self) -> None:
        """End every connection. Idempotent."""
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
            except Exception as error:  # ours: without another look no server would ever come
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
            return  # it knows nothing, which says nothing of those that are there
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
            # Another name of its certificate, say, or TLS: calls go there by the new way alone.
            await self._drop(name, former)
            if former.has_calls:
                return
        if name not in self.servers:
            limit = self._limits.pop(name, None) or ReasonLimit()
            server = PooledServer(address, self._connect, self._pool, self.want, limit)
            self.servers[name], self._limits[name] = server, limit
            self._metrics.engine_server_up.labels(self._kind, name).set(0)  # one never met is down
            self._tasks[name] = asyncio.create_task(server.run(), name=f"engine server {name}")
        self.servers[name].is_listed = True

    async def _drop(self, name: str, server: PooledServer) -> None:
        """Let a server finish what it has; then end its connection."""
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

"""Replica: an engine server that Ray Serve starts, watches and stops."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Protocol, TypeAlias, TypedDict

from rtc_server.clock import monotonic
from rtc_server.engines.remote.server import EngineServer
from rtc_server.errors import EngineUnavailable


class ReplicaServer(Protocol):
    """An engine server that takes calls."""

    @property
    def address(self) -> str:
        """Address to give to media processes."""

    @property
    def server(self) -> EngineServer:
        """The server itself."""


StartReplica: TypeAlias = Callable[[str], AbstractAsyncContextManager[ReplicaServer]]
"""Context manager that starts the engines and listens on the IP address of this host that it is
given.
"""


class ReplicaState(TypedDict):
    """Address, state and load of one replica."""

    address: str
    is_draining: bool
    calls: int
    """Number of open calls."""


class EngineReplica:
    """Engine server with the methods that Ray Serve calls.

    Those about its state are coroutines although they await nothing: Ray runs coroutines on the
    server's event loop, and plain methods in a thread.
    """

    def __init__(self, start: StartReplica, *, drain_s: float, patience_s: float) -> None:
        """`patience_s`: time that an engine may take to be ready again after a crash."""
        self._start, self._drain_s, self._patience_s = start, drain_s, patience_s
        self._stack = AsyncExitStack()
        self._running: ReplicaServer | None = None
        self._seen_ready_s = 0.0

    async def start(self, host: str) -> None:
        """Start the engines and the server; return once calls are taken."""
        self._running = await self._stack.enter_async_context(self._start(host))
        self._seen_ready_s = monotonic()

    async def stop(self) -> None:
        """Take no new calls, wait up to `drain_s` for the open ones, then stop. Idempotent."""
        running, self._running = self._running, None
        try:
            if running is not None:
                await running.server.drain(self._drain_s)
        finally:
            await self._stack.aclose()

    async def describe(self) -> ReplicaState:
        """Return the replica's address, state and load; without an address while not running."""
        if self._running is None:
            return ReplicaState(address="", is_draining=True, calls=0)
        server = self._running.server
        return ReplicaState(
            address=self._running.address, is_draining=server.is_draining, calls=server.calls
        )

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """Return the load by which Ray Serve scales the replicas. Ray Serve defines the name."""
        return {"calls": float(self._running.server.calls if self._running else 0)}

    async def check_health(self) -> None:
        """Raise `EngineUnavailable` once the engines have not been ready for too long.

        The server itself restarts an engine that crashed, and pools use other replicas meanwhile:
        ending the replica would only lose the other engine's calls. Ray Serve defines the name.
        """
        now_s = monotonic()
        if self._running is None or self._running.server.ready:
            self._seen_ready_s = now_s
        elif now_s - self._seen_ready_s > self._patience_s:
            raise EngineUnavailable(f"An engine was not ready for {self._patience_s:g} s.")

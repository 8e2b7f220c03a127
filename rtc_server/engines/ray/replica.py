"""Replica: an engine server that is started, watched and ended by somebody else."""

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
"""Starts the engines, then listens on an IP address of this host."""


class ReplicaState(TypedDict):
    """One replica, as it describes itself."""

    address: str
    is_draining: bool
    calls: int
    """Calls that are open."""


class EngineReplica:
    """Engine server with the questions that a cluster asks of it.

    They are coroutines so that Ray asks them on the loop of the server, and not in a thread.
    """

    def __init__(self, start: StartReplica, *, drain_s: float, patience_s: float) -> None:
        """`patience_s`: time that an engine may take to be ready again after a crash."""
        self._start, self._drain_s, self._patience_s = start, drain_s, patience_s
        self._stack = AsyncExitStack()
        self._running: ReplicaServer | None = None
        self._seen_ready_s = 0.0

    async def start(self, host: str) -> None:
        """Start; return when the engines are warm and calls are taken."""
        self._running = await self._stack.enter_async_context(self._start(host))
        self._seen_ready_s = monotonic()

    async def stop(self) -> None:
        """Take nothing new, answer what is open, end. Idempotent."""
        running, self._running = self._running, None
        try:
            if running is not None:
                await running.server.drain(self._drain_s)
        finally:
            await self._stack.aclose()

    async def describe(self) -> ReplicaState:
        """Return what others may know."""
        if self._running is None:
            return ReplicaState(address="", is_draining=True, calls=0)
        server = self._running.server
        return ReplicaState(
            address=self._running.address, is_draining=server.is_draining, calls=server.calls
        )

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """Return what the number of replicas is decided by. The name is Ray Serve's."""
        return {"calls": float(self._running.server.calls if self._running else 0)}

    async def check_health(self) -> None:
        """Raise `EngineUnavailable` once the engines have not been ready for too long.

        The server itself starts an engine again that crashed, and the pool asks others meanwhile:
        ending the replica for it would only lose the other engine's calls. The name is Ray Serve's.
        """
        now_s = monotonic()
        if self._running is None or self._running.server.ready:
            self._seen_ready_s = now_s
        elif now_s - self._seen_ready_s > self._patience_s:
            raise EngineUnavailable(f"An engine was not ready for {self._patience_s:g} s.")

"""Base of the engines in other processes: the common part of translation and speech by a pool."""

from rtc_server.engines.remote.messages import ServerHello
from rtc_server.engines.remote.pool import EnginePool


class RemoteEngine:
    """Engine of a pool of servers, shared by all sessions."""

    hello: ServerHello
    """Hello of the first server; set after `start`."""

    def __init__(self, pool: EnginePool) -> None:
        self._pool = pool

    @property
    def ready(self) -> bool:
        """True while the engine of any server can work."""
        return self._pool.ready

    @property
    def retry_after_s(self) -> int:
        """Whole seconds until another session can be carried; 0 for at once."""
        return self._pool.retry_after_s

    def expect(self, session_id: str) -> None:
        """Announce a session that was just admitted, so that its load is counted."""
        self._pool.expect(session_id)

    def forget(self, session_id: str) -> None:
        """Cancel the open calls of a session that is over."""
        self._pool.forget(session_id)

    async def close(self) -> None:
        """Cancel all calls and close the connections. Idempotent."""
        await self._pool.close()

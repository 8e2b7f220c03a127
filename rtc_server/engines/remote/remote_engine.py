"""Engine of other processes: what translation and speech by a pool have in common."""

from rtc_server.engines.remote.messages import ServerHello
from rtc_server.engines.remote.pool import EnginePool


class RemoteEngine:
    """Engine of a pool of servers, shared by all sessions."""

    hello: ServerHello
    """Hello of the first server; known after `start`."""

    def __init__(self, pool: EnginePool) -> None:
        self._pool = pool

    @property
    def ready(self) -> bool:
        """True while a server can work."""
        return self._pool.ready

    @property
    def retry_after_s(self) -> int:
        """Whole seconds until another session can be carried, 0 for at once."""
        return self._pool.retry_after_s

    def expect(self, session_id: str) -> None:
        """Count a session that was admitted: it will ask."""
        self._pool.expect(session_id)

    def forget(self, session_id: str) -> None:
        """Cancel what a session that is over has open."""
        self._pool.forget(session_id)

    async def close(self) -> None:
        """Cancel everything and leave the servers. Idempotent."""
        await self._pool.close()

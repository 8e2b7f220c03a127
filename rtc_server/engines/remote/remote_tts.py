"""Speech by a pool of engine servers: `TtsPort` for sessions, `TtsService` for the app."""

from rtc_server.engines.base import TtsCapabilities, TtsRequest
from rtc_server.engines.remote.calls import SpeechCall
from rtc_server.engines.remote.messages import ServerHello
from rtc_server.engines.remote.pool import EnginePool
from rtc_server.errors import EngineUnavailable


class RemoteTts:
    """Synthesis engine of other processes, shared by all sessions."""

    capabilities: TtsCapabilities
    """Known after `start`."""
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

    async def start(self) -> None:
        """Connect to the servers.

        Raises:
            EngineUnavailable: none can be used; the sentence says why.
        """
        self.hello = await self._pool.start()
        if self.hello.tts is None:
            raise EngineUnavailable("The engine servers do not synthesize speech.")
        self.capabilities = self.hello.tts
        self._pool.deadline_s = self.capabilities.deadline_s

    def synthesize(self, request: TtsRequest, *, session_id: str) -> SpeechCall:
        """Ask for the speech of a text. See `TtsService.synthesize`; errors come by iterating.

        Raises:
            EngineOverloaded: too many calls are open.
        """
        call = SpeechCall(request, session_id, self.capabilities.sample_rate, self._pool.ended)
        self._pool.ask(call)
        return call

    def forget(self, session_id: str) -> None:
        """Drop what a session that is over has open."""
        self._pool.forget(session_id)

    async def close(self) -> None:
        """Drop everything and leave the servers. Idempotent."""
        await self._pool.close()

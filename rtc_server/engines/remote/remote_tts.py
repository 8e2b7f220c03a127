"""Speech by a pool of engine servers: `TtsPort` for sessions, `TtsService` for the app."""

from rtc_server.engines.base import TtsCapabilities, TtsRequest
from rtc_server.engines.remote.calls import SpeechCall
from rtc_server.engines.remote.remote_engine import RemoteEngine
from rtc_server.errors import EngineUnavailable


class RemoteTts(RemoteEngine):
    """Synthesis engine in other processes, shared by all sessions."""

    capabilities: TtsCapabilities
    """Capabilities of the engine; set after `start`."""

    async def start(self) -> None:
        """Connect to the servers.

        Raises:
            EngineUnavailable: no server can be used; the text says why.
        """
        self.hello = await self._pool.start()
        if self.hello.tts is None:
            raise EngineUnavailable("The engine servers do not synthesize speech.")
        self.capabilities = self.hello.tts
        self._pool.deadline_s = self.capabilities.deadline_s

    def synthesize(self, request: TtsRequest, *, session_id: str) -> SpeechCall:
        """Request the speech of a text. See `TtsService.synthesize`; iterating raises its errors.

        Raises:
            EngineOverloaded: too many calls are open.
        """
        call = SpeechCall(request, session_id, self.capabilities.sample_rate, self._pool.ended)
        self._pool.submit(call)
        return call

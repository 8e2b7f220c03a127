"""Engine server: the engines of this process, for the media processes that connect."""

import asyncio
import logging
from dataclasses import dataclass

from rtc_server.engines.registry import Kind
from rtc_server.engines.remote.audio_kept import AudioBudget
from rtc_server.engines.remote.channel import FrameChannel
from rtc_server.engines.remote.messages import ServerHello
from rtc_server.engines.remote.served import ServedConnection
from rtc_server.engines.remote.served_ast import AstConnection, ServableAst
from rtc_server.engines.remote.served_tts import ServableTts, TtsConnection
from rtc_server.error_location import location_of
from rtc_server.errors import EngineError, EngineUnavailable
from rtc_server.tracing import NO_TRACES, Tracer

MOST_CONNECTIONS = 256
"""Open connections; each media process has two."""
_LOOK_S = 0.05
"""Interval at which a drain looks whether calls are left."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """Engines of a server, each with the hello that describes it."""

    ast: ServableAst | None = None
    """Translation engine, if it is served."""
    tts: ServableTts | None = None
    """Synthesis engine, if it is served."""
    ast_hello: ServerHello | None = None
    """First message on connections for translation."""
    tts_hello: ServerHello | None = None
    """First message on connections for speech."""


class EngineServer:
    """Connections of media processes, and the drain of all of them."""

    def __init__(self, served: Served, tracer: Tracer = NO_TRACES) -> None:
        self._served, self._tracer = served, tracer
        self._connections: set[ServedConnection] = set()
        self._audio = AudioBudget()
        self.is_draining = False
        """True once no new calls are taken."""

    @property
    def calls(self) -> int:
        """Number of open calls of all media processes."""
        return sum(len(each.open_calls) for each in self._connections)

    @property
    def ready(self) -> bool:
        """True while calls are taken and every engine that is served can work."""
        engines = (self._served.ast, self._served.tts)
        return not self.is_draining and all(each.ready for each in engines if each is not None)

    def check(self, kind: Kind) -> None:
        """Raise `EngineUnavailable` unless another connection of that kind can be served."""
        served = self._served.ast if kind == "ast" else self._served.tts
        if served is None:
            raise EngineUnavailable(
                "This engine server does not "
                + ("translate speech." if kind == "ast" else "synthesize speech.")
            )
        if self.is_draining:
            raise EngineUnavailable("This engine server is stopping.")
        if len(self._connections) >= MOST_CONNECTIONS:
            raise EngineUnavailable(f"This engine server has {MOST_CONNECTIONS} connections.")

    async def serve(self, kind: Kind, client: str, channel: FrameChannel) -> None:
        """Serve one connection until its end. `client` is the media process's own name."""
        connection = self._connection(kind, client, channel)
        self._connections.add(connection)
        try:
            await connection.run()
        except EngineError as error:
            _log.warning("A media process was cut off. %s", error)
        except Exception as error:
            # Without the error's text, which may quote what was said.
            _log.error("Serving a media process: %s", location_of(error))
        finally:
            self._connections.discard(connection)

    async def drain(self, within_s: float) -> None:
        """Take no new calls; return once the open ones are answered, or after `within_s`."""
        self.is_draining = True
        for each in self._connections:
            each.drain()
        loop = asyncio.get_running_loop()
        end_s = loop.time() + within_s
        while self.calls and loop.time() < end_s:  # noqa: ASYNC110 - no event reports the last one
            await asyncio.sleep(_LOOK_S)

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(each.close() for each in list(self._connections)))

    def _connection(self, kind: Kind, client: str, channel: FrameChannel) -> ServedConnection:
        served = self._served
        if kind == "ast" and served.ast is not None and served.ast_hello is not None:
            return AstConnection(
                channel, client, served.ast_hello, served.ast, self._audio, tracer=self._tracer
            )
        if kind == "tts" and served.tts is not None and served.tts_hello is not None:
            return TtsConnection(channel, client, served.tts_hello, served.tts, self._tracer)
        raise EngineUnavailable(f"This engine server has no {kind}.")

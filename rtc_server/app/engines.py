"""The two engines in use, started and stopped together."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from rtc_server.app.phrases import Phrases, read_phrases
from rtc_server.clock import monotonic
from rtc_server.config import EngineSettings
from rtc_server.engine_sets import set_of
from rtc_server.engines import registry
from rtc_server.engines.base import AstCapabilities, EngineCard, TtsCapabilities
from rtc_server.engines.engine_settings import NO_PLUGINS
from rtc_server.engines.plugin import OptionValue
from rtc_server.engines.service import AstService, TtsService
from rtc_server.host_system import check_system
from rtc_server.metrics import Metrics
from rtc_server.session.session_api import SuggestedPhrase

if TYPE_CHECKING:
    from rtc_server.engines.remote.messages import ServerHello
    from rtc_server.engines.remote.remote_ast import RemoteAst
    from rtc_server.engines.remote.remote_tts import RemoteTts

logger = logging.getLogger(__name__)


class Engines:
    """Implementation of `Catalogue` and `Readiness` for the engines of `EngineSettings`."""

    def __init__(
        self,
        settings: EngineSettings,
        metrics: Metrics,
        plugins: Mapping[str, OptionValue] = NO_PLUGINS,
    ) -> None:
        """`plugins`: options of plug-ins by name, as of `Settings`.

        Raises `ConfigError` on a system that cannot run the engines' processes.
        """
        self._system_note = check_system()
        self.ast_service, self.tts_service = _services(settings, metrics, plugins)
        self._settings = settings
        self._plugins = plugins
        self._phrases: Phrases = {}
        self._started = self._draining = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Engines"]:
        """Run both engines until the block ends. Raises `EngineUnavailable` with a sentence."""
        if self._system_note:
            logger.warning("%s", self._system_note)
        # Here, and beside the loop: importing what packages describe takes as long as it takes,
        # and the list of engines is read from the loop later, while media flows.
        await asyncio.to_thread(registry.cards)
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.ast_service.close)
            stack.push_async_callback(self.tts_service.close)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self.ast_service.start())
                    tasks.create_task(self.tts_service.start())
            except* Exception as group:  # the sentence of one engine is enough
                raise group.exceptions[0] from None
            self._started = True
            logger.info("Engine set: %s", self.engine_set or "none, engines chosen one by one")
            for engine in (self.ast_service.capabilities, self.tts_service.capabilities):
                logger.info("%s: %s, %s", engine.name, engine.title, engine.licence)
                for note in engine.notes:
                    logger.info("%s: %s", engine.name, note)
            self._phrases = self._read_phrases()
            try:
                yield self
            finally:
                self._started = False

    def drain(self) -> None:
        """Take no new calls; open ones go on."""
        self._draining = True

    @property
    def engine_set(self) -> str:
        """Name of the engine set in use; empty for engines chosen one by one."""
        ast, tts = self._ast_hello(), self._tts_hello()
        return set_of(
            ast.chosen if ast else self._settings.ast, tts.chosen if tts else self._settings.tts
        )

    @property
    def ready(self) -> bool:
        """True while new calls are taken and both engines can work."""
        return (
            self._started
            and not self._draining
            and self.ast_service.ready
            and self.tts_service.ready
        )

    @property
    def reason(self) -> str:
        """Sentence about the engine that is not ready; empty when both are."""
        if not self._started:
            return "The engines are warming up."
        if self._draining:
            return "The server is stopping."
        return "" if self.ready else "An engine is being restarted."

    @property
    def retry_after_s(self) -> int:
        """Whole seconds until both engines can carry another session; 0 for at once."""
        return max(self.ast_service.retry_after_s, self.tts_service.retry_after_s)

    def engines(self) -> Sequence[EngineCard]:
        """Return every engine known to this server or to its engine servers."""
        hellos = {"ast": self._ast_hello(), "tts": self._tts_hello()}
        return [
            card
            for kind, hello in hellos.items()
            for card in (hello.cards if hello else registry.cards())
            if card.kind == kind
        ]

    @property
    def ast(self) -> AstCapabilities | None:
        """Capabilities of the translation engine; None until it has started."""
        return self.ast_service.capabilities if self._started else None

    @property
    def tts(self) -> TtsCapabilities | None:
        """Capabilities of the synthesis engine; None until it has started."""
        return self.tts_service.capabilities if self._started else None

    def phrases(self, language: str) -> Sequence[SuggestedPhrase]:
        """Return the phrasebook's examples, when it is the engine in use."""
        return self._phrases.get(language, ())

    def _read_phrases(self) -> Phrases:
        if (hello := self._ast_hello()) is None:
            options = self._settings.options("ast", self._plugins)
            return read_phrases(self.ast_service.capabilities, options)
        from rtc_server.app.engine_pool import phrases_of  # noqa: PLC0415 - see _services

        return phrases_of(hello)

    def _ast_hello(self) -> "ServerHello | None":
        service = self.ast_service
        return None if isinstance(service, AstService) or not self._started else service.hello

    def _tts_hello(self) -> "ServerHello | None":
        service = self.tts_service
        return None if isinstance(service, TtsService) or not self._started else service.hello


def _services(
    settings: EngineSettings, metrics: Metrics, plugins: Mapping[str, OptionValue]
) -> "tuple[AstService | RemoteAst, TtsService | RemoteTts]":
    """Return the two engines: in processes of this server, or of engine servers."""
    ast: AstService | RemoteAst
    tts: TtsService | RemoteTts
    if settings.ast_servers or settings.tts_servers:
        # Imported here: a server with engines of its own needs nothing of the pool.
        from rtc_server.app.engine_directory import (  # noqa: PLC0415
            warn_of_plain_directories,
        )
        from rtc_server.app.engine_pool import remote_ast, remote_tts  # noqa: PLC0415
        from rtc_server.app.shared_lookups import SharedLookups  # noqa: PLC0415

        lookups = SharedLookups()
    if settings.ast_servers:
        ast = remote_ast(settings, metrics, lookups)
    else:
        options = settings.options("ast", plugins)
        ast = AstService(settings.ast, options, settings, metrics, monotonic)
    if settings.tts_servers:
        tts = remote_tts(settings, metrics, lookups)
    else:
        options = settings.options("tts", plugins)
        tts = TtsService(settings.tts, options, settings, metrics, monotonic)
    if settings.ast_servers or settings.tts_servers:
        warn_of_plain_directories((*settings.ast_servers, *settings.tts_servers))
    return ast, tts

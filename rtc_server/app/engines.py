"""The two engines in use, started and stopped together."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from rtc_server.catalog import models_folder
from rtc_server.clock import monotonic
from rtc_server.config import EngineSettings
from rtc_server.engine_sets import set_of
from rtc_server.engines import registry
from rtc_server.engines.base import AstCapabilities, EngineCard, EngineOptions, TtsCapabilities
from rtc_server.engines.phrasebook import listing
from rtc_server.engines.service import AstService, TtsService
from rtc_server.host_system import check_system
from rtc_server.metrics import Metrics
from rtc_server.session.session_api import SuggestedPhrase

logger = logging.getLogger(__name__)


def engine_options(settings: EngineSettings) -> tuple[EngineOptions, EngineOptions]:
    """Return what the factories of the translation and of the synthesis engine may read."""
    options = EngineOptions(
        phrasebooks=settings.phrasebook,
        canary_model=settings.canary_model,
        canary_heads=settings.canary_heads,
        models_dir=models_folder(settings.models_dir),
        silero_models=settings.silero_models,
        piper_voices=settings.piper_voices,
        device=settings.device,
        threads=settings.engine_threads,
    )
    return options, replace(options, device=settings.tts_device or settings.device)


class Engines:
    """Implements `Catalogue` and `Readiness` for what `EngineSettings` name."""

    def __init__(self, settings: EngineSettings, metrics: Metrics) -> None:
        """Raises `ConfigError` on a system that cannot run the engines' processes."""
        self._system_note = check_system()
        translating, speaking = engine_options(settings)
        self.ast_service = AstService(settings.ast, translating, settings, metrics, monotonic)
        self.tts_service = TtsService(settings.tts, speaking, settings, metrics, monotonic)
        self.engine_set = set_of(settings.ast, settings.tts)
        """Name of the set that the two engines are, "" for an operator's own choice."""
        self._phrasebooks = settings.phrasebook
        self._phrases: dict[str, tuple[SuggestedPhrase, ...]] = {}
        self._started = self._draining = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Engines"]:
        """Load and warm up both. Raises `EngineUnavailable` with a sentence."""
        if self._system_note:
            logger.warning("%s", self._system_note)
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.ast_service.close)
            stack.push_async_callback(self.tts_service.close)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self.ast_service.start())
                    tasks.create_task(self.tts_service.start())
            except* Exception as group:  # one engine's sentence is what a person can use
                raise group.exceptions[0] from None
            logger.info("Engine set: %s", self.engine_set or "none, engines chosen one by one")
            for engine in (self.ast_service.capabilities, self.tts_service.capabilities):
                logger.info("%s: %s, %s", engine.name, engine.title, engine.licence)
                for note in engine.notes:
                    logger.info("%s: %s", engine.name, note)
            self._phrases = self._read_phrases(self.ast_service.capabilities)
            self._started = True
            try:
                yield self
            finally:
                self._started = False

    def drain(self) -> None:
        """Take no new calls any more; those that are open go on."""
        self._draining = True

    @property
    def ready(self) -> bool:
        """True if both can work now, and new calls are taken."""
        return (
            self._started
            and not self._draining
            and self.ast_service.ready
            and self.tts_service.ready
        )

    @property
    def reason(self) -> str:
        """Sentence that names the missing one; empty when ready."""
        if not self._started:
            return "The engines are warming up."
        if self._draining:
            return "The server is stopping."
        return "" if self.ready else "An engine is being restarted."

    @property
    def retry_after_s(self) -> int:
        """Whole seconds until both can carry another session, 0 for at once."""
        return max(self.ast_service.retry_after_s, self.tts_service.retry_after_s)

    def engines(self) -> Sequence[EngineCard]:
        """Return every engine this server knows."""
        return registry.cards()

    @property
    def ast(self) -> AstCapabilities | None:
        """The translation engine in use, once started."""
        return self.ast_service.capabilities if self._started else None

    @property
    def tts(self) -> TtsCapabilities | None:
        """The synthesis engine in use, once started."""
        return self.tts_service.capabilities if self._started else None

    def phrases(self, language: str) -> Sequence[SuggestedPhrase]:
        """Return the phrasebook's examples, when it is the engine in use."""
        return self._phrases.get(language, ())

    def _read_phrases(self, ast: AstCapabilities) -> dict[str, tuple[SuggestedPhrase, ...]]:
        if ast.name != "phrasebook":
            return {}
        return {
            source: tuple(
                SuggestedPhrase(example.source, example.target, target, topic.title)
                for topic in listing.topics(source, target, self._phrasebooks)
                for example in topic.examples
            )
            for source, target in ast.pairs  # a book has one other language for each
        }

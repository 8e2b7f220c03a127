"""Endpoints about the server: engines, languages, phrases, health, metrics."""

from dataclasses import asdict

from aiohttp import hdrs, web

from rtc_server.engines.base import AstCapabilities, TtsCapabilities
from rtc_server.errors import NotReady, RemoteError
from rtc_server.events.client import language_code
from rtc_server.interpreter.interpreter_settings import InterpreterSettings
from rtc_server.interpreter.modes import Mode, possible
from rtc_server.limits import Rate
from rtc_server.metrics import Metrics
from rtc_server.session.session_api import Catalogue, Readiness
from rtc_server.signaling.answers import Answers
from rtc_server.signaling.bodies import query_text
from rtc_server.signaling.caller_rate import CallerRate
from rtc_server.signaling.request_rates import Counted, RequestRates
from rtc_server.signaling.response_bodies import (
    OK,
    READY,
    EngineEntry,
    EngineList,
    LanguageList,
    PairEntry,
    PhraseList,
    Status,
    UsualPair,
    json_answer,
)

RETRY_AFTER_S = 2
"""Seconds after which to ask again whether a server is ready."""
CATALOGUE_RATE = Rate(burst=100, per_second=20)
"""Rate at which one caller may ask for engines, languages or phrases."""


class InfoRoutes:
    """Handlers that only read."""

    def __init__(
        self,
        readiness: Readiness,
        catalogue: Catalogue,
        metrics: Metrics,
        defaults: InterpreterSettings,
        rates: RequestRates,
    ) -> None:
        """`defaults`: the pair of a call that names none."""
        self._defaults = defaults
        self._readiness = readiness
        self._catalogue = catalogue
        self._metrics = metrics
        self._answers = Answers()
        self._rate = CallerRate(Counted.CATALOGUE, CATALOGUE_RATE, rates)
        metrics.ready.set_function(lambda: readiness.ready)
        metrics.retry_after_seconds.set_function(lambda: readiness.retry_after_s)

    async def engines(self, request: web.Request) -> web.Response:
        """Return every engine, and which two are in use."""
        await self._rate.take(request)
        keep = self._catalogue.ast is not None and self._catalogue.tts is not None
        return self._answers.give(request, "engines", self._engines, keep=keep)

    def _engines(self) -> EngineList:
        ast, tts = self._catalogue.ast, self._catalogue.tts
        in_use = {("ast", ast.name if ast else ""), ("tts", tts.name if tts else "")}
        return EngineList(
            self._catalogue.engine_set or None,
            [
                EngineEntry(**asdict(card), in_use=(card.kind, card.name) in in_use)
                for card in self._catalogue.engines()
            ],
            [*_notes(ast), *_notes(tts)],
        )

    async def languages(self, request: web.Request) -> web.Response:
        """Return the pairs that can be translated and spoken now, and the voices."""
        await self._rate.take(request)
        ast, tts = self._catalogue.ast, self._catalogue.tts
        if ast is None or tts is None:
            raise NotReady(self._reason(), RETRY_AFTER_S)

        def made() -> LanguageList:
            return LanguageList(
                default=UsualPair(self._defaults.source, self._defaults.target),
                modes=[mode for mode in Mode if possible(mode, ast) is mode],
                engine_set=self._catalogue.engine_set or None,
                ast=ast.title,
                tts=tts.title,
                pairs=[
                    PairEntry(source, target, tts.voices[target])
                    for source, target in sorted(ast.pairs)
                    if target in tts.voices
                ],
            )

        return self._answers.give(request, "languages", made, keep=True)

    async def phrases(self, request: web.Request) -> web.Response:
        """Return phrases to try in ``?language=``."""
        await self._rate.take(request)
        asked = query_text(request.query, "language")
        if asked is None:
            raise RemoteError(
                "The query parameter language is missing. Add it, such as ?language=ru."
            )
        language = language_code(asked)

        def made() -> PhraseList:
            return PhraseList(language, [*self._catalogue.phrases(language)])

        keep = self._catalogue.ast is not None
        return self._answers.give(request, f"phrases {language}", made, keep=keep)

    async def alive(self, _request: web.Request) -> web.Response:
        """Return 200: the event loop turns; nothing more is promised."""
        return json_answer(Status(OK))

    async def ready(self, _request: web.Request) -> web.Response:
        """Return 200 while calls are welcome, or 503 with the reason."""
        if not self._readiness.ready:
            raise NotReady(self._reason(), RETRY_AFTER_S)
        return json_answer(Status(READY))

    async def metrics(self, _request: web.Request) -> web.Response:
        """Return Prometheus text."""
        response = web.Response(body=self._metrics.exposition())
        response.headers[hdrs.CONTENT_TYPE] = "text/plain; version=0.0.4; charset=utf-8"
        return response

    def _reason(self) -> str:
        return self._readiness.reason or "The server is still starting."


def _notes(capabilities: AstCapabilities | TtsCapabilities | None) -> tuple[str, ...]:
    return capabilities.notes if capabilities else ()

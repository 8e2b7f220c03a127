"""The engine, imported in its own process: models and their libraries are loaded here."""

from collections.abc import Sequence

from rtc_server.engines.contract import (
    SPEECH_RATE,
    Ast,
    AstCapabilities,
    AstRequest,
    AstResult,
    AstStatus,
    EngineOptions,
    beat,
)

_TEXTS = {"en": "You spoke for {} seconds.", "ru": "Вы говорили {} секунд."}


def create(_options: EngineOptions) -> Ast:
    """Return the engine, ready but for `warm_up`. Raises `EngineUnavailable` where it cannot be."""
    return StopwatchAst()


class StopwatchAst:
    """Translates any speech into its length."""

    @property
    def capabilities(self) -> AstCapabilities:
        """English and Russian, finished segments only."""
        return AstCapabilities(
            name="stopwatch",
            title="Stopwatch 1.0",
            licence="Apache-2.0",
            pairs=(("en", "ru"), ("ru", "en")),
            partials=False,
            max_batch=8,
            max_audio_s=30.0,
        )

    def warm_up(self) -> None:
        """Do nothing: there is no model."""

    def translate(self, batch: Sequence[AstRequest]) -> list[AstResult]:
        """Return one result for each request, in their order."""
        results = []
        for request in batch:
            seconds = round(len(request.samples) / SPEECH_RATE)
            source, target = (
                _TEXTS[language].format(seconds)
                for language in (request.source_language, request.target_language)
            )
            results.append(AstResult(AstStatus.OK, source_text=source, target_text=target))
            beat()  # a long batch says that it is at work
        return results

    def close(self) -> None:
        """Do nothing: nothing outlives the process."""

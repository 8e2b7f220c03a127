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

_TEXTS = {
    "seconds": {"en": "You spoke for {} seconds.", "ru": "Вы говорили {} секунд."},
    "minutes": {"en": "You spoke for {} minutes.", "ru": "Вы говорили {} минут."},
}
_SECONDS = {"seconds": 1, "minutes": 60}


def create(options: EngineOptions) -> Ast:
    """Return the engine, ready but for `warm_up`. Raises `EngineUnavailable` where it cannot be."""
    return StopwatchAst(str(options.own["stopwatch_unit"]))


class StopwatchAst:
    """Translates any speech into its length."""

    def __init__(self, unit: str) -> None:
        self._unit = unit

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
            units = round(len(request.samples) / SPEECH_RATE / _SECONDS[self._unit])
            source, target = (
                _TEXTS[self._unit][language].format(units)
                for language in (request.source_language, request.target_language)
            )
            results.append(AstResult(AstStatus.OK, source_text=source, target_text=target))
            beat()  # a long batch says that it is at work
        return results

    def close(self) -> None:
        """Do nothing: nothing outlives the process."""

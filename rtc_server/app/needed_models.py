"""Models of the catalogue that the chosen engines load."""

from collections.abc import Iterator
from pathlib import Path

from rtc_server import catalog, model_files
from rtc_server.catalog import Model
from rtc_server.config import EngineSettings
from rtc_server.engines.registry import kinds_loaded


def needed_models(settings: EngineSettings) -> tuple[Model, ...]:
    """Return the models of the chosen set that the engines would load, whether installed or not.

    Models that the operator named replace the set's of their kind.
    """
    kinds = _kinds_loaded(settings)
    if settings.canary_model != EngineSettings().canary_model:
        kinds -= {"canary", "canary-hf", "canary-onnx"}
    if settings.silero_models:
        kinds -= {"silero"}
    return tuple(
        model
        for each in catalog.model_sets()
        if each.id == settings.engines
        for model in each.models
        if model.kind in kinds
    )


def must_be_here(settings: EngineSettings, model: Model) -> bool:
    """Return True if the engines cannot start without models of this kind.

    ``--tts auto`` starts without any: it uses the best voice that is installed, and logs which.
    """
    at_most = _kinds_loaded(settings)
    without_voices = kinds_loaded(settings.ast, "")
    return model.kind in (at_most & without_voices if settings.tts == "auto" else at_most)


def fetched_models(settings: EngineSettings, folder: Path) -> Iterator[Model]:
    """Yield the catalogue's models in `folder` that the engines can load, whole or in part."""
    kinds = _kinds_loaded(settings)
    for model in catalog.catalog():
        if model.kind in kinds and model_files.is_present(folder, model):
            yield model


def _kinds_loaded(settings: EngineSettings) -> frozenset[str]:
    """Return the kinds of models that engines of this machine load; engine servers have theirs."""
    return kinds_loaded(
        "" if settings.ast_servers else settings.ast, "" if settings.tts_servers else settings.tts
    )

"""Factory: ``--ast laptop``, from the models that were fetched."""

from collections.abc import Collection, Sequence
from importlib.util import find_spec
from pathlib import Path

from rtc_server.catalog import Model
from rtc_server.engines.base import Ast, EngineOptions
from rtc_server.engines.cascade.cascade import CascadeAst
from rtc_server.engines.cascade.installed import (
    RECOGNIZER,
    TRANSLATION,
    installed,
    load_recognizer,
    load_translation,
    pair_of,
)
from rtc_server.engines.cascade.translation import Translation
from rtc_server.engines.extras import install_command
from rtc_server.engines.onnx_session import thread_count
from rtc_server.errors import EngineUnavailable

_NEEDS = ("onnxruntime", "fxtranslate")
_FETCH = (
    "Run: rtc-server models fetch laptop (Russian and English, 1 GB); `rtc-server models list` "
    "shows what there is for others."
)


def create(options: EngineOptions) -> Ast:
    """Return the cascade of all recognisers and translation models in the models' folder.

    Raises:
        EngineUnavailable: the extra or a model is missing, or a model is damaged.
    """
    if absent := [name for name in _NEEDS if find_spec(name) is None]:
        raise EngineUnavailable(
            f"Engine laptop needs {' and '.join(absent)}, not installed here. "
            f"Run: {install_command('laptop')}"
        )
    folder, threads = options.models_dir, thread_count(options.threads)
    translations = installed(folder, TRANSLATION)
    models = recognizer_of_each_language(
        installed(folder, RECOGNIZER), {pair_of(model)[0] for model in translations}
    )
    if not models:
        raise EngineUnavailable(_nothing_to_do(folder))
    recognizers = {
        model.id: load_recognizer(folder, model, threads)
        for model in dict.fromkeys(models.values())
    }
    used = [*dict.fromkeys(models.values()), *translations]
    return CascadeAst(
        {language: recognizers[model.id] for language, model in models.items()},
        Translation({pair_of(model): load_translation(folder, model) for model in translations}),
        title=f"Cascade of {', '.join(model.id for model in used)}",
        licence="; ".join(f"{model.id} {model.licence}" for model in used),
        notes=(
            *(f"{language} is recognised by {model.id}." for language, model in models.items()),
            f"Recognition uses up to {threads} threads (--engine-threads).",
        ),
    )


def recognizer_of_each_language(
    recognizers: Sequence[Model], wanted: Collection[str]
) -> dict[str, Model]:
    """Return for each of the languages `wanted` its recogniser; the one of fewest languages wins.

    A model of one language is better at it than one of 25, and cannot take it for another.
    """
    assigned: dict[str, Model] = {}
    for model in sorted(recognizers, key=lambda model: len(model.languages)):
        for language in model.languages:
            if language in wanted:
                assigned.setdefault(language, model)
    return assigned


def _nothing_to_do(folder: Path) -> str:
    """Return a sentence that says what is missing."""
    heard = [language for model in installed(folder, RECOGNIZER) for language in model.languages]
    translated = [pair_of(model)[0] for model in installed(folder, TRANSLATION)]
    return (
        f"The models in {folder} recognise {', '.join(heard) or 'no language'} and translate "
        f"from {', '.join(translated) or 'none'}; the laptop engine needs a language for both. "
        f"{_FETCH}"
    )

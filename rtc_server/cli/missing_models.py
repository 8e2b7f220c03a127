"""Models that a chosen engine set needs: reported when missing, fetched on consent.

Nothing is downloaded without a question, and no other engine takes the place of one whose model is
missing.
"""

import shlex
import sys
from collections.abc import Mapping, Sequence

from rtc_server import catalog
from rtc_server.app.needed_models import must_be_here, needed_models
from rtc_server.catalog import Model
from rtc_server.cli.fetching import Source, fetch_models
from rtc_server.config import EngineSettings
from rtc_server.engines.registry import resolve
from rtc_server.errors import ModelError
from rtc_server.model_files import FileState, models_folder, state_of


def check_engines(settings: EngineSettings) -> None:
    """Raise `EngineUnavailable` if an engine of this machine is unknown or not installed.

    Nothing is loaded: a factory that is named by its module is not looked for.
    """
    if not settings.ast_servers:
        resolve("ast", settings.ast)
    if not settings.tts_servers:
        resolve("tts", settings.tts)


def provide_models(settings: EngineSettings, environ: Mapping[str, str]) -> None:
    """Check that the models of ``--engines`` are installed; offer on a terminal to fetch them.

    Raises:
        EngineUnavailable: one of the engines is not installed.
        ModelError: models are missing and were not fetched; the text has the command.
    """
    folder = models_folder(settings.models_dir, environ)
    missing = [
        model
        for model in needed_models(settings)
        if any(
            state_of(folder, model, file) in (FileState.ABSENT, FileState.PARTIAL)
            for file in model.files
            if not file.optional
        )
    ]
    if not any(must_be_here(settings, model) for model in missing):
        return
    check_engines(settings)  # no question about models of an engine that is not there
    if sys.stdin.isatty() and sys.stderr.isatty() and _asked(settings, missing, str(folder)):
        fetch_models(missing, folder, Source.chosen(None, environ))
        return
    option = f"--models-dir {shlex.quote(settings.models_dir)} " if settings.models_dir else ""
    raise ModelError(
        f"The engine set {settings.engines} needs {', '.join(m.id for m in missing)} "
        f"({_megabytes(missing)}), not on this machine. "
        f"Run: rtc-server models {option}fetch {settings.engines}"
    )


def _asked(settings: EngineSettings, missing: Sequence[Model], folder: str) -> bool:
    """Return True if the user agrees on the terminal; without an answer False."""
    lines = [
        f"The engine set {settings.engines} needs {len(missing)} models that are not in {folder}:",
        *(f"  {model.id}  {_megabytes([model])}, {model.licence}" for model in missing),
        *(
            f"Serving takes up to {each.memory_mb / 1000:.1f} GB of memory."
            for each in catalog.model_sets()
            if each.id == settings.engines and each.memory_mb
        ),
        f"Fetch {_megabytes(missing)} now? [y/N] ",
    ]
    print("\n".join(lines), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _megabytes(models: Sequence[Model]) -> str:
    return f"{sum(model.size_bytes for model in models) / 1e6:.0f} MB"

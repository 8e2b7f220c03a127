"""Paths of Canary's models on this machine. Nothing is ever downloaded from here.

What ``rtc-server models fetch`` brought is read through the handle that its hash was checked with.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from rtc_server import catalog, model_files
from rtc_server.errors import EngineUnavailable, ModelError

_ENDINGS = {"canary-hf": "-hf", "canary-onnx": "-int8"}
"""Endings of ids in the catalogue: one model, converted for something."""


def open_archive(model: str, models_dir: Path) -> tuple[Path, BinaryIO]:
    """Return name and handle of a ``.nemo`` file that was fetched before, or of `model` as a path.

    Args:
        model: a path, the id of a model of the catalogue, or a Hugging Face name such as
            ``nvidia/canary-1b-v2``.
        models_dir: where ``rtc-server models fetch`` keeps what it brings.

    Raises:
        EngineUnavailable: it is not here, or not what the catalogue says.
    """
    name = f"{Path(model).name}.nemo"
    path = _given(model)
    if path is None and (known := _known(model, "canary", models_dir)):
        [wanted] = [file for file in known.files if file.name == name]
        return model_files.path_of(models_dir, known, wanted), _verified(models_dir, known, wanted)
    path = path or _cached(model, name, "canary")
    try:
        return path, path.open("rb")
    except OSError as exc:
        raise EngineUnavailable(f"Cannot read {path}: {exc.strerror}.") from exc


@contextmanager
def open_folder(model: str, models_dir: Path, kind: str, marker: str) -> Iterator[Path]:
    """Yield a folder with the files of a Canary.

    Of a fetched model it holds links to the open files whose hashes were checked, so that whatever
    happens to their names meanwhile is not loaded.

    Args:
        model: as for `open_archive`.
        models_dir: as for `open_archive`.
        kind: of the model in the catalogue.
        marker: file that every such folder holds.

    Raises:
        EngineUnavailable: it is not here, or not what the catalogue says.
    """
    path = _given(model)
    known = None if path else _known(model, kind, models_dir)
    if known is None:
        path = path or _cached(model, marker, kind)
        yield path if path.is_dir() else path.parent
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for file in known.files:
            handle = stack.enter_context(_verified(models_dir, known, file))
            (folder / file.name).symlink_to(f"/dev/fd/{handle.fileno()}")
        yield folder


def not_canary(path: Path) -> EngineUnavailable:
    """Return the error for a file or folder that holds some other model."""
    return EngineUnavailable(
        f"{path} is not a Canary model that this server can use (it needs the canary2 prompt "
        "format). Give one such as nvidia/canary-1b-v2 with --canary-model."
    )


def _given(model: str) -> Path | None:
    """Return `model` if it is a path that exists, None if it is a name."""
    path = Path(model).expanduser()
    if path.exists():
        return path
    if path.is_absolute() or model.count("/") > 1 or path.suffix == ".nemo":
        raise EngineUnavailable(
            f"There is no model at {model}. Give the path of one, or a name such as "
            "nvidia/canary-1b-v2, with --canary-model."
        )
    return None


def _of_catalog(model: str, kind: str) -> catalog.Model | None:
    """Return the catalogue's model of that name, which may lack what its kind adds to it."""
    names = (Path(model).name, Path(model).name + _ENDINGS.get(kind, ""))
    return next((m for m in catalog.catalog() if m.kind == kind and m.id in names), None)


def _known(model: str, kind: str, models_dir: Path) -> catalog.Model | None:
    """Return the catalogue's model if anything of it was fetched."""
    known = _of_catalog(model, kind)
    return known if known and model_files.is_present(models_dir, known) else None


def _cached(model: str, file: str, kind: str) -> Path:
    """Return a file in the cache of huggingface_hub. Raises: it is nowhere."""
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415 (of the extras)

    cached = try_to_load_from_cache(model, file) if "/" in model else None
    if isinstance(cached, str):
        return Path(cached)
    known = _of_catalog(model, kind)
    advice = f"Run: rtc-server models fetch {known.id}. Or give" if known else "Give"
    raise EngineUnavailable(
        f"Model {model} is not on this machine. {advice} the path of one with --canary-model."
    )


def _verified(models_dir: Path, model: catalog.Model, file: catalog.ModelFile) -> BinaryIO:
    """Return the file opened, its hash checked."""
    try:
        return model_files.open_verified(models_dir, model, file)
    except ModelError as exc:
        raise EngineUnavailable(str(exc)) from exc

"""Models and sets of models that can be fetched, and what of them lies on disk.

A fetched file is ``MODELS_DIR/ID/NAME``. Its SHA-256 is the catalogue's, or the one recorded beside
it (``NAME.sha256``) when the operator chose to trust what was downloaded. Nothing here uses the
network: the command line does.
"""

import hashlib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from rtc_server.errors import ModelError
from rtc_server.resources import resource_folder


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model."""

    name: str
    """Its name on disk."""
    url: str
    """URL at which its publisher serves it."""
    size_bytes: int | None
    """Its size, when known."""
    sha256: str | None
    """Its hash in lower-case hexadecimal digits, when known."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be fetched."""

    id: str
    """Name for ``rtc-server models fetch``, and of its folder."""
    kind: str
    """The engine that loads it: ``canary``, ``silero`` or ``piper``."""
    languages: tuple[str, ...]
    """ISO 639-1 codes."""
    licence: str
    """Licence of the weights, with any restriction of use."""
    checked: int
    """Number of independent projects that were found to publish the same hashes."""
    files: tuple[ModelFile, ...]
    """All that the engine needs, the weights first."""

    @property
    def size_bytes(self) -> int:
        """Of all files whose size is known."""
        return sum(file.size_bytes or 0 for file in self.files)


@dataclass(frozen=True, slots=True)
class ModelSet:
    """Models that work together, fetched by one name."""

    id: str
    """Name for ``rtc-server models``; no model has it."""
    title: str
    """Purpose, in a few words."""
    models: tuple[Model, ...]
    """Members, in the order of fetching."""
    memory_mb: int = 0
    """Most main memory that the server takes with them, in MB; 0 when it is not known."""

    @property
    def size_bytes(self) -> int:
        """Sum over all models."""
        return sum(model.size_bytes for model in self.models)


class FileState(StrEnum):
    """State of a file on disk."""

    ABSENT = "absent"
    """Nothing."""
    PARTIAL = "partial"
    """The beginning; fetching goes on where it stopped."""
    WRONG = "wrong"
    """A file of another size or hash."""
    UNPINNED = "unpinned"
    """A file whose right hash nobody told."""
    VERIFIED = "verified"
    """The right file."""


@cache
def catalog() -> tuple[Model, ...]:
    """Return the models of ``models/catalog.toml``, in its order."""
    return read_catalog(_text())


@cache
def model_sets() -> tuple[ModelSet, ...]:
    """Return the sets of ``models/catalog.toml``, in its order."""
    return read_sets(_text(), catalog())


def read_catalog(text: str) -> tuple[Model, ...]:
    """Return the models in the text of a catalogue.

    Raises:
        ModelError: it is not one.
    """
    try:
        return tuple(_model(entry) for entry in tomllib.loads(text)["model"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as exc:
        raise ModelError(f"The catalogue of models cannot be read: {exc!r}.") from exc


def read_sets(text: str, models: Iterable[Model]) -> tuple[ModelSet, ...]:
    """Return the sets in the text of a catalogue.

    Args:
        text: the same text that the models were read from.
        models: what a set may name.

    Raises:
        ModelError: a set is damaged, names what is no model, or has the name of one.
    """
    known = {model.id: model for model in models}
    try:
        sets = tuple(
            ModelSet(
                id=str(entry["id"]),
                title=str(entry["title"]),
                models=tuple(known[model_id] for model_id in entry["models"]),
                memory_mb=int(entry.get("memory_mb", 0)),
            )
            for entry in tomllib.loads(text).get("set", ())
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as exc:
        raise ModelError(f"The catalogue's sets of models cannot be read: {exc!r}.") from exc
    if twice := [each.id for each in sets if each.id in known]:
        raise ModelError(f"In the catalogue {twice[0]!a} is both a model and a set.")
    return sets


def expand(ids: Iterable[str]) -> list[Model]:
    """Return the models that ids of models and sets name, each once, in order.

    Raises:
        ModelError: an id names neither.
    """
    sets = {each.id: each.models for each in model_sets()}
    models = [model for each in ids for model in sets.get(each) or (find(each),)]
    return list(dict.fromkeys(models))


def find(model_id: str) -> Model:
    """Return the model of that id.

    Raises:
        ModelError: there is none.
    """
    for model in catalog():
        if model.id == model_id:
            return model
    raise ModelError(
        f"There is no model or set {model_id!a}. `rtc-server models list` shows what there is."
    )


def models_folder(setting: str, environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of models: the setting, else ``rtc-server/models`` in the user's cache
    folder.
    """
    if setting:
        return Path(setting).expanduser()
    cache_home = (os.environ if environ is None else environ).get("XDG_CACHE_HOME", "")
    base = Path(cache_home) if Path(cache_home).is_absolute() else Path.home() / ".cache"
    return base / "rtc-server" / "models"


def path_of(folder: Path, model: Model, file: ModelFile) -> Path:
    """Return the path of a model's file, fetched or not."""
    return folder / model.id / file.name


def partial_path(path: Path) -> Path:
    """Return the path of the beginning of a file while it is being fetched."""
    return path.with_name(path.name + ".part")


def record_path(path: Path) -> Path:
    """Return the path of the hash of a file that the operator chose to trust."""
    return path.with_name(path.name + ".sha256")


def expected_sha256(path: Path, file: ModelFile) -> str | None:
    """Return the hash that a file should have: the one recorded beside it, else the catalogue's."""
    try:
        recorded = record_path(path).read_text("ascii").split()
    except (OSError, UnicodeDecodeError):
        recorded = []
    return recorded[0] if recorded else file.sha256


def state_of(folder: Path, model: Model, file: ModelFile, *, hashed: bool = False) -> FileState:
    """Return the state of a file on disk. Without `hashed`, its size is all that is looked at."""
    path = path_of(folder, model, file)
    if not path.is_file():
        return FileState.PARTIAL if partial_path(path).is_file() else FileState.ABSENT
    expected = expected_sha256(path, file)
    if expected is None:
        return FileState.UNPINNED
    trusted = record_path(path).is_file()
    if not trusted and file.size_bytes is not None and path.stat().st_size != file.size_bytes:
        return FileState.WRONG
    if hashed and sha256_of(path) != expected:
        return FileState.WRONG
    return FileState.VERIFIED


def is_present(folder: Path, model: Model) -> bool:
    """Return whether anything of a model is there, right or wrong, whole or in part."""
    return any(state_of(folder, model, file) is not FileState.ABSENT for file in model.files)


def open_verified(folder: Path, model: Model, file: ModelFile) -> BinaryIO:
    """Open a model's file for reading, its hash checked through this very handle.

    What is read from it is what was checked, whatever happens to the name meanwhile.

    Raises:
        ModelError: it is missing, cut short, has another hash, or nobody told its right hash.
    """
    path = path_of(folder, model, file)
    state = state_of(folder, model, file)
    if state is FileState.ABSENT:
        raise ModelError(f"{file.name} of model {model.id} is not here. {_fetch(model)}")
    if state is FileState.PARTIAL:
        raise ModelError(f"The download of {model.id} was cut short. {_fetch(model)}")
    expected = expected_sha256(path, file)
    if expected is None:
        raise ModelError(
            f"The right hash of {path} is not known, so it is not loaded. If you trust the file, "
            f"record its hash: rtc-server models verify {model.id} --trust-download"
        )
    try:
        handle = path.open("rb")
    except OSError as exc:
        raise ModelError(f"Cannot read {path}: {exc.strerror}.") from exc
    if hashlib.file_digest(handle, "sha256").hexdigest() != expected:
        handle.close()
        raise ModelError(
            f"{path} is not the file that the catalogue names (its SHA-256 differs), so it is not "
            f"loaded. Fetch it again: rtc-server models fetch {model.id}"
        )
    handle.seek(0)
    return handle


def sha256_of(path: Path) -> str:
    """Return the hash of a file.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as exc:
        raise ModelError(f"Cannot read {path}: {exc.strerror}.") from exc


def _text() -> str:
    return (resource_folder("models") / "catalog.toml").read_text("utf-8")


def _fetch(model: Model) -> str:
    return f"Run: rtc-server models fetch {model.id}"


def _model(entry: dict[str, Any]) -> Model:
    return Model(
        id=str(entry["id"]),
        kind=str(entry["kind"]),
        languages=tuple(entry["languages"]),
        licence=str(entry["licence"]),
        checked=int(entry["checked"]),
        files=tuple(
            ModelFile(
                name=_plain_name(file["name"]),
                url=str(file["url"]),
                size_bytes=file.get("size_bytes"),
                sha256=file.get("sha256"),
            )
            for file in entry["file"]
        ),
    )


def _plain_name(name: str) -> str:
    if Path(name).name != name:
        raise ValueError(f"{name!a} is not a plain file name")
    return name
